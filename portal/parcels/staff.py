"""Staff at a locker: lay it out, open a compartment for a reason, set aside and put back, take a parcel out."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import select, update
from sqlalchemy.orm import Session, joinedload

from mqtt.contract.telemetry import DeviceKind
from portal.core import audit
from portal.core.db import won
from portal.core.errors import ConflictError, DomainError
from portal.core.i18n import lazy
from portal.core.permissions import SYSTEM, Actor, Permission, found, not_found, require
from portal.core.work import UNDO_WINDOW
from portal.devices.models import Device
from portal.parcels.asking import ask, unlock
from portal.parcels.claims import change_compartment, move
from portal.parcels.models import (
    SIZES,
    Compartment,
    CompartmentState,
    Fault,
    Parcel,
    ParcelState,
    Taker,
)
from portal.parcels.shelf import check_label

MOST_COMPARTMENTS: Final = 200


class OpeningReason(StrEnum):
    """Why staff open a compartment. Codes, for the audit holds no free text that could name a person."""

    RESIDENT = "resident"
    COURIER = "courier"
    CLEANING = "cleaning"
    REPAIR = "repair"
    EMERGENCY = "emergency"


REASON_NAMES: Final[dict[OpeningReason, Any]] = {
    OpeningReason.RESIDENT: lazy("A resident without a phone was recognised"),
    OpeningReason.COURIER: lazy("A courier needs help"),
    OpeningReason.CLEANING: lazy("Cleaning"),
    OpeningReason.REPAIR: lazy("Repair or test"),
    OpeningReason.EMERGENCY: lazy("Emergency"),
}


def load_locker(
    session: Session, actor: Actor, device_id: int, permission: Permission = Permission.PARCEL_LIST
) -> Device:
    """A parcel locker.

    Raises:
        NotFoundError: none of the actor's; ForbiddenError: the role is too weak.
    """
    device = found(session.get(Device, device_id, options=[joinedload(Device.community)]))
    if device.kind != DeviceKind.PARCEL_LOCKER:
        raise not_found()
    require(actor, permission, device.community.path)
    return device


def load_compartment(
    session: Session,
    actor: Actor,
    device_id: int,
    number: int,
    permission: Permission = Permission.PARCEL_LIST,
) -> Compartment:
    """One compartment of a locker.

    Raises:
        NotFoundError, ForbiddenError: see :func:`load_locker`.
    """
    load_locker(session, actor, device_id, permission)
    return found(
        session.scalars(
            select(Compartment)
            .options(joinedload(Compartment.device).joinedload(Device.community))
            .where(Compartment.device_id == device_id, Compartment.number == number)
        ).one_or_none()
    )


def lay_out(session: Session, actor: Actor, device: Device, counts: Mapping[str, int]) -> None:
    """Say how many compartments of each size a locker has, numbered from 1, the small ones first.

    Raises:
        NotFoundError, ForbiddenError: the actor may not.
        DomainError: no compartments, too many, or not as many as the device was enrolled with.
        ConflictError: it has been laid out.
    """
    if actor is not SYSTEM:
        require(actor, Permission.PARCEL_MANAGE, device.community.path)
    total = sum(counts.get(size, 0) for size in SIZES)
    if min(counts.values(), default=0) < 0 or not 1 <= total <= MOST_COMPARTMENTS:
        raise DomainError("counts", lazy("A locker has from 1 to 200 compartments."), field="small")
    enrolled = (device.details or {}).get("compartments")
    if isinstance(enrolled, int) and enrolled != total:
        raise DomainError(
            "counts_differ",
            lazy("This locker was enrolled with another number of compartments: the sum must fit."),
            field="small",
        )
    if session.scalar(select(Compartment.id).where(Compartment.device_id == device.id).limit(1)):
        raise ConflictError("laid_out", lazy("This locker has its compartments already."))
    sizes = [size for size in SIZES for _ in range(counts.get(size, 0))]
    session.add_all(
        Compartment(device_id=device.id, number=number, size=size, state=CompartmentState.FREE)
        for number, size in enumerate(sizes, 1)
    )
    session.flush()
    audit.record(
        session,
        actor,
        "locker.lay_out",
        ("device", device.id),
        path=device.community.path,
        sizes={str(size): counts.get(size, 0) for size in SIZES},
    )


def open_compartment(
    session: Session, actor: Actor, device_id: int, number: int, reason: str, now: datetime
) -> str:
    """Open one compartment; returns the transaction.

    Raises:
        DomainError: no reason, or an unknown one.
        NotFoundError, ForbiddenError: see :func:`load_locker`.
        ConflictError: the locker is offline, or a courier or resident is at this door just now.
    """
    compartment = load_compartment(session, actor, device_id, number, Permission.PARCEL_MANAGE)
    if reason not in set(OpeningReason):
        raise DomainError(
            "reason_missing", lazy("Choose why you open the compartment."), field="reason"
        )
    transaction = ask(session, compartment.id, now)
    audit.record(
        session,
        actor,
        "locker.open",
        ("compartment", compartment.id),
        path=compartment.device.community.path,
        number=number,
        reason=reason,
        transaction=transaction,
    )
    return transaction


def take_out_of_order(
    session: Session, actor: Actor, compartment: Compartment, now: datetime
) -> None:
    """Take a free compartment out of service.

    Raises:
        NotFoundError, ForbiddenError: the actor may not; ConflictError: a parcel is in it or on its way.
    """
    path = compartment.device.community.path
    require(actor, Permission.PARCEL_MANAGE, path)
    if not change_compartment(
        session,
        compartment.id,
        (CompartmentState.FREE, CompartmentState.OUT_OF_ORDER),
        state=CompartmentState.OUT_OF_ORDER,
        fault=Fault.BY_STAFF,
        fault_at=now,
        checked_fault=compartment.fault,
        checked_at=now,
    ):
        raise ConflictError(
            "in_use", lazy("A parcel is in this compartment or on its way: empty it first.")
        )
    _checked(session, actor, compartment, "locker.out_of_order", path)


def put_back(session: Session, actor: Actor, compartment: Compartment, now: datetime) -> None:
    """A compartment was looked at and is in order.

    Raises:
        NotFoundError, ForbiddenError: the actor may not; ConflictError: nothing was wrong with it.
    """
    path = compartment.device.community.path
    require(actor, Permission.PARCEL_MANAGE, path)
    done = change_compartment(
        session,
        compartment.id,
        (CompartmentState.OUT_OF_ORDER,),
        state=CompartmentState.FREE,
        fault=Fault.NONE,
        fault_at=None,
        checked_fault=compartment.fault,
        checked_at=now,
    ) or won(
        session,
        update(Compartment)
        .where(Compartment.id == compartment.id, Compartment.fault != Fault.NONE)
        .values(fault=Fault.NONE, fault_at=None, checked_fault=compartment.fault, checked_at=now),
    )
    if not done:
        raise ConflictError("in_order", lazy("This compartment is in order already."))
    _checked(session, actor, compartment, "locker.in_order", path)


def undo_check(session: Session, actor: Actor, compartment: Compartment, now: datetime) -> None:
    """Take the last decision on a compartment back: its fault is there again.

    Raises:
        NotFoundError, ForbiddenError: the actor may not.
        ConflictError: too long ago, or a parcel has come into it.
    """
    path = compartment.device.community.path
    require(actor, Permission.PARCEL_MANAGE, path)
    if (
        compartment.checked_at is None
        or compartment.checked_at < now - UNDO_WINDOW
        or compartment.checked_fault == Fault.NONE
        or not won(
            session,
            update(Compartment)
            .where(
                Compartment.id == compartment.id,
                Compartment.checked_at == compartment.checked_at,
                Compartment.state.in_((CompartmentState.FREE, CompartmentState.OUT_OF_ORDER)),
            )
            .values(
                state=CompartmentState.OUT_OF_ORDER,
                fault=compartment.checked_fault,
                fault_at=now,
                checked_at=None,
                checked_fault=Fault.NONE,
            ),
        )
    ):
        raise ConflictError("too_late", lazy("This cannot be taken back any more."))
    _checked(session, actor, compartment, "locker.undo", path)


def _checked(
    session: Session, actor: Actor, compartment: Compartment, action: str, path: str
) -> None:
    session.refresh(compartment)
    audit.record(
        session,
        actor,
        action,
        ("compartment", compartment.id),
        path=path,
        number=compartment.number,
        fault=compartment.fault,
    )


def for_staff(
    session: Session, actor: Actor, parcel_id: int, permission: Permission = Permission.PARCEL_LIST
) -> Parcel:
    """One parcel for staff.

    Raises:
        NotFoundError, ForbiddenError: see :func:`portal.core.permissions.require`.
    """
    loaded = (
        joinedload(Parcel.community),
        joinedload(Parcel.device),
        joinedload(Parcel.compartment),
    )
    parcel = found(session.get(Parcel, parcel_id, options=loaded))
    require(actor, permission, parcel.community.path)
    return parcel


def take_parcel(
    session: Session, actor: Actor, parcel_id: int, now: datetime, *, label: str = ""
) -> Parcel:
    """Open the door to give a parcel back to its courier or, with a label, to lay it on the shelf.

    Raises:
        NotFoundError, ForbiddenError: see :func:`for_staff`.
        DomainError: the label is malformed.
        ConflictError: see :func:`portal.parcels.asking.unlock`.
    """
    parcel = for_staff(session, actor, parcel_id, Permission.PARCEL_MANAGE)
    taker = Taker.STAFF
    if label:
        taker = Taker.SHELF
        move(session, parcel.id, (ParcelState.STORED,), now, shelf_label=check_label(label))
    unlock(session, actor, parcel, taker, now, path=parcel.community.path)
    return parcel
