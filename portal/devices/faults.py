"""What is wrong with devices: noted from what they say, looked after by staff (H1).

States as drawn in :mod:`portal.devices.models`. A device that is away, an open case, a door held open and
a low battery end by themselves when the device says so; a forced door has happened and waits for somebody.
Noting the same event twice changes nothing: a fault begins at its event's time, once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final, cast

from sqlalchemy import (
    ColumnElement,
    Select,
    String,
    Table,
    bindparam,
    exists,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, joinedload

from mqtt.contract.messages import Alarm, Door, Event, Tamper
from portal.core import audit
from portal.core.db import Moment, won
from portal.core.errors import ConflictError
from portal.core.i18n import lazy
from portal.core.permissions import Actor, Permission, found, require
from portal.core.work import UNDO_WINDOW
from portal.devices.cache import KnownDevice
from portal.devices.models import Device, DeviceFault, FaultKind
from portal.regions.directory import within
from portal.regions.models import Region

OFFLINE_AFTER: Final = timedelta(minutes=10)
"""A device that restarts, or a router, takes a few minutes: only then is it worth somebody's way."""
LOW_BATTERY: Final = 15.0
"""Percent; the battery counts as good again from :data:`GOOD_BATTERY`."""
GOOD_BATTERY: Final = 25.0
SEEN_BY_EYE: Final = (FaultKind.TAMPER, FaultKind.HELD_OPEN, FaultKind.FORCED)
"""What somebody who goes there can declare over; the others end when the device says so."""

_devices = cast(Table, Device.__table__)
_faults = cast(Table, DeviceFault.__table__)


class Verdict(StrEnum):
    """What somebody made of a fault."""

    ACKNOWLEDGED = "acknowledge"
    RESOLVED = "resolve"


# --- what devices say ------------------------------------------------------------------------


def note_events(session: Session, events: Iterable[tuple[KnownDevice, Event]]) -> None:
    """Begin and end faults by events, in their order."""
    for device, event in events:
        match event:
            case Door(state="forced"):
                _begin(session, device, FaultKind.FORCED, event.at)
            case Door(state="held_open"):
                _begin(session, device, FaultKind.HELD_OPEN, event.at)
            case Door(state="closed"):
                _end(session, device, FaultKind.HELD_OPEN, event.at)
            case Tamper(active=True):
                _begin(session, device, FaultKind.TAMPER, event.at)
            case Tamper(active=False):
                _end(session, device, FaultKind.TAMPER, event.at)
            case Alarm(battery=float(percent)):
                if percent < LOW_BATTERY:
                    _begin(session, device, FaultKind.BATTERY, event.at)
                elif percent >= GOOD_BATTERY:
                    _end(session, device, FaultKind.BATTERY, event.at)
            case _:
                pass


def note_status(session: Session, said: Sequence[tuple[KnownDevice, bool, datetime]]) -> None:
    """Begin and end ``offline`` by what the broker says last of each device: (device, online, when)."""
    for device, online, at in {one[0].id: one for one in said}.values():
        if online:
            _end(session, device, FaultKind.OFFLINE, at)
        else:
            _begin(session, device, FaultKind.OFFLINE, at)


_KNOWN: Final = exists().where(
    _faults.c.device_id == bindparam("of_device"),
    _faults.c.kind == bindparam("fault"),
    _faults.c.since >= bindparam("moment"),
)
_BEGIN: Final = select(
    _devices.c.id,
    _devices.c.community_id,
    bindparam("fault", type_=String),
    bindparam("moment", type_=Moment),
).where(_devices.c.id == bindparam("of_device"), _devices.c.retired_at.is_(None), ~_KNOWN)
_COLUMNS: Final = ["device_id", "community_id", "kind", "since"]
_INSERTS: Final[dict[bool, Any]] = {
    True: insert_sqlite(_faults).from_select(_COLUMNS, _BEGIN).on_conflict_do_nothing(),
    False: insert_postgresql(_faults).from_select(_COLUMNS, _BEGIN).on_conflict_do_nothing(),
}
_END: Final = (
    update(_faults)
    .where(
        _faults.c.device_id == bindparam("of_device"),
        _faults.c.kind == bindparam("fault"),
        _faults.c.since <= bindparam("moment"),
        _faults.c.ended_at.is_(None),
    )
    .values(ended_at=bindparam("moment"))
)


def _begin(session: Session, device: KnownDevice, kind: FaultKind, at: datetime) -> None:
    statement = _INSERTS[session.get_bind().dialect.name == "sqlite"]
    session.connection().execute(
        statement, {"of_device": device.id, "fault": kind.value, "moment": at}
    )


def _end(session: Session, device: KnownDevice, kind: FaultKind, at: datetime) -> None:
    session.connection().execute(_END, {"of_device": device.id, "fault": kind.value, "moment": at})


