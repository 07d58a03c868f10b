"""Codes sent to a phone: six digits, five minutes, five tries, each once (A3).

For signing in without a password and for proving a phone number. Neither the number nor the code is stored,
only keyed hashes. How codes travel is :mod:`portal.accounts.sms`; how often an address may ask is limited by
the pages.

::

    sent ──right code──► used          a new code for the phone makes the one before worthless
      │ five wrong ones, or five minutes
      ▼
     dead
"""

from __future__ import annotations

import secrets
import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from sqlalchemy import CursorResult, func, select, update
from sqlalchemy.orm import Session

from portal.accounts.models import PhoneCode
from portal.core.db import won
from portal.core.errors import TooManyError
from portal.core.i18n import lazy
from portal.core.protected import find_hash

LASTS: Final = timedelta(minutes=5)
TRIES: Final = 5
GAP: Final = timedelta(seconds=60)
"""Between two codes for one phone."""
MOST_AN_HOUR: Final = 5
MOST_A_DAY: Final = 10


class Purpose(StrEnum):
    """What a code is for; it is good for nothing else."""

    SIGN_IN = "sign_in"
    PROVE_PHONE = "prove_phone"


@dataclass(frozen=True, slots=True)
class Issued:
    """A new code for the sender; ``code`` is kept nowhere."""

    id: int
    code: str
    expires_at: datetime


def _phone_hash(phone: str) -> str:
    return find_hash(phone, "otp_phone")


def _code_hash(code_id: int, code: str) -> str:
    return find_hash(f"{code_id}:{code}", "otp_code")


def issue(session: Session, phone: str, purpose: Purpose, now: datetime) -> Issued:
    """Make a code for a phone number (normalised).

    Raises:
        TooManyError: this phone has been sent enough for now.
    """
    hashed = _phone_hash(phone)
    for span, most in (
        (GAP, 1),
        (timedelta(hours=1), MOST_AN_HOUR),
        (timedelta(days=1), MOST_A_DAY),
    ):
        sent = session.scalar(
            select(func.count())
            .select_from(PhoneCode)
            .where(PhoneCode.phone_hash == hashed, PhoneCode.created_at > now - span)
        )
        if (sent or 0) >= most:
            raise TooManyError(
                "phone_codes",
                lazy("A code was sent a moment ago. Wait a minute before you ask for another one.")
                if most == 1
                else lazy("Too many codes were sent to this phone. Try again later."),
                field="phone",
            )
    session.execute(
        update(PhoneCode)
        .where(
            PhoneCode.phone_hash == hashed,
            PhoneCode.purpose == purpose.value,
            PhoneCode.used_at.is_(None),
        )
        .values(tries=TRIES)
    )
    code = f"{secrets.randbelow(10**6):06}"
    row = PhoneCode(
        phone_hash=hashed,
        purpose=purpose.value,
        code_hash="",
        created_at=now,
        expires_at=now + LASTS,
    )
    session.add(row)
    session.flush()
    row.code_hash = _code_hash(row.id, code)
    session.flush()
    return Issued(row.id, code, row.expires_at)


def redeem(session: Session, phone: str, purpose: Purpose, typed: str, now: datetime) -> bool:
    """Whether this is the phone's code; a right one is used up, a wrong one is counted.

    The caller commits in either case: a try that is rolled back would not count.
    """
    newest = session.scalars(
        select(PhoneCode.id)
        .where(
            PhoneCode.phone_hash == _phone_hash(phone),
            PhoneCode.purpose == purpose.value,
            PhoneCode.used_at.is_(None),
            PhoneCode.expires_at > now,
        )
        .order_by(PhoneCode.id.desc())
        .limit(1)
    ).first()
    if newest is None:
        return False
    digits = "".join(unicodedata.normalize("NFKC", typed).split())
    tried = session.execute(
        update(PhoneCode)
        .where(PhoneCode.id == newest, PhoneCode.tries < TRIES, PhoneCode.used_at.is_(None))
        .values(tries=PhoneCode.tries + 1)
    )
    assert isinstance(tried, CursorResult)  # noqa: S101 - narrows the type for mypy
    if tried.rowcount != 1:
        return False
    return won(
        session,
        update(PhoneCode)
        .where(
            PhoneCode.id == newest,
            PhoneCode.code_hash == _code_hash(newest, digits),
            PhoneCode.used_at.is_(None),
        )
        .values(used_at=now),
    )
