"""What devices report is recorded once; what people ask of a device leaves through the outbox (H1).

Batches come from the worker: every function writes into the one transaction it is given.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, cast

import msgspec
from sqlalchemy import Table, bindparam, update
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite
from sqlalchemy.orm import Session

from mqtt.contract.codec import encode
from mqtt.contract.messages import (
    Acknowledge,
    AlarmFeedback,
    Boot,
    Command,
    Event,
    OpenCompartment,
    SetThreshold,
    Status,
    Unlock,
)
from mqtt.contract.telemetry import DeviceKind
from mqtt.contract.topics import DeviceAddress
from portal.core import audit, outbox
from portal.core.errors import ConflictError
from portal.core.i18n import lazy
from portal.core.outbox import Outgoing, new_transaction
from portal.core.permissions import Actor, Permission, require
from portal.devices import faults
from portal.devices.cache import DeviceCache
from portal.devices.models import Device, DeviceEvent

COMMANDS_OF: Final[dict[DeviceKind, tuple[type[Command], ...]]] = {
    DeviceKind.DOOR_LOCK: (Unlock,),
    DeviceKind.PARCEL_LOCKER: (OpenCompartment,),
    DeviceKind.ALARM_BUTTON: (AlarmFeedback,),
    DeviceKind.THERMOMETER: (SetThreshold,),
}
"""What each kind of device can be asked to do by a person."""

ACKNOWLEDGED_AT_ONCE: Final = 100
"""Events that one acknowledgement may name (the contract's limit)."""

_devices = cast(Table, Device.__table__)
_events = cast(Table, DeviceEvent.__table__)


@dataclass(frozen=True, slots=True)
class ReceivedEvent:
    """An event other than a scan, and the device that sent it."""

    address: DeviceAddress
    event: Event
    received_at: datetime


@dataclass(frozen=True, slots=True)
class ReceivedStatus:
    """What a status topic says about a device."""

    address: DeviceAddress
    status: Status
    at: datetime


@dataclass(frozen=True, slots=True)
class CommandAnswer:
    """A device's answer to a command; ``name`` is the command's."""

    address: DeviceAddress
    name: str
    transaction: str
    ok: bool
    reason: str
    at: datetime


def record_events(
    session: Session, events: Sequence[ReceivedEvent], cache: DeviceCache
) -> list[ReceivedEvent]:
    """Write events down; one that is there already changes nothing.

    Returns:
        Those whose device is not enrolled; nothing is written for them.
    """
    known = cache.find(session, (e.address for e in events))
    rows = [
        {
            "device_id": known[e.address].id,
            "event_id": e.event.id,
            "kind": e.event.NAME,
            "at": e.event.at,
            "received_at": e.received_at,
            "body": _body(e.event),
        }
        for e in events
        if e.address in known
    ]
    if rows:
        insert = insert_sqlite if session.get_bind().dialect.name == "sqlite" else insert_postgresql
        session.connection().execute(
            insert(_events).on_conflict_do_nothing(index_elements=["device_id", "event_id"]), rows
        )
    booted = [
        {"device": known[e.address].id, "version": e.event.firmware}
        for e in events
        if isinstance(e.event, Boot) and e.address in known
    ]
    if booted:
        session.connection().execute(
            update(_devices)
            .where(_devices.c.id == bindparam("device"))
            .values(firmware=bindparam("version")),
            booted,
        )
    faults.note_events(session, [(known[e.address], e.event) for e in events if e.address in known])
    return [e for e in events if e.address not in known]


def record_status(
    session: Session, statuses: Sequence[ReceivedStatus], cache: DeviceCache
) -> list[ReceivedStatus]:
    """Note which devices are online; ``status_at`` is when that last changed.

    Returns:
        Those whose device is not enrolled.
    """
    known = cache.find(session, (s.address for s in statuses))
    rows = [
        {"device": known[s.address].id, "is_on": s.status is Status.ONLINE, "moment": s.at}
        for s in statuses
        if s.address in known
    ]
    if rows:
        session.connection().execute(
            update(_devices)
            .where(
                _devices.c.id == bindparam("device"),
                (_devices.c.online != bindparam("is_on")) | _devices.c.status_at.is_(None),
            )
            .values(online=bindparam("is_on"), status_at=bindparam("moment")),
            rows,
        )
        faults.note_status(
            session,
            [
                (known[s.address], s.status is Status.ONLINE, s.at)
                for s in statuses
                if s.address in known
            ],
        )
    return [s for s in statuses if s.address not in known]


def record_results(session: Session, results: Sequence[CommandAnswer]) -> None:
    """Settle commands by what their own device answered; only the first answer counts."""
    outbox.settle_many(
        session,
        [
            outbox.Settlement(r.transaction, r.address, ok=r.ok, reason=r.reason, at=r.at)
            for r in results
        ],
    )


def record_result(session: Session, result: CommandAnswer) -> None:
    """Settle one command, see :func:`record_results`."""
    record_results(session, [result])


def acknowledgement(
    address: DeviceAddress, events: Sequence[str], now: datetime, expires_at: datetime
) -> Outgoing:
    """Tell a device that these events are committed. Needs no outbox row: it would only be repeated."""
    message = Acknowledge(
        transaction=new_transaction(),
        at=now,
        expires_at=expires_at,
        events=tuple(events[:ACKNOWLEDGED_AT_ONCE]),
    )
    return Outgoing(message.transaction, address.command(message.NAME), encode(message), expires_at)


def address_of(device: Device) -> DeviceAddress:
    """Where a device lives on the broker."""
    return DeviceAddress(device.community.key or "", device.key)


def command(
    session: Session, actor: Actor, device: Device, message: Command, now: datetime
) -> Outgoing:
    """Ask a device to do something: permission, audit and outbox in this transaction.

    Raises:
        NotFoundError: the actor has nothing to do with the device's community.
        ForbiddenError: the actor's role is too weak.
        ConflictError: the device is retired or of another kind.
    """
    path = device.community.path
    require(actor, Permission.DEVICE_COMMAND, path)
    if device.retired_at is not None:
        raise ConflictError("device_retired", lazy("This device is no longer in use."))
    if not isinstance(message, COMMANDS_OF[DeviceKind(device.kind)]):
        raise ConflictError("wrong_device_kind", lazy("This device cannot do that."))
    outgoing = outbox.enqueue(session, address_of(device), message, now)
    audit.record(
        session,
        actor,
        "device.command",
        ("device", device.id),
        path=path,
        command=message.NAME,
        transaction=message.transaction,
    )
    return outgoing


def _body(event: Event) -> Mapping[str, Any]:
    body: dict[str, Any] = msgspec.to_builtins(event)
    return {name: value for name, value in body.items() if name not in ("id", "at")}
