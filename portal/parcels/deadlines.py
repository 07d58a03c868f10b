"""What becomes of doors and parcels that nothing is heard of in time. The worker asks by the clock.

Deadlines are columns, so that a worker that was away takes up where it stopped.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session, joinedload

from portal.core.db import won
from portal.parcels import codes, outcomes
from portal.parcels.claims import move, note_fault, release, set_aside
from portal.parcels.models import (
    ENDED,
    Arrival,
    Compartment,
    CompartmentState,
    Fault,
    Opening,
    OpeningState,
    Parcel,
    ParcelState,
)
from portal.parcels.times import (
    CLOSE_WITHIN,
    HISTORY,
    MEAL_LIFE,
    MOST_REMINDERS,
    OPEN_WITHIN,
    REMIND_EVERY,
)

AT_ONCE: Final = 200
"""Rows in one go; what is left comes at the next turn."""
_TIMED: Final = (
    ParcelState.RESERVED,
    ParcelState.OPENING,
    ParcelState.OPEN,
    ParcelState.UNLOCKING,
    ParcelState.TAKING,
)


def expire(session: Session, now: datetime) -> int:
    """Settle every parcel and every opening by staff whose time is over; returns how many."""
    rows = session.scalars(
        select(Parcel)
        .where(Parcel.state.in_(_TIMED), Parcel.deadline <= now)
        .order_by(Parcel.deadline)
        .limit(AT_ONCE)
        .execution_options(populate_existing=True)
    ).all()
    for parcel in rows:
        if parcel.state == ParcelState.RESERVED:
            give_up(session, parcel, now)
        elif parcel.state in (ParcelState.OPENING, ParcelState.UNLOCKING):
            _silent(session, parcel.opening or "", now)
        else:
            _stands_open(session, parcel, now)
    return len(rows) + _staff_openings(session, now)


def give_up(session: Session, parcel: Parcel, now: datetime) -> bool:
    """Cancel a parcel that has not been laid in; its compartment is free again."""
    session.refresh(parcel, with_for_update=True)  # what it holds now, and until we have done
    compartment_id = parcel.compartment_id
    if not move(
        session,
        parcel.id,
        (ParcelState.RESERVED,),
        now,
        state=ParcelState.CANCELLED,
        compartment_id=None,
        deadline=None,
        ended_at=now,
    ):
        return False
    if compartment_id is not None:
        release(session, compartment_id)
    codes.forget(session, parcel.id)
    return True


def _silent(session: Session, transaction: str, now: datetime) -> None:
    opening = session.scalars(
        select(Opening)
        .options(joinedload(Opening.compartment).joinedload(Compartment.device))
        .where(Opening.transaction == transaction)
        .execution_options(populate_existing=True)
    ).one()
    if not _late(session, opening):
        return
    if opening.compartment.device.online:
        outcomes.failed(session, opening, Fault.NO_ANSWER, now, aside=True)
    else:  # the locker's silence says nothing about this one door
        outcomes.failed(session, opening, Fault.OFFLINE, now, aside=False)


def _late(session: Session, opening: Opening) -> bool:
    return won(
        session,
        update(Opening)
        .where(Opening.id == opening.id, Opening.state == OpeningState.ASKED)
        .values(state=OpeningState.LATE),
    )


def _stands_open(session: Session, parcel: Parcel, now: datetime) -> None:
    if (
        move(
            session,
            parcel.id,
            (ParcelState.OPEN, ParcelState.TAKING),
            now,
            last=parcel.opening,
            fault=Fault.NOT_CLOSED,
            deadline=None,
        )
        and parcel.compartment_id is not None
    ):
        note_fault(session, parcel.compartment_id, Fault.NOT_CLOSED, now)


def _staff_openings(session: Session, now: datetime) -> int:
    rows = session.scalars(
        select(Opening)
        .options(joinedload(Opening.compartment).joinedload(Compartment.device))
        .where(
            Opening.parcel_id.is_(None),
            ((Opening.state == OpeningState.ASKED) & (Opening.asked_at <= now - OPEN_WITHIN))
            | (
                (Opening.state == OpeningState.OPENED)
                & (Opening.opened_at <= now - CLOSE_WITHIN)
                & (Opening.reason == "")
            ),
        )
        .limit(AT_ONCE)
        .execution_options(populate_existing=True)
    ).all()
    for opening in rows:
        fault = Fault.NO_ANSWER
        if opening.state == OpeningState.OPENED:
            fault = Fault.NOT_CLOSED
            opening.reason = Fault.NOT_CLOSED
        elif not _late(session, opening) or not opening.compartment.device.online:
            continue
        where = opening.compartment_id
        if not set_aside(session, where, fault, now, CompartmentState.FREE):
            note_fault(session, where, fault, now)
    session.flush()
    return len(rows)


def remind(session: Session, now: datetime) -> int:
    """Count a reminder for every parcel that is overdue, once a day; pages show it. Returns how many."""
    rows = session.scalars(
        select(Parcel.id)
        .where(
            Parcel.state == ParcelState.STORED,
            Parcel.due_at <= now,
            Parcel.reminders < MOST_REMINDERS,
            (Parcel.reminded_at.is_(None)) | (Parcel.reminded_at <= now - REMIND_EVERY),
        )
        .limit(AT_ONCE)
    ).all()
    for parcel_id in rows:
        won(
            session,
            update(Parcel)
            .where(
                Parcel.id == parcel_id,
                Parcel.state == ParcelState.STORED,
                (Parcel.reminded_at.is_(None)) | (Parcel.reminded_at <= now - REMIND_EVERY),
            )
            .values(reminders=Parcel.reminders + 1, reminded_at=now),
        )
    return len(rows)


def purge(session: Session, now: datetime) -> None:
    """Forget meals of a moment ago and parcels of long ago: who was brought what is nobody's business then."""
    session.execute(delete(Arrival).where(Arrival.expires_at < now - MEAL_LIFE))
    gone = session.scalars(
        select(Parcel.id)
        .where(Parcel.state.in_(ENDED), Parcel.ended_at < now - HISTORY)
        .limit(AT_ONCE)
    ).all()
    if gone:
        session.execute(delete(Opening).where(Opening.parcel_id.in_(gone)))
        session.execute(delete(Parcel).where(Parcel.id.in_(gone)))
