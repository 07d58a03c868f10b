"""The Flask application: features joined together, nothing else.

Each feature that has pages offers ``blueprint`` in its ``views`` module, each that has an API offers
``blueprint`` (flask-smorest) in its ``api`` module.
"""

from __future__ import annotations

from flask import Flask

from portal import config as configuration
from portal.core.db import Database
from portal.core.i18n import Babel, choose_language
from portal.services import EXTENSION, Services


def create_app(services: Services | None = None) -> Flask:
    """Build the application.

    Args:
        services: what to work with; read from the environment when not given.
    """
    if services is None:
        config, _ = configuration.load()
        services = Services(config=config, db=Database(config.effective_database_url))
    app = Flask("portal", template_folder="web/templates", static_folder="web/static")
    app.extensions[EXTENSION] = services
    app.config["BABEL_DEFAULT_LOCALE"] = services.config.language
    app.config["BABEL_DEFAULT_TIMEZONE"] = services.config.timezone
    Babel(app, locale_selector=choose_language)
    return app
