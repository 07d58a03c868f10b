"""The audit for its administrator: filtered, paged, exported. Reading it changes nothing but the audit."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from flask import Response, render_template, request, stream_with_context
from sqlalchemy import select

from portal.accounts.identity import sign_in_hash
from portal.accounts.models import User
from portal.accounts.pages import before, blueprint
from portal.core import audit_export
from portal.core.actors import current_actor, staff_required
from portal.core.audit import AuditEntry
from portal.core.audit_export import Filter
from portal.core.i18n import lazy
from portal.core.permissions import Actor, Permission, require_somewhere
from portal.regions.models import Region
from portal.services import current_services

PAGE: Final = 50
ACTIONS: Final = {
    "": lazy("Everything"),
    "sign_in": lazy("Sign-ins"),
    "account": lazy("Accounts"),
    "grant": lazy("Roles"),
    "resident": lazy("Residents"),
    "invitation": lazy("Visitors"),
    "device": lazy("Devices"),
    "door": lazy("Doors"),
    "token": lazy("Tokens"),
    "audit": lazy("Audit"),
}
"""Beginnings of actions that the page offers; any other may be typed into the address."""


def _paths(actor: Actor) -> tuple[str, ...] | None:
    """Subtrees that the actor reads. Whoever reads a root reads what belongs to no region as well."""
    paths = actor.paths(Permission.AUDIT_READ)
    return None if any(path.count("/") == 2 for path in paths) else paths


def _day(name: str) -> datetime | None:
    try:
        return datetime.strptime(request.args.get(name, "")[:10], "%Y-%m-%d")  # noqa: DTZ007 - a day of the region's calendar
    except ValueError:
        return None


def _text(name: str, longest: int) -> str:
    return request.args.get(name, "").strip()[:longest]


def _wanted(actor: Actor) -> Filter:
    """The filter that the address asks for, within what the actor reads."""
    services = current_services()
    zone = ZoneInfo(services.config.timezone)
    who = _text("actor", 80)
    user_id: int | None = None
    region_path = ""
    with services.db.read() as db:
        if who and ":" not in who and who not in {"system", "anonymous"}:
            user_id = db.scalar(select(User.id).where(User.sign_in_hash == sign_in_hash(who[:64])))
            user_id = user_id or -1
        region = _text("region", 16)
        if region:
            path = db.scalar(select(Region.path).where(Region.code == region))
            region_path = path or "?"
    return Filter(
        paths=_paths(actor),
        user_id=user_id,
        actor="" if user_id else who,
        action=_text("action", 64),
        object_type=_text("object_type", 32),
        object_id=_text("object_id", 64),
        region_path=region_path,
        result=_text("result", 16),
        since=audit_export.day_begins(_day("since"), zone),
        until=audit_export.day_ends(_day("until"), zone),
    )


@blueprint.get("/work/audit")
@staff_required
def audit_log() -> str:
    """Entries, newest first."""
    actor = current_actor()
    require_somewhere(actor, Permission.AUDIT_READ)
    wanted = _wanted(actor)
    with current_services().db.read() as db:
        rows = audit_export.newest(db, wanted, before=before(), limit=PAGE + 1)
        names = _names(db, rows)
    return render_template(
        "accounts/audit.html",
        rows=rows[:PAGE],
        more=len(rows) > PAGE,
        names=names,
        actions=list(ACTIONS.items()),
        asked=request.args,
    )


def _names(db: Any, rows: list[AuditEntry]) -> dict[int, str]:
    """User names of staff; residents have none."""
    ids = {row.user_id for row in rows if row.user_id is not None}
    found = db.execute(select(User.id, User.username).where(User.id.in_(ids)))
    return {row.id: row.username for row in found if row.username}


@blueprint.post("/work/audit/export")
@staff_required
def audit_file() -> Response:
    """The same as CSV, oldest first; who took it is written down before the first line leaves."""
    actor = current_actor()
    require_somewhere(actor, Permission.AUDIT_READ)
    wanted = _wanted(actor)
    services = current_services()
    with services.db.write() as db:
        audit_export.note(db, actor, wanted, "csv")

    def lines() -> Any:
        yield "\ufeff"  # so that spreadsheets read UTF-8
        with services.db.read() as db:
            yield from audit_export.lines(db, wanted, "csv")

    response = Response(stream_with_context(lines()), mimetype="text/csv")
    name = f"linli-audit-{services.clock():%Y%m%d-%H%M}.csv"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
