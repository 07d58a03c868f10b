"""Watching buttons that nobody presses: silent ones, weak batteries, overdue tests (technical alarms).

Run by the worker every minute over all buttons that are worn. States are drawn in
:class:`portal.telecare.alarm_models.DeviceTrouble`.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import CursorResult, Select, func, select, update
from sqlalchemy.orm import Session, joinedload

from portal.core import audit
from portal.core.errors import ConflictError
from portal.core.i18n import lazy
from portal.core.permissions import Actor, Permission, found, require
from portal.devices.models import Device
from portal.regions.directory import within
from portal.regions.models import Dwelling, Region, Unit
from portal.residents.models import Residency, Resident
from portal.telecare.alarm_models import DeviceTrouble, Trouble
from portal.telecare.models import Wearer
from portal.telecare.thresholds import Settings, settings_of

AGAIN_AFTER: Final = timedelta(days=1)
"""Trouble that somebody took in hand is shown again after this long, if it is still there."""
WATCHED: Final = (Trouble.SILENT, Trouble.BATTERY, Trouble.TEST_DUE)
"""Kinds that end by themselves when their cause is gone; a phantom press is ended by whoever asked."""


def open_trouble(
    session: Session, device: Device, kind: Trouble, now: datetime, wearer: Wearer | None
) -> None:
    """Note trouble, unless it is known already."""
    key = f"{device.id}:{kind}"
    known = select(DeviceTrouble.id).where(DeviceTrouble.open_key == key)
    if session.scalar(known) is None:
        session.add(
            DeviceTrouble(
                community_id=device.community_id,
                device_id=device.id,
                wearer_id=wearer.id if wearer else None,
                kind=kind,
                open_key=key,
                since=now,
            )
        )
        session.flush()


def watch(session: Session, now: datetime) -> None:
    """Open and clear trouble of every button that is worn."""
    settings: dict[int, Settings] = {}
    wearers = session.scalars(
        select(Wearer)
        .where(Wearer.device_id.is_not(None), Wearer.ended_at.is_(None))
        .options(joinedload(Wearer.device))
    ).all()
    known = {
        trouble.open_key: trouble
        for trouble in session.scalars(
            select(DeviceTrouble).where(DeviceTrouble.open_key.is_not(None))
        )
    }
    present = set()
    for wearer in wearers:
        place = wearer.community_id
        if place not in settings:
            settings[place] = settings_of(session, place)
        device = wearer.device
        if device is None:
            continue
        for kind in troubles_of(wearer, device, settings[place], now):
            key = f"{device.id}:{kind}"
            present.add(key)
            if key not in known:
                open_trouble(session, device, kind, now, wearer)
    for trouble in known.values():
        if trouble.kind in WATCHED and trouble.open_key not in present:
            _clear(session, trouble.id, now)


def troubles_of(
    wearer: Wearer, device: Device, settings: Settings, now: datetime
) -> Iterator[Trouble]:
    """What is wrong with a button now.

    Silence is the broker's last will: it speaks within one and a half keep-alives of the device.
    """
    since = device.status_at or max(device.enrolled_at, wearer.created_at)
    if not device.online and now - since > timedelta(minutes=settings.silent_minutes):
        yield Trouble.SILENT
    if wearer.battery is not None and wearer.battery <= settings.low_battery_percent:
        yield Trouble.BATTERY
    proven = wearer.proven_at or wearer.created_at
    if now - proven > timedelta(days=settings.test_days):
        yield Trouble.TEST_DUE


def worn_buttons(session: Session) -> list[tuple[int, str, str]]:
    """Wearer, community key and device key of every worn button."""
    rows = session.execute(
        select(Wearer.id, Region.key, Device.key)
        .join(Device, Device.id == Wearer.device_id)
        .join(Region, Region.id == Device.community_id)
        .where(Wearer.ended_at.is_(None), Device.retired_at.is_(None), Region.key.is_not(None))
    )
    return [(wearer_id, community or "", device) for wearer_id, community, device in rows]


def note_battery(session: Session, wearer_id: int, percent: float, at: datetime) -> None:
    """What telemetry says of a battery; older news changes nothing."""
    session.execute(
        update(Wearer)
        .where(Wearer.id == wearer_id, (Wearer.battery_at.is_(None)) | (Wearer.battery_at < at))
        .values(battery=percent, battery_at=at)
        .execution_options(synchronize_session=False)
    )


def handle(session: Session, actor: Actor, trouble_id: int, now: datetime) -> DeviceTrouble:
    """Take trouble in hand; it is out of the list until it is gone, or a day has passed.

    Raises:
        NotFoundError, ForbiddenError: see :func:`portal.core.permissions.require`.
        ConflictError: somebody was faster, or it is gone.
    """
    trouble = found(session.get(DeviceTrouble, trouble_id))
    require(actor, Permission.TELECARE_RESPOND, trouble.community.path)
    phantom = trouble.kind == Trouble.PHANTOM
    result = session.execute(
        update(DeviceTrouble)
        .where(
            DeviceTrouble.id == trouble_id,
            DeviceTrouble.cleared_at.is_(None),
            (DeviceTrouble.handled_at.is_(None)) | (DeviceTrouble.handled_at <= now - AGAIN_AFTER),
        )
        .values(
            handled_at=now,
            handled_by=actor.user_id,
            **({"cleared_at": now, "open_key": None} if phantom else {}),
        )
        .execution_options(synchronize_session=False)
    )
    assert isinstance(result, CursorResult)  # noqa: S101 - narrows the type for mypy
    if result.rowcount != 1:
        raise ConflictError(
            "handled", lazy("Somebody has taken this in hand already, or it is over.")
        )
    session.refresh(trouble)
    audit.record(
        session,
        actor,
        "trouble.handle",
        ("trouble", trouble_id),
        path=trouble.community.path,
        kind=trouble.kind,
    )
    return trouble


def _clear(session: Session, trouble_id: int, now: datetime) -> None:
    session.execute(
        update(DeviceTrouble)
        .where(DeviceTrouble.id == trouble_id, DeviceTrouble.cleared_at.is_(None))
        .values(cleared_at=now, open_key=None)
        .execution_options(synchronize_session=False)
    )


def waiting(session: Session, actor: Actor, now: datetime, limit: int = 200) -> list[DeviceTrouble]:
    """Technical alarms that wait for somebody, longest first."""
    return list(
        session.scalars(
            _waiting(actor, now, select(DeviceTrouble))
            .options(
                joinedload(DeviceTrouble.device),
                joinedload(DeviceTrouble.community),
                joinedload(DeviceTrouble.wearer)
                .joinedload(Wearer.resident)
                .selectinload(Resident.residencies)
                .joinedload(Residency.dwelling)
                .joinedload(Dwelling.unit)
                .joinedload(Unit.building),
            )
            .order_by(DeviceTrouble.since, DeviceTrouble.id)
            .limit(limit)
        ).unique()
    )


def count_waiting(session: Session, actor: Actor, now: datetime) -> int:
    """How many wait."""
    return session.scalar(_waiting(actor, now, select(func.count(DeviceTrouble.id)))) or 0


def _waiting(actor: Actor, now: datetime, statement: Select[Any]) -> Select[Any]:
    untaken = (DeviceTrouble.handled_at.is_(None)) | (DeviceTrouble.handled_at <= now - AGAIN_AFTER)
    return statement.join(Region, Region.id == DeviceTrouble.community_id).where(
        DeviceTrouble.cleared_at.is_(None), untaken, within(actor.paths(Permission.TELECARE_LIST))
    )
