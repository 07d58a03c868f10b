"""What an opened, closed or silent door makes of its parcel and its compartment.

Every function is handed an opening that has just changed its own state, which happens once; the parcel is
changed only while that opening is its last one.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from portal.core import audit
from portal.core.db import won
from portal.core.permissions import SYSTEM
from portal.parcels import codes
from portal.parcels.claims import (
    change_compartment,
    clear_fault,
    move,
    note_fault,
    release,
    set_aside,
)
from portal.parcels.models import (
    Compartment,
    CompartmentState,
    Fault,
    Opening,
    Parcel,
    ParcelState,
    Place,
    Taker,
)
from portal.parcels.times import CLOSE_WITHIN, FETCH_WITHIN, RESERVATION
from portal.regions.models import Region

_HELD = (CompartmentState.RESERVED, CompartmentState.OCCUPIED)


def opened(session: Session, opening: Opening, now: datetime) -> None:
    """The door has opened, maybe later than anybody waited for."""
    if opening.parcel_id is None:
        return
    until = now + CLOSE_WITHIN
    for sources, state in (
        ((ParcelState.OPENING,), ParcelState.OPEN),
        ((ParcelState.UNLOCKING, ParcelState.STORED), ParcelState.TAKING),
    ):
        if move(
            session,
            opening.parcel_id,
            sources,
            now,
            last=opening.transaction,
            state=state,
            fault=Fault.NONE,
            deadline=until,
        ):
            return
    _opened_after_all(session, opening, now)


def _opened_after_all(session: Session, opening: Opening, now: datetime) -> None:
    """The courier was told that it did not open, and has not gone on to another compartment yet."""
    assert opening.parcel_id is not None  # noqa: S101 - the caller saw to it
    waits = session.scalar(
        select(Parcel.id).where(
            Parcel.id == opening.parcel_id,
            Parcel.state == ParcelState.RESERVED,
            Parcel.opening == opening.transaction,
        )
    )
    if waits is None:
        return
    back = won(
        session,
        update(Compartment)
        .where(
            Compartment.id == opening.compartment_id,
            Compartment.state == CompartmentState.OUT_OF_ORDER,
            Compartment.fault == Fault.NO_ANSWER,
        )
        .values(state=CompartmentState.RESERVED, fault=Fault.NONE, fault_at=None),
    )
    held = session.scalar(select(Parcel.compartment_id).where(Parcel.id == opening.parcel_id))
    if back or held == opening.compartment_id:
        move(
            session,
            opening.parcel_id,
            (ParcelState.RESERVED,),
            now,
            last=opening.transaction,
            state=ParcelState.OPEN,
            compartment_id=opening.compartment_id,
            fault=Fault.NONE,
            deadline=now + CLOSE_WITHIN,
        )


def failed(session: Session, opening: Opening, fault: Fault, now: datetime, *, aside: bool) -> None:
    """The door has not opened. ``aside``: its compartment is to blame and takes no more parcels."""
    compartment_id, parcel_id = opening.compartment_id, opening.parcel_id
    if aside and fault == Fault.JAMMED:  # says more than the silence before
        won(
            session,
            update(Compartment)
            .where(Compartment.id == compartment_id, Compartment.fault == Fault.NO_ANSWER)
            .values(fault=fault),
        )
    if parcel_id is None:
        if aside and not set_aside(session, compartment_id, fault, now, CompartmentState.FREE):
            note_fault(session, compartment_id, fault, now)
        return
    values: dict[str, object] = {"compartment_id": None} if aside else {}
    if move(
        session,
        parcel_id,
        (ParcelState.OPENING,),
        now,
        last=opening.transaction,
        state=ParcelState.RESERVED,
        fault=fault,
        deadline=now + RESERVATION,
        **values,
    ):
        if aside:
            set_aside(session, compartment_id, fault, now, CompartmentState.RESERVED)
    elif (
        move(
            session,
            parcel_id,
            (ParcelState.UNLOCKING,),
            now,
            last=opening.transaction,
            state=ParcelState.STORED,
            fault=fault,
            deadline=None,
        )
        and aside
    ):
        note_fault(session, compartment_id, fault, now)


def closed(session: Session, opening: Opening, occupied: bool | None, now: datetime) -> bool:
    """The door has closed; ``occupied`` is ``None`` where the locker does not sense it.

    Returns:
        Whether this settles what the compartment holds.
    """
    if opening.parcel_id is None:
        return False
    parcel = session.scalars(
        select(Parcel)
        .where(Parcel.id == opening.parcel_id)
        .execution_options(populate_existing=True)
    ).one()
    if parcel.opening != opening.transaction:
        return False
    if parcel.state == ParcelState.OPEN:
        if occupied is False:
            return move(
                session,
                parcel.id,
                (ParcelState.OPEN,),
                now,
                last=opening.transaction,
                state=ParcelState.RESERVED,
                fault=Fault.CLOSED_EMPTY,
                deadline=now + RESERVATION,
            )
        return _stored(session, parcel, opening, now)
    if parcel.state == ParcelState.TAKING:
        if occupied is True:
            clear_fault(session, opening.compartment_id, Fault.FORCED, Fault.GONE)
            return move(
                session,
                parcel.id,
                (ParcelState.TAKING,),
                now,
                last=opening.transaction,
                state=ParcelState.STORED,
                fault=Fault.CLOSED_FULL,
                deadline=None,
            )
        return _taken(session, parcel, opening, now)
    return False


def _stored(session: Session, parcel: Parcel, opening: Opening, now: datetime) -> bool:
    if not move(
        session,
        parcel.id,
        (ParcelState.OPEN,),
        now,
        last=opening.transaction,
        state=ParcelState.STORED,
        fault=Fault.NONE,
        taker=Taker.NOBODY,
        stored_at=now,
        due_at=now + FETCH_WITHIN,
        deadline=None,
    ):
        return False
    change_compartment(
        session,
        opening.compartment_id,
        (CompartmentState.RESERVED,),
        state=CompartmentState.OCCUPIED,
    )
    codes.issue(session, parcel.id, now)
    _note(session, parcel, "parcel.stored")
    return True


def _taken(session: Session, parcel: Parcel, opening: Opening, now: datetime) -> bool:
    common: dict[str, object] = {"fault": Fault.NONE, "deadline": None, "compartment_id": None}
    if parcel.taker == Taker.SHELF:
        values: dict[str, object] = {
            "state": ParcelState.STORED,
            "place": Place.SHELF,
            "due_at": now + FETCH_WITHIN,
        }
    else:
        back = parcel.taker in (Taker.COURIER, Taker.STAFF)
        state = ParcelState.RETURNED if back else ParcelState.FETCHED
        values = {"state": state, "ended_at": now}
    if not move(
        session,
        parcel.id,
        (ParcelState.TAKING,),
        now,
        last=opening.transaction,
        **common,
        **values,
    ):
        return False
    clear_fault(
        session, opening.compartment_id, Fault.NOT_CLOSED, Fault.NO_ANSWER, Fault.FORCED, Fault.GONE
    )
    release(session, opening.compartment_id)
    if values["state"] != ParcelState.STORED:
        codes.forget(session, parcel.id)
    _note(session, parcel, "parcel.taken")
    return True


def suspect(
    session: Session, parcel_id: int, compartment_id: int, fault: Fault, now: datetime
) -> None:
    """A stored parcel's door moved without leave, or its compartment reports that nothing is in it."""
    if move(session, parcel_id, (ParcelState.STORED,), now, fault=fault):
        won(
            session,
            update(Compartment)
            .where(Compartment.id == compartment_id, Compartment.state.in_(_HELD))
            .values(fault=fault, fault_at=now),
        )


def _note(session: Session, parcel: Parcel, action: str) -> None:
    path = session.scalar(select(Region.path).where(Region.id == parcel.community_id)) or ""
    audit.record(session, SYSTEM, action, ("parcel", parcel.id), path=path, taker=str(parcel.taker))
