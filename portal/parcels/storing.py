"""A courier lays a parcel in: compartment, door, another compartment, give up, take back (G7).

States as drawn in :mod:`portal.parcels.models`. A parcel counts as stored when its door has proved it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload

from mqtt.contract.telemetry import DeviceKind
from portal.core import audit
from portal.core.errors import ConflictError, DomainError, TooManyError
from portal.core.i18n import lazy
from portal.core.permissions import found, not_found
from portal.devices.models import Device
from portal.parcels.asking import ask, unlock
from portal.parcels.claims import change_compartment, move, release
from portal.parcels.couriers import Courier
from portal.parcels.deadlines import give_up
from portal.parcels.models import (
    SIZES,
    Compartment,
    CompartmentState,
    Fault,
    Parcel,
    ParcelState,
    Place,
    Size,
    Taker,
)
from portal.parcels.times import OPEN_WITHIN, RESERVATION
from portal.residents.models import Resident, ResidentState

MOST_UNFINISHED: Final = 3
"""Parcels that one courier may have between reserving and the closed door."""
UNFINISHED: Final = (ParcelState.RESERVED, ParcelState.OPENING, ParcelState.OPEN)


def allocate(
    session: Session, device_id: int, size: str, *, larger: bool = False
) -> Compartment | None:
    """Reserve the smallest free compartment that fits, or none: of two who ask at once, each gets their own.

    Args:
        larger: whether a larger one will do.
    """
    wanted = SIZES[SIZES.index(Size(size)) :] if larger else (Size(size),)
    for one in wanted:
        free = session.scalars(
            select(Compartment.id)
            .where(
                Compartment.device_id == device_id,
                Compartment.size == one,
                Compartment.state == CompartmentState.FREE,
                Compartment.fault == Fault.NONE,
                Compartment.door_open.is_(False),
            )
            .order_by(Compartment.number)
        ).all()
        for candidate in free:
            if change_compartment(
                session,
                candidate,
                (CompartmentState.FREE,),
                Fault.NONE,
                state=CompartmentState.RESERVED,
            ):
                return session.get_one(Compartment, candidate, populate_existing=True)
    return None


def free_sizes(session: Session, device_ids: Sequence[int]) -> dict[int, dict[str, int]]:
    """Free compartments by locker and size."""
    counts = {device_id: dict.fromkeys((str(s) for s in SIZES), 0) for device_id in device_ids}
    rows = session.execute(
        select(Compartment.device_id, Compartment.size, func.count())
        .where(
            Compartment.device_id.in_(device_ids),
            Compartment.state == CompartmentState.FREE,
            Compartment.fault == Fault.NONE,
            Compartment.door_open.is_(False),
        )
        .group_by(Compartment.device_id, Compartment.size)
    )
    for device_id, size, number in rows:
        counts[device_id][size] = number
    return counts


def lockers(session: Session, community_id: int) -> list[Device]:
    """The community's lockers that are in use and laid out."""
    laid_out = select(Compartment.device_id)
    return list(
        session.scalars(
            select(Device)
            .where(
                Device.community_id == community_id,
                Device.kind == DeviceKind.PARCEL_LOCKER,
                Device.retired_at.is_(None),
                Device.id.in_(laid_out),
            )
            .order_by(Device.title, Device.id)
        )
    )


def store(
    session: Session,
    courier: Courier,
    *,
    resident_id: int,
    dwelling_id: int,
    device_id: int,
    size: str,
    now: datetime,
    larger: bool = False,
) -> Parcel:
    """Reserve a compartment for a parcel and ask its door to open.

    Raises:
        DomainError: locker or size are none of the community's.
        ConflictError: nothing that fits is free (``no_compartment``, field ``size``), the locker is
            offline, or the recipient has left.
        TooManyError: the courier has unfinished parcels.
    """
    resident = session.get(Resident, resident_id)
    if (
        resident is None
        or resident.community_id != courier.community_id
        or resident.state != ResidentState.APPROVED
    ):
        raise ConflictError("recipient_left", lazy("The recipient does not live here any more."))
    if device_id not in {one.id for one in lockers(session, courier.community_id)}:
        raise DomainError("locker_unknown", lazy("Choose a locker."), field="locker")
    if size not in set(Size):
        raise DomainError("size_unknown", lazy("Choose a size."), field="size")
    if _unfinished(session, courier) >= MOST_UNFINISHED:
        raise TooManyError("unfinished", lazy("Finish your open parcels first, or give them up."))
    compartment = _allocated(session, device_id, size, larger=larger)
    parcel = Parcel(
        community_id=courier.community_id,
        resident_id=resident_id,
        dwelling_id=dwelling_id,
        place=Place.LOCKER,
        device_id=device_id,
        compartment_id=compartment.id,
        size=size,
        company=courier.company,
        state=ParcelState.RESERVED,
        courier_id=courier.id,
        created_at=now,
        changed_at=now,
        deadline=now + RESERVATION,
    )
    session.add(parcel)
    session.flush()
    _open(session, courier, parcel, now)
    return parcel


