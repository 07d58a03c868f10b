"""Codes: a courier's access, and what lets somebody fetch a parcel. Random, found by keyed hash."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from portal.core.identifiers.typed_text import compact
from portal.core.protected import find_hash
from portal.parcels.models import PickupCode

ALPHABET: Final = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
"""32 signs that are not mistaken for each other."""
ACCESS_LENGTH: Final = 16
"""80 random bits, written in groups of four."""
PICKUP_DIGITS: Final = 8
TOKEN_BYTES: Final = 32
MOST_SHARED: Final = 3
"""Codes for others that one parcel may have at once."""


def new_access_code() -> str:
    """``ABCD-EFGH-JKLM-NPQR``."""
    signs = "".join(secrets.choice(ALPHABET) for _ in range(ACCESS_LENGTH))
    return "-".join(signs[start : start + 4] for start in range(0, ACCESS_LENGTH, 4))


def access_hash(code: str) -> str | None:
    """Keyed hash of a courier's code as it was typed; ``None`` for what cannot be one."""
    signs = compact(code).replace("-", "").upper()
    if len(signs) != ACCESS_LENGTH or not set(signs) <= set(ALPHABET):
        return None
    return find_hash(signs, "courier_access")


def code_hash(code: str) -> str | None:
    """Keyed hash of a pick-up code as it was typed; ``None`` for what cannot be one."""
    digits = compact(code)
    if len(digits) != PICKUP_DIGITS or not (digits.isascii() and digits.isdigit()):
        return None
    return find_hash(digits, "pickup_code")


def token_hash(token: str) -> str:
    """Keyed hash of a link's token."""
    return find_hash(token, "pickup_token")


def issue(
    session: Session, parcel_id: int, now: datetime, *, shared: bool = False, label: str = ""
) -> PickupCode:
    """Make a pick-up code that no other parcel has."""
    while True:
        code = f"{secrets.randbelow(10**PICKUP_DIGITS):0{PICKUP_DIGITS}}"
        hashed = code_hash(code)
        if session.scalar(select(PickupCode.id).where(PickupCode.code_hash == hashed)) is None:
            break
    token = secrets.token_urlsafe(TOKEN_BYTES)
    row = PickupCode(
        parcel_id=parcel_id,
        shared=shared,
        label=label,
        code=code,
        code_hash=hashed,
        token=token,
        token_hash=token_hash(token),
        created_at=now,
    )
    session.add(row)
    session.flush()
    return row


def of_parcel(session: Session, parcel_id: int) -> Sequence[PickupCode]:
    """The codes of a parcel, the recipient's own first."""
    return session.scalars(
        select(PickupCode)
        .where(PickupCode.parcel_id == parcel_id)
        .order_by(PickupCode.shared, PickupCode.id)
    ).all()


def count_shared(session: Session, parcel_id: int) -> int:
    """How many others may fetch it."""
    return (
        session.scalar(
            select(func.count())
            .select_from(PickupCode)
            .where(PickupCode.parcel_id == parcel_id, PickupCode.shared.is_(True))
        )
        or 0
    )


def forget(session: Session, parcel_id: int) -> None:
    """The parcel has gone: its codes open nothing any more and are deleted."""
    session.execute(
        delete(PickupCode)
        .where(PickupCode.parcel_id == parcel_id)
        .execution_options(synchronize_session=False)
    )
