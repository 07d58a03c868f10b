"""Reading lockers and parcels: a resident's own, what staff see, counts without any person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, case, func, select
from sqlalchemy.orm import Session, joinedload

from mqtt.contract.telemetry import DeviceKind
from portal.access.models import Gate
from portal.core.permissions import Actor, Permission
from portal.devices.models import Device
from portal.parcels.models import (
    SIZES,
    WAITING,
    Compartment,
    CompartmentState,
    Opening,
    Parcel,
    ParcelState,
    Place,
)
from portal.parcels.times import HISTORY, STAFF_AFTER
from portal.regions.directory import within
from portal.regions.models import Dwelling, Region, Unit

PAGE: Final = 50


def is_overdue(parcel: Parcel, now: datetime) -> bool:
    """Whether it waits longer than it should."""
    return parcel.state == ParcelState.STORED and parcel.due_at is not None and parcel.due_at <= now


def _loaded() -> tuple[Any, ...]:
    home = joinedload(Parcel.dwelling).joinedload(Dwelling.unit).joinedload(Unit.building)
    return (
        joinedload(Parcel.device),
        joinedload(Parcel.compartment),
        joinedload(Parcel.community),
        home,
    )


def waiting(session: Session, actor: Actor) -> Sequence[Parcel]:
    """What waits for this resident, the longest first."""
    if actor.resident_id is None:
        return []
    return session.scalars(
        select(Parcel)
        .options(*_loaded())
        .where(Parcel.resident_id == actor.resident_id, Parcel.state.in_(WAITING))
        .order_by(Parcel.stored_at)
        .limit(PAGE)
    ).all()


def history(session: Session, actor: Actor, now: datetime) -> Sequence[Parcel]:
    """What this resident has had, newest first."""
    return session.scalars(
        select(Parcel)
        .options(*_loaded())
        .where(
            Parcel.resident_id == actor.resident_id,
            Parcel.state.in_((ParcelState.FETCHED, ParcelState.RETURNED)),
            Parcel.stored_at.is_not(None),
            Parcel.ended_at > now - HISTORY,
        )
        .order_by(Parcel.ended_at.desc())
        .limit(PAGE)
    ).all()


def gates(session: Session, community_id: int) -> Sequence[Gate]:
    """Gates of the whole community at which a meal may wait."""
    return session.scalars(
        select(Gate)
        .join(Device, Gate.device_id == Device.id)
        .where(
            Gate.community_id == community_id,
            Device.retired_at.is_(None),
            Gate.building_id.is_(None),
        )
        .order_by(Gate.name)
    ).all()


@dataclass(slots=True)
class SizeCount:
    """Compartments of one size."""

    total: int = 0
    free: int = 0
    occupied: int = 0
    out_of_order: int = 0
    overdue: int = 0


@dataclass(slots=True)
class LockerCount:
    """A locker and what it holds."""

    device: Device
    sizes: dict[str, SizeCount] = field(
        default_factory=lambda: {str(size): SizeCount() for size in SIZES}
    )

    def sum(self, name: str) -> int:
        """Over all sizes."""
        return sum(getattr(one, name) for one in self.sizes.values())


def lockers(session: Session, actor: Actor, permission: Permission) -> list[LockerCount]:
    """Lockers in the actor's regions with their counts, by community and title."""
    devices = session.scalars(
        select(Device)
        .join(Region, Device.community_id == Region.id)
        .options(joinedload(Device.community))
        .where(
            Device.kind == DeviceKind.PARCEL_LOCKER,
            Device.retired_at.is_(None),
            within(actor.paths(permission)),
        )
        .order_by(Device.community_id, Device.title, Device.id)
    ).all()
    return list(counted(session, devices).values())


def counted(session: Session, devices: Sequence[Device]) -> dict[int, LockerCount]:
    """These lockers with their counts, by device."""
    counts = {device.id: LockerCount(device) for device in devices}
    rows = session.execute(
        select(Compartment.device_id, Compartment.size, Compartment.state, func.count())
        .where(Compartment.device_id.in_(counts))
        .group_by(Compartment.device_id, Compartment.size, Compartment.state)
    )
    for device_id, size, state, number in rows:
        one = counts[device_id].sizes[size]
        one.total += number
        if state == CompartmentState.FREE:
            one.free += number
        elif state == CompartmentState.OUT_OF_ORDER:
            one.out_of_order += number
        else:
            one.occupied += number
    return counts


