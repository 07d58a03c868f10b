"""A parcel is fetched: by its recipient, by whoever holds a code of it, or taken out by staff (G7).

A code or a button only asks the door to open. Fetched is what the door proves: opened, closed, empty.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload
from sqlalchemy.orm.interfaces import ORMOption

from portal.core import audit
from portal.core.errors import ConflictError, DomainError, TooManyError
from portal.core.i18n import lazy
from portal.core.permissions import Actor, found, not_found
from portal.parcels import codes
from portal.parcels.asking import unlock
from portal.parcels.claims import move
from portal.parcels.models import Parcel, ParcelState, PickupCode, Place, Taker
from portal.parcels.times import EXTENSION, MOST_EXTENSIONS

LABEL_LENGTH: Final = 20


def open_own(session: Session, actor: Actor, parcel_id: int, now: datetime) -> Parcel:
    """The recipient opens.

    Raises:
        NotFoundError: not this resident's.
        ConflictError: see :func:`unlock`.
    """
    parcel = own_one(session, actor, parcel_id)
    unlock(session, actor, parcel, Taker.RESIDENT, now, path=parcel.community.path)
    return parcel


def own_one(session: Session, actor: Actor, parcel_id: int) -> Parcel:
    """A parcel of this resident.

    Raises:
        NotFoundError: somebody else's, none, or one that was never laid in.
    """
    parcel = found(session.get(Parcel, parcel_id, options=_loaded()))
    if actor.resident_id is None or parcel.resident_id != actor.resident_id:
        raise not_found()
    if parcel.stored_at is None:
        raise not_found()
    return parcel


def _loaded() -> tuple[ORMOption, ...]:
    return (
        joinedload(Parcel.community),
        joinedload(Parcel.device),
        joinedload(Parcel.compartment),
    )


def by_token(session: Session, token: str) -> Parcel:
    """The parcel behind a link.

    Raises:
        NotFoundError: no link has this token, or the parcel has gone.
    """
    row = session.scalars(
        select(PickupCode).where(PickupCode.token_hash == codes.token_hash(token))
    ).one_or_none()
    return found(session.get(Parcel, found(row).parcel_id, options=_loaded()))


def open_by_token(session: Session, token: str, now: datetime) -> Parcel:
    """Whoever has the link opens.

    Raises:
        NotFoundError: see :func:`by_token`; ConflictError: see :func:`unlock`.
    """
    parcel = by_token(session, token)
    unlock(session, _holder(parcel), parcel, Taker.PROXY, now, path=parcel.community.path)
    return parcel


def by_code(session: Session, code: str, device_id: int) -> tuple[Parcel, str]:
    """The parcel in this locker whose code was typed, and the token of that code.

    Raises:
        DomainError: one sentence whatever is wrong.
    """
    hashed = codes.code_hash(code)
    row = None
    if hashed is not None:
        row = session.scalars(
            select(PickupCode)
            .join(Parcel, PickupCode.parcel_id == Parcel.id)
            .where(
                PickupCode.code_hash == hashed,
                Parcel.device_id == device_id,
                Parcel.place == Place.LOCKER,
            )
        ).one_or_none()
    if row is None:
        raise DomainError(
            "code_wrong",
            lazy("This code opens nothing here. Check the eight digits and the locker's name."),
            field="code",
        )
    return found(session.get(Parcel, row.parcel_id, options=_loaded())), row.token


def _holder(parcel: Parcel) -> Actor:
    """Whoever holds the code is nobody known."""
    return Actor(label=f"holder:{parcel.id}")


def share(session: Session, actor: Actor, parcel_id: int, label: str, now: datetime) -> PickupCode:
    """Make a one-time code for somebody else.

    Raises:
        NotFoundError: not this resident's.
        ConflictError: the parcel has gone.
        DomainError: the label is too long; TooManyError: three are out already.
    """
    parcel = own_one(session, actor, parcel_id)
    label = label.strip()
    if len(label) > LABEL_LENGTH or not label.isprintable():
        raise DomainError("label_long", lazy("At most 20 characters, on one line."), field="label")
    if parcel.state != ParcelState.STORED:
        raise ConflictError("gone", lazy("This parcel cannot be shared any more."))
    if codes.count_shared(session, parcel_id) >= codes.MOST_SHARED:
        raise TooManyError(
            "shared_often", lazy("Three people have a code already. Take one back first.")
        )
    row = codes.issue(session, parcel_id, now, shared=True, label=label)
    audit.record(session, actor, "parcel.share", ("parcel", parcel_id), path=parcel.community.path)
    return row


def unshare(session: Session, actor: Actor, parcel_id: int, code_id: int) -> None:
    """Take a code for somebody else back.

    Raises:
        NotFoundError: not this resident's, or no such code.
    """
    parcel = own_one(session, actor, parcel_id)
    row = found(session.get(PickupCode, code_id))
    if row.parcel_id != parcel.id or not row.shared:
        raise not_found()
    session.delete(row)
    audit.record(
        session, actor, "parcel.unshare", ("parcel", parcel_id), path=parcel.community.path
    )


def extend(session: Session, actor: Actor, parcel_id: int, now: datetime) -> Parcel:
    """The recipient asks for another day, free of charge.

    Raises:
        NotFoundError: not this resident's.
        ConflictError: it has gone, or was extended twice.
    """
    parcel = own_one(session, actor, parcel_id)
    if parcel.extensions >= MOST_EXTENSIONS or not add_time(session, parcel, now):
        raise ConflictError(
            "extended", lazy("This parcel cannot be kept longer. Please fetch it soon.")
        )
    audit.record(session, actor, "parcel.extend", ("parcel", parcel_id), path=parcel.community.path)
    return parcel


def add_time(session: Session, parcel: Parcel, now: datetime) -> bool:
    """Put off when a stored parcel is overdue; whether that was still possible."""
    due = max(parcel.due_at or now, now) + EXTENSION
    done = move(
        session,
        parcel.id,
        (ParcelState.STORED,),
        now,
        due_at=due,
        extended_at=now,
        extensions=parcel.extensions + 1,
    )
    session.refresh(parcel)
    return done