def _allocated(session: Session, device_id: int, size: str, *, larger: bool) -> Compartment:
    compartment = allocate(session, device_id, size, larger=larger)
    if compartment is None:
        raise ConflictError(
            "no_compartment",
            lazy("No compartment of this size is free. Choose a larger one or another locker."),
            field="size",
        )
    return compartment


def _unfinished(session: Session, courier: Courier) -> int:
    return (
        session.scalar(
            select(func.count())
            .select_from(Parcel)
            .where(Parcel.courier_id == courier.id, Parcel.state.in_(UNFINISHED))
        )
        or 0
    )


def open_again(session: Session, courier: Courier, parcel_id: int, now: datetime) -> Parcel:
    """Ask the same door once more.

    Raises:
        NotFoundError: not this courier's.
        ConflictError: there is nothing to open, or the locker is offline.
    """
    parcel = _own(session, courier, parcel_id)
    if parcel.compartment_id is None:
        raise _changed()
    _open(session, courier, parcel, now)
    return parcel


def another(
    session: Session, courier: Courier, parcel_id: int, now: datetime, size: str = ""
) -> Parcel:
    """Take another compartment, of the parcel's size or a larger one, and ask its door to open.

    Args:
        size: at least this size, for a parcel that did not fit.

    Raises:
        NotFoundError: not this courier's.
        ConflictError: no other is free, or the parcel is not waiting for one.
    """
    parcel = _own(session, courier, parcel_id)
    former = parcel.compartment_id
    if parcel.state != ParcelState.RESERVED or parcel.device_id is None:
        raise _changed()
    wanted = size if size in set(Size) else parcel.size
    compartment = _allocated(session, parcel.device_id, wanted, larger=True)
    if not move(
        session,
        parcel.id,
        (ParcelState.RESERVED,),
        now,
        last=parcel.opening,
        compartment_id=compartment.id,
        size=wanted,
        opening=None,
    ):
        raise _changed()
    if former is not None:
        release(session, former)
    session.refresh(parcel)
    _open(session, courier, parcel, now)
    return parcel


def _open(session: Session, courier: Courier, parcel: Parcel, now: datetime) -> None:
    assert parcel.compartment_id is not None  # noqa: S101 - the callers saw to it
    transaction = ask(session, parcel.compartment_id, now, parcel_id=parcel.id)
    if not move(
        session,
        parcel.id,
        (ParcelState.RESERVED,),
        now,
        state=ParcelState.OPENING,
        opening=transaction,
        fault=Fault.NONE,
        deadline=now + OPEN_WITHIN,
    ):
        raise _changed()
    session.refresh(parcel)
    audit.record(
        session,
        courier.actor,
        "parcel.open_to_store",
        ("parcel", parcel.id),
        path=courier.path,
        compartment=parcel.compartment_id,
        transaction=transaction,
    )


def cancel(session: Session, courier: Courier, parcel_id: int, now: datetime) -> Parcel:
    """Give up a parcel that has not been laid in.

    Raises:
        NotFoundError: not this courier's.
        ConflictError: its door is opening, or it is stored already.
    """
    parcel = _own(session, courier, parcel_id)
    if not give_up(session, parcel, now):
        raise _changed()
    session.refresh(parcel)
    return parcel


def take_back(session: Session, courier: Courier, parcel_id: int, now: datetime) -> Parcel:
    """Open the door once more to take a stored parcel back; it counts as returned when the door says so.

    Raises:
        NotFoundError: not this courier's.
        ConflictError: it has gone or is just being fetched, or the locker is offline.
    """
    parcel = _own(session, courier, parcel_id)
    unlock(session, courier.actor, parcel, Taker.COURIER, now, path=courier.path)
    return parcel


def own(session: Session, courier: Courier, limit: int = 30) -> list[Parcel]:
    """What this courier has brought, newest first."""
    return list(
        session.scalars(
            select(Parcel)
            .options(joinedload(Parcel.device), joinedload(Parcel.compartment))
            .where(Parcel.courier_id == courier.id)
            .order_by(Parcel.id.desc())
            .limit(limit)
        )
    )


def own_one(session: Session, courier: Courier, parcel_id: int) -> Parcel:
    """One of this courier's parcels.

    Raises:
        NotFoundError: somebody else's, or none.
    """
    return _own(session, courier, parcel_id)


def _own(session: Session, courier: Courier, parcel_id: int) -> Parcel:
    parcel = found(
        session.get(
            Parcel,
            parcel_id,
            options=[joinedload(Parcel.device), joinedload(Parcel.compartment)],
        )
    )
    if parcel.courier_id != courier.id:
        raise not_found()
    return parcel


def _changed() -> ConflictError:
    return ConflictError(
        "changed", lazy("The parcel has moved on in the meantime. See how it stands now.")
    )


def next_size(size: str) -> str:
    """One size larger, or the largest."""
    return SIZES[min(SIZES.index(Size(size)) + 1, len(SIZES) - 1)]