# --- what staff see and do -------------------------------------------------------------------


def _waiting(actor: Actor, now: datetime, *columns: Any) -> Select[Any]:
    long_enough = or_(
        DeviceFault.kind != FaultKind.OFFLINE, DeviceFault.since <= now - OFFLINE_AFTER
    )
    return (
        select(*columns)
        .select_from(DeviceFault)
        .join(Region, Region.id == DeviceFault.community_id)
        .join(Device, Device.id == DeviceFault.device_id)
        .where(
            within(actor.paths(Permission.DEVICE_TEND)),
            DeviceFault.ended_at.is_(None),
            DeviceFault.verdict == "",
            Device.retired_at.is_(None),
            long_enough,
        )
    )


def waiting(session: Session, actor: Actor, now: datetime, limit: int) -> Sequence[DeviceFault]:
    """Faults that nobody has looked at, longest first, with their devices."""
    return session.scalars(
        _waiting(actor, now, DeviceFault)
        .options(joinedload(DeviceFault.device).joinedload(Device.building))
        .order_by(DeviceFault.since, DeviceFault.id)
        .limit(limit)
    ).all()


def count(session: Session, actor: Actor, now: datetime) -> int:
    """How many there are."""
    return session.scalar(_waiting(actor, now, func.count(DeviceFault.id))) or 0


def load(session: Session, actor: Actor, fault_id: int) -> DeviceFault:
    """One fault.

    Raises:
        NotFoundError, ForbiddenError: see :func:`portal.core.permissions.require`.
    """
    device = joinedload(DeviceFault.device)
    row = found(
        session.get(
            DeviceFault,
            fault_id,
            options=[device.joinedload(Device.community), device.joinedload(Device.building)],
        )
    )
    require(actor, Permission.DEVICE_TEND, row.device.community.path)
    return row


def decide(
    session: Session, actor: Actor, fault_id: int, verdict: Verdict, note: str, now: datetime
) -> None:
    """Say what was made of a fault; ``resolve`` ends it.

    Raises:
        NotFoundError, ForbiddenError: see :func:`load`.
        ConflictError: it is over or looked after already, or only the device can end it.
    """
    row = load(session, actor, fault_id)
    if verdict is Verdict.RESOLVED and row.kind not in SEEN_BY_EYE:
        raise ConflictError(
            "device_ends_it",
            lazy("This fault ends when the device says so. Acknowledge it instead."),
        )
    values: dict[str, Any] = {
        "verdict": verdict.value,
        "note": note.strip(),
        "decided_at": now,
        "decided_by": actor.user_id,
    }
    if verdict is Verdict.RESOLVED:
        values["ended_at"] = now
    changed = _change(
        session, DeviceFault.id == fault_id, DeviceFault.verdict == "", open_only=True, **values
    )
    if not changed:
        raise ConflictError(
            "already_decided", lazy("This fault is over, or somebody is looking after it already.")
        )
    _told(session, actor, row, f"device_fault.{verdict.value}", fault=row.kind)


def undo(session: Session, actor: Actor, fault_id: int, now: datetime) -> None:
    """Let a fault wait again.

    Raises:
        NotFoundError, ForbiddenError: see :func:`load`.
        ConflictError: ``undo_late``, ``changed`` when the device has said something new since.
    """
    row = load(session, actor, fault_id)
    if row.decided_at is None or now - row.decided_at > UNDO_WINDOW:
        raise ConflictError("undo_late", lazy("It is too late to take this back."))
    over: ColumnElement[bool] = DeviceFault.ended_at.is_(None)
    if row.verdict == Verdict.RESOLVED:
        over = DeviceFault.ended_at == row.decided_at
    try:
        changed = _change(
            session,
            DeviceFault.id == fault_id,
            DeviceFault.decided_by == actor.user_id,
            DeviceFault.verdict == row.verdict,
            over,
            open_only=False,
            verdict="",
            note="",
            decided_at=None,
            decided_by=None,
            ended_at=None,
        )
    except IntegrityError:  # the device has said it again: that one waits
        changed = False
    if not changed:
        raise ConflictError(
            "changed", lazy("The device has said something new since. Nothing is to be taken back.")
        )
    _told(session, actor, row, "device_fault.undo", fault=row.kind)


def _change(session: Session, *which: Any, open_only: bool, **values: Any) -> bool:
    statement = update(DeviceFault).where(*which).values(**values)
    if open_only:
        statement = statement.where(DeviceFault.ended_at.is_(None))
    return won(session, statement)


def _told(session: Session, actor: Actor, row: DeviceFault, action: str, **detail: Any) -> None:
    path = row.device.community.path
    audit.record(session, actor, action, ("device", row.device_id), path=path, **detail)
    session.refresh(row)
