"""What every template may use: the actor, languages, display, addresses of pages, identifiers as shown."""

from __future__ import annotations

from typing import Any

from flask import Flask, request, url_for

from portal.core.actors import current_actor
from portal.core.i18n import LANGUAGES, get_locale
from portal.core.identifiers import mask_id, mask_name, mask_phone
from portal.core.permissions import Actor
from portal.core.protected import find_hash
from portal.web.display import Display, current_display
from portal.web.navigation import entries_for
from portal.web.shell import SURFACE


def page_url(number: int) -> str:
    """The address at hand with another page number."""
    values: dict[str, Any] = {**request.args, **(request.view_args or {}), "page": number}
    return url_for(request.endpoint or "start.index", **values)


def return_path() -> str:
    """Where to come back to after changing language or display: this page if it can be opened again."""
    if request.method != "GET" or request.endpoint is None or request.routing_exception:
        return ""
    return request.full_path.rstrip("?")


def holder_mark(actor: Actor) -> str:
    """Tells a phone that somebody else has signed in, and nothing else; empty for whoever is no resident."""
    if actor.resident_id is None:
        return ""
    return find_hash(str(actor.resident_id), "phone_holder")[:16]


def install(app: Flask) -> None:
    """Register globals, filters and the context of the layout."""
    app.jinja_env.globals["page_url"] = page_url
    app.jinja_env.filters.update(
        mask_name=mask_name,
        mask_phone=mask_phone,
        mask_id=mask_id,
    )
    asset: Any = app.jinja_env.globals["asset"]

    def look(language: str, display: Display) -> str:
        """What the pages that a phone keeps look like; when it changes, they are fetched anew."""
        return "|".join(
            (language, display.theme, display.text, asset("css/app.css"), asset("js/linli.js"))
        )

    @app.context_processor
    def layout() -> dict[str, Any]:
        actor = current_actor()
        language = str(get_locale() or app.config["BABEL_DEFAULT_LOCALE"])
        display = current_display()
        return {
            "actor": actor,
            "signed_in": actor.user_id is not None,
            "navigation": lambda: entries_for(actor),
            "language": language,
            "languages": LANGUAGES,
            "html_language": "en" if language == "en" else "zh-Hans-CN",
            "display": display,
            "bar_colours": tuple(SURFACE.items()),
            "phone_mark": holder_mark(actor),
            "look": look(language, display),
            "return_path": return_path(),
        }
