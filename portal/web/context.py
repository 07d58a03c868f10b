"""What every template may use: the actor, the languages, addresses of pages, moments and identifiers as shown."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from flask import Flask, request, url_for
from flask_babel import format_date, format_datetime
from markupsafe import Markup

from portal.core.actors import current_actor
from portal.core.i18n import LANGUAGES, get_locale
from portal.core.identifiers import mask_id, mask_name, mask_phone
from portal.web.navigation import entries_for


def page_url(number: int) -> str:
    """The address at hand with another page number."""
    values: dict[str, Any] = {**request.args, **(request.view_args or {}), "page": number}
    return url_for(request.endpoint or "start.index", **values)


def return_path() -> str:
    """Where to come back to after changing the language: this page if it can be opened again."""
    if request.method != "GET" or request.endpoint is None or request.routing_exception:
        return ""
    return request.full_path.rstrip("?")


def moment(value: datetime | None) -> str:
    """A moment as people read it, in the time zone of the installation."""
    return "" if value is None else str(format_datetime(value, "yyyy-MM-dd HH:mm"))


def day(value: datetime | date | None) -> str:
    """A day as people read it."""
    return "" if value is None else str(format_date(value, "yyyy-MM-dd"))


def moment_seconds(value: datetime | None) -> str:
    """A recent moment to the second, without the year."""
    return "" if value is None else str(format_datetime(value, "MM-dd HH:mm:ss"))


def period(start: datetime, end: datetime) -> Markup:
    """From when until when; the day stands once when both are on the same. Breaks at the dash only."""
    first, last = moment(start), moment(end)
    if first[:10] == last[:10]:
        last = last[11:]
    pattern = Markup('<span class="whole">{} –</span> <span class="whole">{}</span>')
    return pattern.format(first, last)


def install(app: Flask) -> None:
    """Register globals, filters and the context of the layout."""
    app.jinja_env.globals["page_url"] = page_url
    app.jinja_env.filters.update(
        moment=moment,
        moment_seconds=moment_seconds,
        period=period,
        day=day,
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
            "return_path": return_path(),
        }
