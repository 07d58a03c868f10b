"""The portal as an app on a phone: manifest, service worker, and the page for when there is no network.

Nothing here is about anybody: a browser may keep all of it. The worker's script stands at the root, because a
worker answers for its own folder and below only (Service Workers, W3C, "scope").
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from flask import Blueprint, Response, current_app, jsonify, render_template, request, url_for
from flask_babel import force_locale

from portal.core.i18n import LANGUAGES, _, get_locale
from portal.web.assets import find

blueprint = Blueprint("shell", __name__)

PAPER: Final = {"light": "#f6f4ee", "dark": "#121715"}
SURFACE: Final = {"light": "#fffefb", "dark": "#1a211e"}
"""As ``--paper`` and ``--surface`` of front/css/parts/tokens.css have them."""
ICONS: Final = (
    ("img/icon-192.png", "192x192", "any"),
    ("img/icon-512.png", "512x512", "any"),
    ("img/icon-maskable-192.png", "192x192", "maskable"),
    ("img/icon-maskable-512.png", "512x512", "maskable"),
)
"""Drawn from img/linli.svg by ``python -m provisioning.icons``."""


@blueprint.get("/manifest.webmanifest")
def manifest() -> Response:
    """The web app manifest (W3C) in the language and colours that the page asks for.

    Browsers fetch it without cookies, so both stand in its address; nonsense there means the defaults.
    """
    language = request.args.get("language", "")
    theme = "dark" if request.args.get("theme") == "dark" else "light"
    with force_locale(language if language in LANGUAGES else str(get_locale())):
        response = jsonify(_described(theme))
    response.content_type = "application/manifest+json"
    response.headers["Cache-Control"] = "no-cache"
    return response


def _described(theme: str) -> dict[str, Any]:
    asset: Any = current_app.jinja_env.globals["asset"]
    shortcuts = (("passes.show", _("My pass")), ("visitors.new", _("Invite a visitor")))
    return {
        "id": "/",
        "name": _("Linli – your community"),
        "short_name": _("Linli"),
        "description": _("Your pass, your visitors and what is new in your community."),
        "lang": "en" if str(get_locale()) == "en" else "zh-Hans-CN",
        "dir": "ltr",
        "start_url": "/",
        "scope": "/",
        "display": "standalone",
        "background_color": PAPER[theme],
        "theme_color": SURFACE[theme],
        "icons": [
            {"src": asset(name), "sizes": sizes, "type": "image/png", "purpose": purpose}
            for name, sizes, purpose in ICONS
        ],
        "shortcuts": [
            {"name": name, "url": url_for(endpoint)}
            for endpoint, name in shortcuts
            if endpoint in current_app.view_functions
        ],
    }


@blueprint.get("/service-worker.js")
def worker() -> Response:
    """The service worker; browsers ask whether it is new each time."""
    folder = Path(current_app.static_folder or "")
    found = find(folder, "js/service-worker.js")
    response = Response((folder / found.name).read_bytes(), content_type="text/javascript")
    response.headers["Cache-Control"] = "no-cache"
    response.headers["Service-Worker-Allowed"] = "/"
    response.set_etag(found.version)
    response.make_conditional(request)
    return response


@blueprint.get("/offline")
def offline() -> str:
    """What the app shows in place of a page that it cannot fetch."""
    return render_template("offline.html", bare=True)
