"""What every template may use: the actor, languages, display, addresses of pages, identifiers as shown."""

from __future__ import annotations

from typing import Any

from flask import Flask, request, url_for

from portal.core.actors import current_actor
from portal.core.i18n import LANGUAGES, get_locale
from portal.core.identifiers import mask_id, mask_name, mask_phone
from portal.web.display import current_display
from portal.web.navigation import entries_for


def page_url(number: int) -> str:
    """The address at hand with another page number."""
    values: dict[str, Any] = {**request.args, **(request.view_args or {}), "page": number}
    return url_for(request.endpoint or "start.index", **values)


def return_path() -> str:
    """Where to come back to after changing language or display: this page if it can be opened again."""
    if request.method != "GET" or request.endpoint is None or request.routing_exception:
        return ""
    return request.full_path.rstrip("?")


def install(app: Flask) -> None:
    """Register globals, filters and the context of the layout."""
    app.jinja_env.globals["page_url"] = page_url
    app.jinja_env.filters.update(
        mask_name=mask_name,
        mask_phone=mask_phone,
        mask_id=mask_id,
    )

    @app.context_processor
    def layout() -> dict[str, Any]:
        actor = current_actor()
        language = str(get_locale() or app.config["BABEL_DEFAULT_LOCALE"])
        return {
            "actor": actor,
            "signed_in": actor.user_id is not None,
            "navigation": entries_for(actor),
            "language": language,
            "languages": LANGUAGES,
            "html_language": "en" if language == "en" else "zh-Hans-CN",
            "display": current_display(),
            "return_path": return_path(),
        }
