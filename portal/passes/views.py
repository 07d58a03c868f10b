"""The resident's pass on a screen: one page, and the fragment with which it renews its code.

A code stands in the answer's body only, never in an address, and no cache may keep it.
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, make_response, render_template

from portal.core.actors import current_actor, resident_required
from portal.core.permissions import Actor
from portal.passes import own
from portal.passes.drawing import qr_svg
from portal.passes.operations import ShownCode
from portal.passes.settings import seconds_for_resident
from portal.services import Services, current_services

blueprint = Blueprint("passes", __name__, url_prefix="/pass", template_folder="templates")


@blueprint.get("")
@resident_required
def show() -> Response:
    """The page; it says why when there is no pass."""
    services, actor = current_services(), current_actor()
    now = services.clock()
    with services.db.read() as session:
        mine = own.holder(session, actor, now)
    values: dict[str, Any] = {"holder": mine, "Standing": own.Standing}
    if mine.standing is own.Standing.VALID:
        values |= _drawn(services, _code(services, actor))
    return _private(render_template("passes/show.html", **values))


@blueprint.get("/code")
@resident_required
def code() -> Response:
    """A fresh code, to be put in place of the one on the screen."""
    services = current_services()
    shown = _code(services, current_actor())
    return _private(render_template("passes/_code.html", **_drawn(services, shown)))


def _code(services: Services, actor: Actor) -> ShownCode:
    now, installed = services.clock(), services.config.pass_seconds
    with services.db.read() as session:
        seconds = seconds_for_resident(session, actor.resident_id, installed)
        try:
            return own.code(session, actor, now, seconds)
        except own.NotIssuedError:
            pass
    with services.db.write() as session:
        own.obtain(session, actor, now)
        return own.code(session, actor, now, seconds)


def _drawn(services: Services, shown: ShownCode) -> dict[str, Any]:
    """The drawing, and for how many seconds it counts from now; a page's own clock may be wrong."""
    seconds = max(1, int((shown.expires_at - services.clock()).total_seconds()))
    return {"qr": qr_svg(shown.token), "seconds": seconds, "renew": max(1, seconds * 2 // 3)}


def _private(html: str) -> Response:
    response = make_response(html)
    response.headers["Cache-Control"] = "no-store"
    return response
