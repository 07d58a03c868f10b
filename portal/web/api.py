"""The API put together: every feature's blueprint, the tokens that open it, its errors."""

from __future__ import annotations

from flask import Flask
from flask_wtf import CSRFProtect

from portal.access.api import blueprint as passages
from portal.accounts import tokens
from portal.core.api import init_api, install_authenticator
from portal.core.permissions import Actor
from portal.devices.api import blueprint as devices
from portal.passes.api import blueprint as passes
from portal.regions.api import blueprint as communities
from portal.regions.api import regions
from portal.services import current_services
from portal.visitors.api import blueprint as invitations

BLUEPRINTS = (communities, regions, devices, passages, passes, invitations)


def authenticate(text: str) -> Actor | None:
    """The actor behind a bearer token; notes now and then that it is in use."""
    services = current_services()
    now = services.clock()
    with services.db.read() as session:
        actor = tokens.authenticate(session, text, now)
        stale = actor is not None and tokens.needs_seen(session, actor.token_id or 0, now)
    if actor is not None and stale:
        with services.db.write() as session:
            tokens.seen(session, actor.token_id or 0, now)
    return actor


def mount(app: Flask, csrf: CSRFProtect | None) -> None:
    """Mount the API; it uses bearer tokens only, so that CSRF does not apply to it."""
    install_authenticator(app, authenticate)
    api = init_api(app)
    for blueprint in BLUEPRINTS:
        if csrf is not None:
            csrf.exempt(blueprint)
        api.register_blueprint(blueprint)
