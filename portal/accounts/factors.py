"""The second factor of staff: the authenticator's codes, each good for once, and recovery codes for when it is lost.

Recovery codes are shown once and kept as keyed hashes: 60 random bits each need no slow hash. A new set makes
the old one worthless.
"""

from __future__ import annotations

import secrets
import unicodedata
from datetime import datetime
from typing import Any, Final

import pyotp
from flask_security.totp import Totp
from passlib.exc import TokenError
from sqlalchemy import CursorResult, delete, func, select, update
from sqlalchemy.orm import Session

from portal.accounts.models import RecoveryCode, User
from portal.core import audit
from portal.core.db import Database, won
from portal.core.errors import DomainError
from portal.core.i18n import lazy
from portal.core.permissions import Actor
from portal.core.protected import find_hash

ISSUER: Final = "Linli"
STEP_SECONDS: Final = 30
CODES: Final = 10
_LETTERS: Final = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"


def new_totp_secret() -> str:
    """A fresh authenticator secret, base 32."""
    return pyotp.random_base32()


def totp_uri(secret: str, username: str) -> str:
    """What the authenticator's QR code says, and what the account keeps (encrypted)."""
    return pyotp.TOTP(secret).provisioning_uri(name=username or "linli", issuer_name=ISSUER)


def counter_of(secret: str, typed: str, moment: datetime) -> int | None:
    """The time step whose code this is, one step of clock error either way; ``None``: it is wrong."""
    digits = "".join(unicodedata.normalize("NFKC", typed).split())
    totp = pyotp.TOTP(secret)
    here = int(moment.timestamp()) // STEP_SECONDS
    for counter in (here, here - 1, here + 1):
        if secrets.compare_digest(totp.generate_otp(counter).encode(), digits.encode()):
            return counter
    return None


def use_counter(session: Session, user_id: int, counter: int) -> bool:
    """Mark a time step as used; ``False`` when it, or a later one, was used before: of two at once one wins."""
    return won(
        session,
        update(User)
        .where(
            User.id == user_id,
            (User.totp_last_counter.is_(None)) | (User.totp_last_counter < counter),
        )
        .values(totp_last_counter=counter),
    )


class OnceOnlyTotp(Totp):  # type: ignore[misc]  # flask_security is not followed
    """Flask-Security's codes, none of which works twice."""

    def __init__(self, secrets_by_id: dict[str, str], issuer: str, database: Database) -> None:
        super().__init__(secrets_by_id, issuer)
        self._database = database

    def get_last_counter(self, user: User) -> int | None:
        """The last time step used."""
        return user.totp_last_counter

    def set_last_counter(self, user: User, tmatch: Any) -> None:
        """Mark it as used.

        Raises:
            TokenError: another request used it at the same moment.
        """
        with self._database.write() as session:
            if not use_counter(session, user.id, tmatch.counter):
                raise TokenError("this code was used already")
        user.totp_last_counter = tmatch.counter


def set_authenticator(
    session: Session,
    actor: Actor,
    user: User,
    secret: str,
    typed: str,
    now: datetime,
    moment: datetime,
) -> list[str]:
    """Take an authenticator into use, proven by a code of it; returns a new set of recovery codes.

    Args:
        now: the moment that goes into the books.
        moment: the moment by the clock that the phone has too.

    Raises:
        DomainError: ``bad_code``.
    """
    counter = counter_of(secret, typed, moment)
    if counter is None:
        raise DomainError(
            "bad_code",
            lazy("This code is not right or not valid any more. Enter the next one."),
            field="code",
        )
    session.execute(
        update(User)
        .where(User.id == user.id)
        .values(
            tf_primary_method="authenticator",
            tf_totp_secret=totp_uri(secret, user.username or ""),
            totp_last_counter=counter,
        )
    )
    audit.record(session, actor, "authenticator.set", ("account", user.id))
    return new_recovery_codes(session, actor, user.id, now)


def _plain(typed: str) -> str:
    return "".join(c for c in typed.upper() if c.isalnum())


def _hash(user_id: int, typed: str) -> str:
    return find_hash(f"{user_id}:{_plain(typed)}", "recovery_code")


def new_recovery_codes(session: Session, actor: Actor, user_id: int, now: datetime) -> list[str]:
    """Ten codes ``XXXX-XXXX-XXXX`` instead of whatever there was."""
    session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user_id))
    codes = [
        "-".join("".join(secrets.choice(_LETTERS) for _ in range(4)) for _ in range(3))
        for _ in range(CODES)
    ]
    session.add_all(
        RecoveryCode(user_id=user_id, code_hash=_hash(user_id, code), created_at=now)
        for code in codes
    )
    audit.record(session, actor, "recovery_codes.make", ("account", user_id), codes=len(codes))
    return codes


def use_recovery_code(
    session: Session, actor: Actor, user_id: int, typed: str, now: datetime
) -> bool:
    """Use a code up; ``False`` when there is none like it, or it was used."""
    result = session.execute(
        update(RecoveryCode)
        .where(
            RecoveryCode.user_id == user_id,
            RecoveryCode.code_hash == _hash(user_id, typed),
            RecoveryCode.used_at.is_(None),
        )
        .values(used_at=now)
    )
    assert isinstance(result, CursorResult)  # noqa: S101 - narrows the type for mypy
    if result.rowcount != 1:
        return False
    audit.record(session, actor, "recovery_code.use", ("account", user_id))
    return True


def recovery_codes_left(session: Session, user_id: int) -> int:
    """How many can still be used."""
    return (
        session.scalar(
            select(func.count())
            .select_from(RecoveryCode)
            .where(RecoveryCode.user_id == user_id, RecoveryCode.used_at.is_(None))
        )
        or 0
    )
