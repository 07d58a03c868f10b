"""The Flask application: features joined together, nothing else.

Which features there are says :mod:`portal.features`; one that is not installed has no pages. The API is put
together in :mod:`portal.web.api`. Templates of a feature lie in its ``templates`` folder.
"""

from __future__ import annotations

from typing import Final

from flask import Flask
from flask_wtf import CSRFProtect
from werkzeug.middleware.proxy_fix import ProxyFix

from portal import config as configuration
from portal.accounts import security
from portal.accounts.session import load_actor
from portal.core import formats, limits, live
from portal.core.actors import install_actor_loader
from portal.core.db import Database
from portal.core.i18n import Babel, choose_language
from portal.core.keys import install_keys
from portal.features import parts
from portal.services import EXTENSION, Services
from portal.web import (
    api,
    assets,
    compression,
    context,
    display,
    errors,
    headers,
    health,
    home,
    navigation,
    requests,
    shell,
    start,
    styleguide,
)

LARGEST_REQUEST: Final = 4 * 1024 * 1024
LARGEST_FORM: Final = 256 * 1024


def create_app(services: Services | None = None) -> Flask:
    """Build the application.

    Args:
        services: what to work with; read from the environment when not given.
    """
    if services is None:
        config, _ = configuration.load()
        services = Services(config=config, db=Database(config.effective_database_url))
        install_keys(config, services.db)
    config = services.config
    app = Flask("portal", template_folder="web/templates", static_folder="web/static")
    if config.trusted_proxies:
        hops = config.trusted_proxies
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]  # as Flask's documentation has it
            app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops
        )
    app.extensions[EXTENSION] = services
    app.config.update(
        BABEL_DEFAULT_LOCALE=config.language,
        BABEL_DEFAULT_TIMEZONE=config.timezone,
        MAX_CONTENT_LENGTH=LARGEST_REQUEST,
        MAX_FORM_MEMORY_SIZE=LARGEST_FORM,
        WTF_CSRF_TIME_LIMIT=None,
    )
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
    Babel(app, locale_selector=choose_language)
    requests.install(app)
    csrf = CSRFProtect(app)
    limits.install(app, config.redis_url)
    security.install(app, config)
    install_actor_loader(app, load_actor)
    probes = [probe for module in parts("live") for probe in module.PROBES]
    app.extensions[live.EXTENSION] = live.Hub(services.db, probes)
    headers.install(app, https=config.effective_public_url.startswith("https://"))
    errors.install(app)
    assets.install(app)
    compression.install(app)
    context.install(app)
    formats.install(app)
    app.register_blueprint(health.blueprint)
    app.register_blueprint(start.blueprint)
    app.register_blueprint(display.blueprint)
    app.register_blueprint(shell.blueprint)
    app.register_blueprint(styleguide.blueprint)
    app.register_blueprint(home.home)
    app.register_blueprint(navigation.more)
    for views in parts("views"):
        app.register_blueprint(views.blueprint)
    api.mount(app, csrf)
    return app
