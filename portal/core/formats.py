"""Moments, days, numbers and measures as people read them, in the language and time zone of the page.

The one place where pages turn values into text. Patterns are CLDR's (Unicode TR 35), without seconds and
era, with 24 hours in both languages because gates and logs speak so.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any, Final

from flask import Flask
from flask_babel import (
    format_date,
    format_datetime,
    format_decimal,
    format_percent,
    format_timedelta,
    to_user_timezone,
)
from markupsafe import Markup

from portal.core.i18n import get_locale

_PATTERNS: Final = {
    "en": {
        "moment": "d MMM y, HH:mm",
        "moment_seconds": "d MMM, HH:mm:ss",
        "clock": "HH:mm",
        "day": "d MMM y",
        "month_day": "d MMM",
    },
    "zh_Hans_CN": {
        "moment": "y年M月d日 HH:mm",
        "moment_seconds": "M月d日 HH:mm:ss",
        "clock": "HH:mm",
        "day": "y年M月d日",
        "month_day": "M月d日",
    },
}


def _pattern(name: str) -> str:
    return _PATTERNS.get(str(get_locale()), _PATTERNS["en"])[name]


def moment(value: datetime | None) -> str:
    """Day and time."""
    return "" if value is None else str(format_datetime(value, _pattern("moment")))


def moment_seconds(value: datetime | None) -> str:
    """A recent moment to the second, without the year."""
    return "" if value is None else str(format_datetime(value, _pattern("moment_seconds")))


def clock(value: datetime | None) -> str:
    """The time of day."""
    return "" if value is None else str(format_datetime(value, _pattern("clock")))


def day(value: datetime | date | None) -> str:
    """A day with its year."""
    return "" if value is None else str(format_date(value, _pattern("day")))


def month_day(value: datetime | date | None) -> str:
    """A day of this year."""
    return "" if value is None else str(format_date(value, _pattern("month_day")))


def period(start: datetime, end: datetime) -> Markup:
    """From when until when; the day stands once when both are on the same. Breaks at the dash only."""
    same = to_user_timezone(start).date() == to_user_timezone(end).date()
    pattern = Markup('<span class="whole">{} –</span> <span class="whole">{}</span>')
    return pattern.format(moment(start), clock(end) if same else moment(end))


def ago(value: datetime, now: datetime) -> str:
    """How long something has lasted, in its largest unit: ``3 hours``."""
    return str(format_timedelta(max(now - value, timedelta(minutes=1)), granularity="minute"))


def number(value: float | None, digits: int | None = None) -> str:
    """A number with the language's separators; ``digits`` after the point, or as many as it has up to three."""
    if value is None:
        return ""
    if digits is None:
        return str(format_decimal(value))
    return str(format_decimal(value, "#,##0" + ("." + "0" * digits if digits else "")))


def percent(value: float | None) -> str:
    """A share of one, in whole percent."""
    return "" if value is None else str(format_percent(value))


def measure(value: float | None, unit: str, digits: int | None = None) -> str:
    """A number and its unit, if it has one: ``36.5 °C``."""
    return "" if value is None else f"{number(value, digits)} {unit}".rstrip()


FILTERS: Final[dict[str, Any]] = {
    "moment": moment,
    "moment_seconds": moment_seconds,
    "clock": clock,
    "day": day,
    "month_day": month_day,
    "period": period,
    "ago": ago,
    "number": number,
    "percent": percent,
    "measure": measure,
}


def install(app: Flask) -> None:
    """Register the filters."""
    app.jinja_env.filters.update(FILTERS)
