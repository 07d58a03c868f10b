"""A compartment's door is asked to open: one opening, one command in the outbox, one transaction id.

A locker acts once for each transaction, so that a command which is published twice opens once.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from mqtt.contract.messages import OpenCompartment
from portal.core import audit, outbox
from portal.core.errors import ConflictError
from portal.core.i18n import lazy
from portal.core.outbox import new_transaction
from portal.core.permissions import Actor
from portal.devices.models import Device
from portal.devices.operations import address_of
from portal.parcels.claims import move
from portal.parcels.models import (
    Compartment,
    Fault,
    Opening,
    OpeningState,
    Parcel,
    ParcelState,
    Place,
    Taker,
)
from portal.parcels.times import COMMAND_LIFE, OPEN_WITHIN


def ask(
    session: Session, compartment_id: int, now: datetime, *, parcel_id: int | None = None
) -> str:
    """Ask a door to open; returns the transaction by which its answer and events are known.

    Raises:
        ConflictError: the locker is offline or no longer in use.
    """
    compartment = session.scalars(
        select(Compartment)
        .options(joinedload(Compartment.device).joinedload(Device.community))
        .where(Compartment.id == compartment_id)
    ).one()
    if compartment.device.retired_at is not None:
        raise ConflictError("locker_retired", lazy("This locker is no longer in use."))
    if not compartment.device.online:
        raise ConflictError(
            "locker_offline",
            lazy("The locker is offline: its doors cannot be opened now. Try again in a minute."),
        )
    command = OpenCompartment(
        transaction=new_transaction(),
        at=now,
        expires_at=now + COMMAND_LIFE,
        compartment=compartment.number,
    )
    session.add(
        Opening(
            transaction=command.transaction,
            compartment_id=compartment_id,
            parcel_id=parcel_id,
            state=OpeningState.ASKED,
            asked_at=now,
        )
    )
    outbox.enqueue(session, address_of(compartment.device), command, now)
    session.flush()
    return command.transaction


def unlock(
    session: Session, actor: Actor, parcel: Parcel, taker: Taker, now: datetime, *, path: str
) -> str:
    """Ask the door of a stored parcel to open; returns the transaction.

    Raises:
        ConflictError: it is not in a locker, is just being fetched or has gone; the locker is offline.
    """
    if parcel.place != Place.LOCKER or parcel.compartment_id is None:
        raise ConflictError(
            "not_in_locker", lazy("This parcel is not in a locker. See how it stands now.")
        )
    transaction = ask(session, parcel.compartment_id, now, parcel_id=parcel.id)
    if not move(
        session,
        parcel.id,
        (ParcelState.STORED,),
        now,
        state=ParcelState.UNLOCKING,
        opening=transaction,
        taker=taker,
        fault=Fault.NONE,
        deadline=now + OPEN_WITHIN,
    ):
        raise ConflictError(
            "being_fetched",
            lazy("The compartment is being opened already, or the parcel has gone."),
        )
    session.refresh(parcel)
    audit.record(
        session,
        actor,
        "parcel.open_to_take",
        ("parcel", parcel.id),
        path=path,
        compartment=parcel.compartment_id,
        taker=str(taker),
        transaction=transaction,
    )
    return transaction
