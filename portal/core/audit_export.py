"""Reading the audit: filters, pages by id, and export as CSV or JSON lines. Each export is audited itself."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import Select, false, or_, select
from sqlalchemy.orm import Session

from portal.core import audit
from portal.core.audit import AuditEntry
from portal.core.permissions import Actor

COLUMNS: Final = (
    "id",
    "at",
    "actor",
    "action",
    "object_type",
    "object_id",
    "region_path",
    "result",
    "detail",
)
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True)
class Filter:
    """What is asked for; empty fields ask for all.

    Args:
        paths: subtrees that the reader may see; ``None``: everything, with what belongs to no region.
        action: a whole action, or the part before its dot.
        object_type, object_id: the object; an id needs a type.
        until: exclusive.
    """

    paths: tuple[str, ...] | None = None
    user_id: int | None = None
    actor: str = ""
    action: str = ""
    object_type: str = ""
    object_id: str = ""
    region_path: str = ""
    result: str = ""
    since: datetime | None = None
    until: datetime | None = None


def day_begins(day: datetime | None, zone: ZoneInfo) -> datetime | None:
    """Midnight at the beginning of a day as typed (naive)."""
    return day.replace(tzinfo=zone) if day else None


def day_ends(day: datetime | None, zone: ZoneInfo) -> datetime | None:
    """Midnight after it."""
    return (day + timedelta(days=1)).replace(tzinfo=zone) if day else None


def statement(wanted: Filter) -> Select[Any]:
    """The entries that fit, in no order yet."""
    query = select(AuditEntry)
    if wanted.paths is not None:
        query = query.where(
            or_(
                false(),
                *(AuditEntry.region_path.startswith(p, autoescape=True) for p in wanted.paths),
            )
        )
    if wanted.user_id is not None:
        query = query.where(AuditEntry.user_id == wanted.user_id)
    if wanted.actor:
        query = query.where(AuditEntry.actor == wanted.actor)
    if wanted.action:
        query = query.where(
            or_(
                AuditEntry.action == wanted.action,
                AuditEntry.action.startswith(wanted.action.rstrip(".") + ".", autoescape=True),
            )
        )
    if wanted.object_type:
        query = query.where(AuditEntry.object_type == wanted.object_type)
        if wanted.object_id:
            query = query.where(AuditEntry.object_id == wanted.object_id)
    if wanted.region_path:
        query = query.where(AuditEntry.region_path.startswith(wanted.region_path, autoescape=True))
    if wanted.result:
        query = query.where(AuditEntry.result == wanted.result)
    if wanted.since is not None:
        query = query.where(AuditEntry.at >= wanted.since)
    if wanted.until is not None:
        query = query.where(AuditEntry.at < wanted.until)
    return query


def newest(session: Session, wanted: Filter, *, before: int, limit: int) -> list[AuditEntry]:
    """A page, newest first; ``before`` is the id that the page before ended with, 0 for the first."""
    query = statement(wanted).order_by(AuditEntry.id.desc()).limit(limit)
    if before:
        query = query.where(AuditEntry.id < before)
    return list(session.scalars(query))


def lines(session: Session, wanted: Filter, kind: str) -> Iterator[str]:
    """The entries as text, oldest first, read a thousand at a time. ``kind``: ``csv`` or ``jsonl``."""
    if kind == "csv":
        yield _csv(COLUMNS)
    rows = session.scalars(
        statement(wanted).order_by(AuditEntry.id).execution_options(yield_per=1000)
    )
    for entry in rows:
        values = {name: getattr(entry, name) for name in COLUMNS}
        values["at"] = entry.at.isoformat()
        if kind == "csv":
            values["detail"] = json.dumps(entry.detail, ensure_ascii=False, sort_keys=True)
            yield _csv(values.values())
        else:
            yield json.dumps(values, ensure_ascii=False) + "\n"


def note(session: Session, actor: Actor, wanted: Filter, kind: str) -> None:
    """Write down who exported what; the filter without moments' fractions, no contents."""
    audit.record(
        session,
        actor,
        "audit.export",
        ("audit", kind),
        since=wanted.since.isoformat() if wanted.since else None,
        until=wanted.until.isoformat() if wanted.until else None,
        of_action=wanted.action,
        of_user=wanted.user_id,
    )


def _csv(values: Any) -> str:
    line = io.StringIO()
    csv.writer(line).writerow([_plain(value) for value in values])
    return line.getvalue()


def _plain(value: object) -> str:
    """No cell begins like a formula."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text