def add_overdue(session: Session, counts: dict[int, LockerCount], now: datetime) -> None:
    """Count the parcels in these lockers that wait too long."""
    rows = session.execute(
        select(Parcel.device_id, Compartment.size, func.count())
        .join(Compartment, Parcel.compartment_id == Compartment.id)
        .where(
            Parcel.device_id.in_(counts),
            Parcel.state == ParcelState.STORED,
            Parcel.due_at <= now,
        )
        .group_by(Parcel.device_id, Compartment.size)
    )
    for device_id, size, number in rows:
        if device_id is not None:
            counts[device_id].sizes[size].overdue += number


@dataclass(frozen=True, slots=True)
class Box:
    """A compartment on the page of its locker, and the parcel in it."""

    compartment: Compartment
    parcel: Parcel | None
    overdue: bool


def boxes(session: Session, device_id: int, now: datetime) -> list[Box]:
    """The compartments of a locker by number."""
    compartments = session.scalars(
        select(Compartment).where(Compartment.device_id == device_id).order_by(Compartment.number)
    ).all()
    held = {
        parcel.compartment_id: parcel
        for parcel in session.scalars(
            select(Parcel)
            .options(*_loaded())
            .where(Parcel.compartment_id.in_([c.id for c in compartments]))
        )
    }
    return [
        Box(c, held.get(c.id), overdue=c.id in held and is_overdue(held[c.id], now))
        for c in compartments
    ]


def openings(session: Session, compartment_id: int, limit: int = 10) -> Sequence[Opening]:
    """How often a door was asked to open lately, newest first."""
    return session.scalars(
        select(Opening)
        .where(Opening.compartment_id == compartment_id)
        .order_by(Opening.id.desc())
        .limit(limit)
    ).all()


def parcels(
    session: Session, actor: Actor, show: str, now: datetime, *, before: int = 0
) -> Sequence[Parcel]:
    """Parcels for staff; one more than ``PAGE`` when there are more.

    Args:
        show: ``overdue`` the longest first, ``shelf``, or ``all`` that wait, newest first.
        before: only parcels with a smaller id.
    """
    which: dict[str, ColumnElement[bool]] = {
        "overdue": (Parcel.state == ParcelState.STORED) & (Parcel.due_at <= now),
        "shelf": (Parcel.state == ParcelState.STORED) & (Parcel.place == Place.SHELF),
        "all": Parcel.state.in_(WAITING),
    }
    statement = (
        select(Parcel)
        .join(Region, Parcel.community_id == Region.id)
        .options(*_loaded(), joinedload(Parcel.resident))
        .where(within(actor.paths(Permission.PARCEL_LIST)), which[show])
        .order_by(Parcel.id.desc())
        .limit(PAGE + 1)
    )
    if before:
        statement = statement.where(Parcel.id < before)
    return session.scalars(statement).all()


def faulty(actor: Actor) -> Any:
    """Compartments with a fault that staff have to look at, to be counted or listed."""
    return (
        select(Compartment)
        .join(Device, Compartment.device_id == Device.id)
        .join(Region, Device.community_id == Region.id)
        .where(
            Compartment.fault.not_in(("", "by_staff")),
            Device.retired_at.is_(None),
            within(actor.paths(Permission.PARCEL_LIST)),
        )
    )


def long_overdue(actor: Actor, now: datetime) -> Any:
    """Parcels that are a matter for staff, to be counted or listed."""
    return (
        select(Parcel)
        .join(Region, Parcel.community_id == Region.id)
        .where(
            Parcel.state == ParcelState.STORED,
            Parcel.due_at <= now - STAFF_AFTER,
            within(actor.paths(Permission.PARCEL_LIST)),
        )
    )


def totals(session: Session, actor: Actor, now: datetime) -> list[tuple[Region, dict[str, int]]]:
    """By community of the actor: parcels in lockers, on the shelf, overdue. No person is in it."""
    communities = session.scalars(
        select(Region)
        .where(Region.key.is_not(None), within(actor.paths(Permission.PARCEL_LIST)))
        .order_by(Region.code)
    ).all()
    counts = {region.id: {"in_lockers": 0, "on_shelf": 0, "overdue": 0} for region in communities}
    late = func.sum(case((Parcel.due_at <= now, 1), else_=0))
    rows = session.execute(
        select(Parcel.community_id, Parcel.place, func.count(), late)
        .where(Parcel.state.in_(WAITING), Parcel.community_id.in_(counts))
        .group_by(Parcel.community_id, Parcel.place)
    )
    for community_id, place, number, overdue in rows:
        mine = counts[community_id]
        mine["on_shelf" if place == Place.SHELF else "in_lockers"] += number
        mine["overdue"] += overdue
    return [(region, counts[region.id]) for region in communities]
