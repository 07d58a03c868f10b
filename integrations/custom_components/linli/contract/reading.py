# Generated from mqtt/contract by `linli contract generate`, do not edit.
"""Reading fields of a JSON object: each reader checks one shape and returns a typed value."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime

from .errors import Fault, MessageError


def _wrong(field: str) -> MessageError:
    return MessageError(Fault.SHAPE, field)


def text(
    data: Mapping[str, object],
    field: str,
    *,
    pattern: str = "",
    low: int = 0,
    high: int | None = None,
    words: tuple[str, ...] = (),
    default: str | None = None,
) -> str:
    """A text of ``low`` to ``high`` characters, matching ``pattern``, one of ``words``."""
    value = data.get(field, default)
    if (
        not isinstance(value, str)
        or len(value) < low
        or (high is not None and len(value) > high)
        or (pattern and not re.search(pattern, value))
        or (words and value not in words)
    ):
        raise _wrong(field)
    return value


def number(
    data: Mapping[str, object],
    field: str,
    *,
    low: float = -math.inf,
    high: float = math.inf,
    default: float | None = None,
) -> float:
    """A finite number between ``low`` and ``high``."""
    value = data.get(field, default)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _wrong(field)
    if not low <= value <= high or not math.isfinite(value):
        raise _wrong(field)
    return float(value)


def whole(
    data: Mapping[str, object],
    field: str,
    *,
    low: float = -math.inf,
    high: float = math.inf,
    default: int | None = None,
) -> int:
    """A whole number between ``low`` and ``high``."""
    value = data.get(field, default)
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise _wrong(field)
    return value


def flag(data: Mapping[str, object], field: str, *, default: bool | None = None) -> bool:
    """True or false."""
    value = data.get(field, default)
    if not isinstance(value, bool):
        raise _wrong(field)
    return value


def moment(data: Mapping[str, object], field: str) -> datetime:
    """An aware point in time, RFC 3339."""
    value = data.get(field)
    if not isinstance(value, str):
        raise _wrong(field)
    try:
        parsed = datetime.fromisoformat(value)
    except ValueError as error:
        raise _wrong(field) from error
    if parsed.tzinfo is None:
        raise _wrong(field)
    try:
        return parsed.astimezone(UTC)
    except OverflowError as error:
        raise _wrong(field) from error


def texts(
    data: Mapping[str, object], field: str, *, pattern: str = "", low: int = 0, high: int = 1000
) -> tuple[str, ...]:
    """A list of ``low`` to ``high`` texts, each matching ``pattern``."""
    value = data.get(field)
    if not isinstance(value, list) or not low <= len(value) <= high:
        raise _wrong(field)
    return tuple(text({field: item}, field, pattern=pattern) for item in value)
