"""The shelf for what fits no compartment, and meals that wait at a gate (G7).

On the shelf nothing is proved by a door: staff or courier say where a parcel lies, staff hand it out
against the recipient's code.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final

from sqlalchemy import select, update
from sqlalchemy.orm import Session, joinedload

from portal.core import audit
from portal.core.db import won
from portal.core.errors import ConflictError, DomainError, TooManyError
from portal.core.i18n import lazy
from portal.core.permissions import Actor, Permission, found, not_found, require
from portal.parcels import codes
from portal.parcels.claims import move
from portal.parcels.models import Arrival, Parcel, ParcelState, PickupCode, Place
from portal.parcels.recipients import Recipient
from portal.parcels.times import FETCH_WITHIN, MEAL_LIFE
from portal.regions.models import Region

LABEL: Final = re.compile(r"[A-Z0-9](?:[A-Z0-9-]{0,6}[A-Z0-9])?")
"""A place such as ``A-3``: letters, digits, hyphens, so that it cannot name a person."""
MOST_MEALS: Final = 3


def check_label(text: str) -> str:
    """The label as it is kept.

    Raises:
        DomainError: it is none.
    """
    label = text.strip().upper()
    if not LABEL.fullmatch(label):
        raise DomainError(
            "label_malformed",
            lazy("A place has 1 to 8 letters, digits or hyphens, such as A-3."),
            field="label",
        )
    return label


def put(
    session: Session,
    actor: Actor,
    community: Region,
    recipient: Recipient,
    label: str,
    now: datetime,
    *,
    courier_id: int | None = None,
    company: str = "",
) -> Parcel:
    """Lay a parcel on the shelf.

    Args:
        courier_id: the courier who does; without one the actor must be staff with the permission.

    Raises:
        DomainError: the label is malformed.
        NotFoundError, ForbiddenError: the actor may not.
    """
    if courier_id is None:
        require(actor, Permission.PARCEL_HANDLE, community.path)
    parcel = Parcel(
        community_id=community.id,
        resident_id=recipient.resident_id,
        dwelling_id=recipient.dwelling_id,
        place=Place.SHELF,
        shelf_label=check_label(label),
        company=company,
        state=ParcelState.STORED,
        courier_id=courier_id,
        created_at=now,
        changed_at=now,
        stored_at=now,
        due_at=now + FETCH_WITHIN,
    )
    session.add(parcel)
    session.flush()
    codes.issue(session, parcel.id, now)
    audit.record(
        session,
        actor,
        "parcel.shelve",
        ("parcel", parcel.id),
        path=community.path,
        label=parcel.shelf_label,
    )
    return parcel


def hand_out(session: Session, actor: Actor, parcel_id: int, code: str, now: datetime) -> Parcel:
    """Give a parcel from the shelf to whoever names its code.

    Raises:
        NotFoundError, ForbiddenError: the actor may not.
        DomainError: the code is not this parcel's.
        ConflictError: it has gone already.
    """
    parcel = _on_shelf(session, actor, parcel_id)
    hashed = codes.code_hash(code)
    fits = hashed is not None and session.scalar(
        select(PickupCode.id).where(
            PickupCode.parcel_id == parcel_id, PickupCode.code_hash == hashed
        )
    )
    if not fits:
        raise DomainError(
            "code_wrong",
            lazy("This is not the code of this parcel. Ask for the eight digits again."),
            field="code",
        )
    return _end(session, actor, parcel, ParcelState.FETCHED, "parcel.hand_out", now)


def give_back(session: Session, actor: Actor, parcel_id: int, now: datetime) -> Parcel:
    """Give a parcel from the shelf back to its courier.

    Raises:
        NotFoundError, ForbiddenError: the actor may not; ConflictError: it has gone already.
    """
    parcel = _on_shelf(session, actor, parcel_id)
    return _end(session, actor, parcel, ParcelState.RETURNED, "parcel.give_back", now)


def _on_shelf(session: Session, actor: Actor, parcel_id: int) -> Parcel:
    parcel = found(session.get(Parcel, parcel_id, options=[joinedload(Parcel.community)]))
    require(actor, Permission.PARCEL_HANDLE, parcel.community.path)
    if parcel.place != Place.SHELF:
        raise not_found()
    return parcel


def _end(
    session: Session, actor: Actor, parcel: Parcel, state: ParcelState, action: str, now: datetime
) -> Parcel:
    if not move(session, parcel.id, (ParcelState.STORED,), now, state=state, ended_at=now):
        raise ConflictError("gone", lazy("This parcel has gone already."))
    codes.forget(session, parcel.id)
    session.refresh(parcel)
    audit.record(session, actor, action, ("parcel", parcel.id), path=parcel.community.path)
    return parcel


def announce_meal(
    session: Session,
    actor: Actor,
    community: Region,
    recipient: Recipient,
    place: str,
    now: datetime,
    *,
    courier_id: int | None = None,
) -> Arrival:
    """Tell a resident that a meal waits.

    Args:
        place: the name of a gate of the community.
        courier_id: as for :func:`put`.

    Raises:
        NotFoundError, ForbiddenError: the actor may not.
        TooManyError: three are announced to this resident already.
    """
    if courier_id is None:
        require(actor, Permission.PARCEL_HANDLE, community.path)
    if len(meals(session, recipient.resident_id, now)) >= MOST_MEALS:
        raise TooManyError("meals", lazy("This resident has been told already."))
    arrival = Arrival(
        community_id=community.id,
        resident_id=recipient.resident_id,
        place=place,
        courier_id=courier_id,
        created_at=now,
        expires_at=now + MEAL_LIFE,
    )
    session.add(arrival)
    session.flush()
    audit.record(session, actor, "meal.announce", ("meal", arrival.id), path=community.path)
    return arrival


def meals(session: Session, resident_id: int | None, now: datetime) -> list[Arrival]:
    """Meals that wait for a resident, the oldest first."""
    return list(
        session.scalars(
            select(Arrival)
            .where(
                Arrival.resident_id == resident_id,
                Arrival.expires_at > now,
                Arrival.cleared_at.is_(None),
            )
            .order_by(Arrival.id)
        )
    )


def clear_meal(session: Session, actor: Actor, arrival_id: int, now: datetime) -> None:
    """The resident has it; said twice it changes nothing.

    Raises:
        NotFoundError: not this resident's.
    """
    arrival = found(session.get(Arrival, arrival_id))
    if actor.resident_id is None or arrival.resident_id != actor.resident_id:
        raise not_found()
    won(
        session,
        update(Arrival)
        .where(Arrival.id == arrival_id, Arrival.cleared_at.is_(None))
        .values(cleared_at=now),
    )
