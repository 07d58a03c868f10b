"""A resident registers a vehicle, a worker verifies or refuses it (B6).

States as drawn in :mod:`portal.vehicles.models`. Every change of state is one conditional UPDATE: of two
at once one wins, the other gets :class:`ConflictError`. Registrations of one dwelling queue behind each
other, so that a household cannot get past its limit by registering twice at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import CursorResult, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from portal.core import audit
from portal.core.db import won
from portal.core.errors import ConflictError, DomainError, ForbiddenError, TooManyError
from portal.core.i18n import lazy
from portal.core.identifiers import check_plate, sentence
from portal.core.identifiers.plate import plate_class
from portal.core.permissions import Actor, Permission, found, not_found
from portal.core.protected import find_hash
from portal.core.work import UNDO_WINDOW
from portal.regions.models import Dwelling
from portal.residents.models import Resident, ResidentState
from portal.vehicles.models import Belongs, Vehicle, VehicleKind, VehicleState
from portal.vehicles.queries import holds, load_vehicle, other_verified
from portal.vehicles.words import Colour

MOST: Final = 4
"""Vehicles of one dwelling that may wait or be verified at once."""
NOTE_LENGTH: Final = 200
BRAND_LENGTH: Final = 30
OPEN: Final = (VehicleState.PENDING, VehicleState.VERIFIED)


@dataclass(frozen=True, slots=True)
class Draft:
    """What a resident enters, as typed."""

    plate: str
    kind: str
    belongs: str
    brand: str = ""
    colour: str = ""


def plate_hash(plate: str) -> str:
    """What ``vehicles.plate_hash`` holds, of a normalised plate."""
    return find_hash(plate, "plate")


def faults(draft: Draft) -> list[DomainError]:
    """Everything that is wrong with a draft, each with its field; empty when good."""
    wrong: list[DomainError] = []
    plate = check_plate(draft.plate)
    if not plate.valid:
        wrong.append(DomainError("plate_malformed", sentence(plate), field="plate"))
    if draft.kind not in set(VehicleKind):
        wrong.append(DomainError("kind_unknown", lazy("Choose what it is."), field="kind"))
    if draft.belongs not in set(Belongs):
        wrong.append(DomainError("belongs_unknown", lazy("Choose whose it is."), field="belongs"))
    brand = draft.brand.strip()
    if len(brand) > BRAND_LENGTH or not all(c.isprintable() for c in brand):
        wrong.append(
            DomainError(
                "brand_malformed",
                lazy("A brand has at most 30 characters, on one line."),
                field="brand",
            )
        )
    if draft.colour and draft.colour not in set(Colour):
        wrong.append(
            DomainError("colour_unknown", lazy("Choose a colour from the list."), field="colour")
        )
    return wrong


def register(session: Session, actor: Actor, draft: Draft, now: datetime) -> Vehicle:
    """Register a vehicle for the dwelling where the resident lives; it waits for a worker.

    A plate that another dwelling has already is not refused here: that would tell one household about
    another's car. The worker who verifies is told.

    Raises:
        ForbiddenError: the actor is no approved resident living here.
        TooManyError: the dwelling has as many vehicles as it may have.
        ConflictError: the dwelling has this plate already.
        DomainError: the draft is at fault; the first of :func:`faults`.
    """
    resident = session.get(Resident, actor.resident_id) if actor.resident_id else None
    home = resident.residency if resident else None
    if resident is None or resident.state != ResidentState.APPROVED or home is None:
        raise ForbiddenError(
            "not_approved",
            lazy("You can register vehicles once your registration has been approved."),
        )
    for fault in faults(draft):
        raise fault
    checked = check_plate(draft.plate)
    by_plate = plate_hash(checked.value)
    _check_room(session, home.dwelling_id, by_plate)
    vehicle = Vehicle(
        community_id=resident.community_id,
        dwelling_id=home.dwelling_id,
        resident_id=resident.id,
        plate=checked.value,
        plate_hash=by_plate,
        plate_class=plate_class(checked),
        kind=draft.kind,
        brand=draft.brand.strip(),
        colour=draft.colour,
        belongs=draft.belongs,
        state=VehicleState.PENDING,
        registered_at=now,
    )
    session.add(vehicle)
    session.flush()
    _note(session, actor, "vehicle.register", vehicle, plate_class=vehicle.plate_class)
    return vehicle


def _check_room(session: Session, dwelling_id: int, by_plate: str) -> None:
    """Whether the dwelling may have one more; it stays locked until the end of the transaction."""
    session.get(Dwelling, dwelling_id, with_for_update=True)
    open_there = (Vehicle.dwelling_id == dwelling_id, Vehicle.state.in_(OPEN))
    known = session.scalar(
        select(Vehicle.id).where(*open_there, Vehicle.plate_hash == by_plate).limit(1)
    )
    if known is not None:
        raise ConflictError(
            "plate_registered",
            lazy("This plate is already registered for your dwelling."),
            field="plate",
        )
    count = session.scalar(select(func.count()).select_from(Vehicle).where(*open_there)) or 0
    if count >= MOST:
        raise TooManyError(
            "too_many_vehicles",
            lazy(
                "Your dwelling has %(number)s vehicles already. One of them has to be removed first.",
                number=MOST,
            ),
        )


def remove(session: Session, actor: Actor, vehicle_id: int, now: datetime) -> Vehicle:
    """Take a vehicle off, by the resident who registered it.

    Raises:
        NotFoundError: it is not this resident's.
        ConflictError: it has been removed before.
    """
    vehicle = found(session.get(Vehicle, vehicle_id))
    if actor.resident_id is None or vehicle.resident_id != actor.resident_id:
        raise not_found()
    sources = (VehicleState.PENDING, VehicleState.VERIFIED, VehicleState.REFUSED)
    if not _move(session, vehicle_id, sources, state=VehicleState.REMOVED, removed_at=now):
        raise ConflictError("already_removed", lazy("This vehicle has been removed already."))
    session.refresh(vehicle)
    _note(session, actor, "vehicle.remove", vehicle)
    return vehicle


def verify(session: Session, actor: Actor, vehicle_id: int, note: str, now: datetime) -> Vehicle:
    """Say that the vehicle is this dwelling's.

    Raises:
        NotFoundError, ForbiddenError: see :func:`portal.core.permissions.require`.
        DomainError: the note is too long.
        ConflictError: decided or removed meanwhile; another dwelling has the plate; nobody who
            registered it lives there any more.
    """
    vehicle = _to_decide(session, actor, vehicle_id, note)
    if not holds(vehicle):
        raise ConflictError(
            "moved_away",
            lazy("The resident does not live there any more. Refuse this vehicle."),
        )
    other = other_verified(session, vehicle)
    if other is not None:
        if holds(other):
            raise _taken()
        _lapse(session, actor, other, now)
    try:
        with session.begin_nested():
            _decide(session, actor, vehicle, VehicleState.VERIFIED, note, now)
    except IntegrityError:
        raise _taken() from None
    return vehicle


def _lapse(session: Session, actor: Actor, vehicle: Vehicle, now: datetime) -> None:
    """Remove what somebody left behind who moved away: nobody there could do it any more."""
    if _move(
        session,
        vehicle.id,
        (VehicleState.VERIFIED,),
        state=VehicleState.REMOVED,
        removed_at=now,
    ):
        _note(session, actor, "vehicle.lapse", vehicle)


def _taken() -> ConflictError:
    return ConflictError(
        "plate_taken",
        lazy(
            "This plate is verified for another dwelling of the community. Ask there whether the "
            "vehicle has been sold, let it be removed there, or refuse it here."
        ),
    )


def refuse(session: Session, actor: Actor, vehicle_id: int, note: str, now: datetime) -> Vehicle:
    """Say no; the note tells the resident why.

    Raises:
        DomainError: the note is missing or too long.
        NotFoundError, ForbiddenError: see :func:`portal.core.permissions.require`.
        ConflictError: decided or removed meanwhile.
    """
    vehicle = _to_decide(session, actor, vehicle_id, note)
    if not note.strip():
        raise DomainError(
            "note_missing", lazy("Write one sentence that tells the resident why."), field="note"
        )
    _decide(session, actor, vehicle, VehicleState.REFUSED, note, now)
    return vehicle


def undo(session: Session, actor: Actor, vehicle_id: int, now: datetime) -> Vehicle:
    """Take a decision back within ``UNDO_WINDOW``: the vehicle waits again.

    Raises:
        NotFoundError, ForbiddenError: see :func:`portal.core.permissions.require`.
        ConflictError: too late, not decided, removed meanwhile, or the household has filled the place.
    """
    vehicle = load_vehicle(session, actor, Permission.VEHICLE_DECIDE, vehicle_id)
    if vehicle.state == VehicleState.REFUSED:
        try:
            _check_room(session, vehicle.dwelling_id, vehicle.plate_hash)
        except DomainError:
            raise ConflictError(
                "place_taken",
                lazy("The household has registered again in the meantime: decide on that one."),
            ) from None
    undone = session.execute(
        update(Vehicle)
        .where(
            Vehicle.id == vehicle_id,
            Vehicle.state.in_((VehicleState.VERIFIED, VehicleState.REFUSED)),
            Vehicle.decided_at > now - UNDO_WINDOW,
        )
        .values(state=VehicleState.PENDING, decided_at=None, decided_by=None, decision_note="")
        .execution_options(synchronize_session=False)
    )
    assert isinstance(undone, CursorResult)  # noqa: S101 - narrows the type for mypy
    if undone.rowcount != 1:
        raise ConflictError("too_late", lazy("This can no longer be taken back."))
    session.refresh(vehicle)
    _note(session, actor, "vehicle.undo", vehicle)
    return vehicle


def reveal(session: Session, actor: Actor, vehicle_id: int) -> Vehicle:
    """Show the whole plate to somebody who decides; the look is audited.

    Raises:
        NotFoundError, ForbiddenError: see :func:`portal.core.permissions.require`.
    """
    vehicle = load_vehicle(session, actor, Permission.VEHICLE_DECIDE, vehicle_id)
    _note(session, actor, "vehicle.unmask", vehicle)
    return vehicle


def _to_decide(session: Session, actor: Actor, vehicle_id: int, note: str) -> Vehicle:
    vehicle = load_vehicle(session, actor, Permission.VEHICLE_DECIDE, vehicle_id)
    if len(note.strip()) > NOTE_LENGTH:
        raise DomainError("note_long", lazy("A note has at most 200 characters."), field="note")
    return vehicle


def _decide(
    session: Session, actor: Actor, vehicle: Vehicle, state: VehicleState, note: str, now: datetime
) -> None:
    decided = _move(
        session,
        vehicle.id,
        (VehicleState.PENDING,),
        state=state,
        decided_at=now,
        decided_by=actor.user_id,
        decision_note=note.strip(),
    )
    if not decided:
        raise ConflictError(
            "already_decided", lazy("This vehicle has been decided or removed in the meantime.")
        )
    session.refresh(vehicle)
    verb = "vehicle.verify" if state is VehicleState.VERIFIED else "vehicle.refuse"
    _note(session, actor, verb, vehicle)


def _move(
    session: Session, vehicle_id: int, sources: tuple[VehicleState, ...], **values: object
) -> bool:
    return won(
        session,
        update(Vehicle)
        .where(Vehicle.id == vehicle_id, Vehicle.state.in_(sources))
        .values(**values),
    )


def _note(session: Session, actor: Actor, action: str, vehicle: Vehicle, **detail: Any) -> None:
    audit.record(
        session,
        actor,
        action,
        ("vehicle", vehicle.id),
        path=vehicle.community.path,
        **detail,
    )
