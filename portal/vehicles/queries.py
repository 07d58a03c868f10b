"""Reading vehicles: a resident's own, the lists of staff, one by its plate."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session, joinedload, selectinload

from portal.core.paging import Page, paginate
from portal.core.permissions import Actor, Permission, found, not_found, require
from portal.core.protected import find_hash
from portal.core.work import UNDO_WINDOW
from portal.regions.directory import within
from portal.regions.models import Dwelling, Region, Unit
from portal.residents.models import Resident, ResidentState
from portal.vehicles.models import Vehicle, VehicleState

OWN: Final = 20
"""Vehicles on a resident's page, removed ones left out."""


class Verdict(StrEnum):
    """What a plate is worth at a barrier."""

    ALLOWED = "allowed"
    """A verified vehicle of somebody who lives there."""
    BY_HAND = "by_hand"
    """The same, but of a class for which no barrier opens by itself."""
    UNKNOWN = "unknown"


def _loaded() -> tuple[Any, ...]:
    return (
        joinedload(Vehicle.community),
        joinedload(Vehicle.dwelling).joinedload(Dwelling.unit).joinedload(Unit.building),
        joinedload(Vehicle.resident).selectinload(Resident.residencies),
    )


def own(session: Session, actor: Actor) -> Sequence[Vehicle]:
    """The vehicles that this resident has registered and not removed, newest first."""
    return session.scalars(
        select(Vehicle)
        .options(*_loaded())
        .where(
            Vehicle.resident_id == actor.resident_id, Vehicle.state != VehicleState.REMOVED.value
        )
        .order_by(Vehicle.id.desc())
        .limit(OWN)
    ).all()


def own_one(session: Session, actor: Actor, vehicle_id: int) -> Vehicle:
    """One vehicle of this resident.

    Raises:
        NotFoundError: it is somebody else's, or does not exist.
    """
    vehicle = found(session.get(Vehicle, vehicle_id, options=_loaded()))
    if actor.resident_id is None or vehicle.resident_id != actor.resident_id:
        raise not_found()
    return vehicle


def may_register(session: Session, actor: Actor) -> bool:
    """Whether this resident is approved and lives somewhere."""
    resident = session.get(Resident, actor.resident_id) if actor.resident_id else None
    return (
        resident is not None
        and resident.state == ResidentState.APPROVED
        and resident.residency is not None
    )


def _visible(actor: Actor) -> Select[Any]:
    return (
        select(Vehicle)
        .join(Region, Region.id == Vehicle.community_id)
        .where(within(actor.paths(Permission.VEHICLE_LIST)))
    )


def in_state(session: Session, actor: Actor, state: VehicleState, page: int) -> Page[Vehicle]:
    """Vehicles in a state that the actor may list: those that wait longest first, others newest first."""
    order: tuple[Any, ...] = (Vehicle.id.desc(),)
    if state is VehicleState.PENDING:
        order = (Vehicle.registered_at, Vehicle.id)
    statement = _visible(actor).options(*_loaded()).where(Vehicle.state == state.value)
    return paginate(session, statement.order_by(*order), page)


def count_by_state(session: Session, actor: Actor) -> dict[VehicleState, int]:
    """How many vehicles stand in each state, over what the actor may list."""
    rows = session.execute(
        _visible(actor)
        .with_only_columns(Vehicle.state, func.count(), maintain_column_froms=True)
        .group_by(Vehicle.state)
    )
    counts = {row[0]: int(row[1]) for row in rows}
    return {state: counts.get(state.value, 0) for state in VehicleState}


def waiting(session: Session, actor: Actor, limit: int) -> Sequence[Vehicle]:
    """Those that wait for a decision, longest first."""
    return session.scalars(
        _visible(actor)
        .options(*_loaded())
        .where(Vehicle.state == VehicleState.PENDING.value)
        .order_by(Vehicle.registered_at, Vehicle.id)
        .limit(limit)
    ).all()


def load_vehicle(
    session: Session, actor: Actor, permission: Permission, vehicle_id: int
) -> Vehicle:
    """One vehicle for staff.

    Raises:
        NotFoundError, ForbiddenError: see :func:`portal.core.permissions.require`.
    """
    vehicle = found(session.get(Vehicle, vehicle_id, options=_loaded()))
    require(actor, permission, vehicle.community.path)
    return vehicle


def holds(vehicle: Vehicle) -> bool:
    """Whether the resident who registered it is approved and still lives in that dwelling."""
    home = vehicle.resident.residency
    return (
        vehicle.resident.state == ResidentState.APPROVED
        and home is not None
        and home.dwelling_id == vehicle.dwelling_id
    )


def other_verified(session: Session, vehicle: Vehicle) -> Vehicle | None:
    """Another registration of this plate that is verified in the community."""
    return session.scalars(
        select(Vehicle)
        .options(*_loaded())
        .where(
            Vehicle.community_id == vehicle.community_id,
            Vehicle.plate_hash == vehicle.plate_hash,
            Vehicle.state == VehicleState.VERIFIED.value,
            Vehicle.id != vehicle.id,
        )
    ).one_or_none()


def verified_elsewhere(session: Session, vehicle: Vehicle) -> bool:
    """Whether another dwelling has this plate; one whose people have moved away has it no more."""
    other = other_verified(session, vehicle)
    return other is not None and holds(other)


def can_undo(vehicle: Vehicle, now: datetime) -> bool:
    """Whether the decision may still be taken back."""
    decided = vehicle.state in (VehicleState.VERIFIED, VehicleState.REFUSED)
    return decided and vehicle.decided_at is not None and vehicle.decided_at > now - UNDO_WINDOW


def by_plate(session: Session, actor: Actor, plate: str, limit: int) -> Sequence[Vehicle]:
    """Registrations of exactly this normalised plate that the actor may list, verified ones first."""
    rows = session.scalars(
        _visible(actor)
        .options(*_loaded())
        .where(
            Vehicle.plate_hash == find_hash(plate, "plate"),
            Vehicle.state != VehicleState.REMOVED.value,
        )
        .order_by(Vehicle.id.desc())
        .limit(limit)
    ).all()
    return sorted(rows, key=lambda row: row.state != VehicleState.VERIFIED)


def of_dwelling(session: Session, dwelling_id: int) -> Sequence[Vehicle]:
    """Vehicles of a dwelling that wait or are verified, oldest first."""
    return session.scalars(
        select(Vehicle)
        .where(
            Vehicle.dwelling_id == dwelling_id,
            Vehicle.state.in_((VehicleState.PENDING, VehicleState.VERIFIED)),
        )
        .order_by(Vehicle.id)
    ).all()


def verdict(session: Session, community_id: int, plate: str) -> Verdict:
    """What this normalised plate is worth in the community; a part of a plate is worth nothing."""
    vehicle = session.scalars(
        select(Vehicle)
        .options(joinedload(Vehicle.resident), selectinload(Vehicle.resident, Resident.residencies))
        .where(
            Vehicle.community_id == community_id,
            Vehicle.plate_hash == find_hash(plate, "plate"),
            Vehicle.state == VehicleState.VERIFIED.value,
        )
    ).one_or_none()
    if vehicle is None or not holds(vehicle):
        return Verdict.UNKNOWN
    return Verdict.BY_HAND if vehicle.by_hand_only else Verdict.ALLOWED
