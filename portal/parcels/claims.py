"""Changes of state, each one conditional UPDATE."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import update
from sqlalchemy.orm import Session

from portal.core.db import won
from portal.parcels.models import Compartment, CompartmentState, Fault, Parcel, ParcelState


def move(
    session: Session,
    parcel_id: int,
    sources: Sequence[ParcelState],
    now: datetime,
    *,
    last: str | None = None,
    **values: object,
) -> bool:
    """Change a parcel that is in one of the states; ``last``: only while this is its last opening."""
    statement = update(Parcel).where(Parcel.id == parcel_id, Parcel.state.in_(sources))
    if last is not None:
        statement = statement.where(Parcel.opening == last)
    return won(session, statement.values(changed_at=now, **values))


def change_compartment(
    session: Session,
    compartment_id: int,
    sources: Sequence[CompartmentState],
    former: Fault | None = None,
    **values: object,
) -> bool:
    """Change a compartment that is in one of the states and, where one is named, has this fault."""
    statement = update(Compartment).where(
        Compartment.id == compartment_id, Compartment.state.in_(sources)
    )
    if former is not None:
        statement = statement.where(Compartment.fault == former)
    return won(session, statement.values(**values))


def release(session: Session, compartment_id: int) -> None:
    """Give a compartment back; one with a fault stays out of order until it has been looked at."""
    held = (CompartmentState.RESERVED, CompartmentState.OCCUPIED)
    if won(
        session,
        update(Compartment)
        .where(
            Compartment.id == compartment_id,
            Compartment.state.in_(held),
            Compartment.fault == Fault.NONE,
        )
        .values(state=CompartmentState.FREE),
    ):
        return
    change_compartment(session, compartment_id, held, state=CompartmentState.OUT_OF_ORDER)


def set_aside(
    session: Session,
    compartment_id: int,
    fault: Fault,
    now: datetime,
    *sources: CompartmentState,
) -> bool:
    """Take a compartment out of service."""
    return change_compartment(
        session,
        compartment_id,
        sources,
        state=CompartmentState.OUT_OF_ORDER,
        fault=fault,
        fault_at=now,
    )


def note_fault(session: Session, compartment_id: int, fault: Fault, now: datetime) -> None:
    """Note a fault where there is none yet; a parcel inside stays where it is."""
    won(
        session,
        update(Compartment)
        .where(Compartment.id == compartment_id, Compartment.fault == Fault.NONE)
        .values(fault=fault, fault_at=now),
    )


def clear_fault(session: Session, compartment_id: int, *faults: Fault) -> None:
    """Forget a fault that the door itself has disproved."""
    won(
        session,
        update(Compartment)
        .where(Compartment.id == compartment_id, Compartment.fault.in_(faults))
        .values(fault=Fault.NONE, fault_at=None),
    )
