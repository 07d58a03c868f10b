"""Passwords: argon2id, and the rule for new ones.

Length and how hard it is to guess count, composition does not (NIST SP 800-63B 5.1.1.2): zxcvbn estimates the
guesses with the lists of common passwords, names and keyboard patterns that it brings along, and with what
others know of the person. Where an assessor asks for a mix of kinds of characters (MLPS), it is configured
for staff (``LINLI_PASSWORD_CLASSES``).
"""

from __future__ import annotations

import unicodedata
from datetime import datetime
from typing import Any, Final

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError
from sqlalchemy import update
from sqlalchemy.orm import Session
from zxcvbn import zxcvbn

from portal.accounts import sessions
from portal.accounts.models import User
from portal.core import audit
from portal.core.errors import DomainError
from portal.core.i18n import lazy
from portal.core.permissions import Actor

SHORTEST: Final = 10
LONGEST: Final = 128
GOOD_SCORE: Final = 3
"""Of zxcvbn's 0 to 4: more than 10^8 guesses, against argon2id and a lock-out."""
_LOOKED_AT: Final = 64
"""What zxcvbn gets to see; beyond that its time grows and no guess gets easier."""
_hasher = PasswordHasher()
_LOCAL: Final = [
    "linli",
    "邻里",
    "woaini",
    "woaini520",
    "woaini1314",
    "5201314520",
    "5201314",
    "xiaoming",
    "nihao",
    "mima",
    "zhongguo",
    "beijing",
    "shanghai",
    "1qaz2wsx",
    "admin888",
    "a123456",
    "aa123456",
]
"""What is common here and not in zxcvbn's lists."""


def normalised(password: str) -> str:
    """The same password whichever way a keyboard composes it (NFKD, as Flask-Security does)."""
    return unicodedata.normalize("NFKD", password)


def weakness(password: str, *about: str, classes: int = 0) -> Any | None:
    """What is wrong with a new password, as a translated sentence; ``None`` when nothing is.

    Args:
        about: what others know of the person (phone, document number, name): not to be used.
        classes: how many kinds of characters (small, capital, digit, other) it has to mix.
    """
    text = normalised(password)
    if len(text) < SHORTEST:
        return lazy("Use at least %(number)s characters.", number=SHORTEST)
    if len(text) > LONGEST:
        return lazy("Use at most %(number)s characters.", number=LONGEST)
    lower = text.lower()
    for known in about:
        if len(known) >= 4 and (known.lower() in lower or lower in known.lower()):
            return lazy("Do not use your name, phone or document number as a password.")
    if _kinds(text) < classes:
        return lazy(
            "Mix at least %(number)s of: small letters, capital letters, digits, other characters.",
            number=classes,
        )
    guess = zxcvbn(text[:_LOOKED_AT], user_inputs=[*_LOCAL, *about], max_length=_LOOKED_AT)
    if guess["score"] < GOOD_SCORE:
        return lazy(
            "This password is too easy to guess. Choose another one, for example three words that "
            "have nothing to do with each other."
        )
    return None


def _kinds(text: str) -> int:
    return sum(
        (
            any(c.islower() for c in text),
            any(c.isupper() for c in text),
            any(c.isdigit() for c in text),
            any(not c.isalnum() for c in text),
        )
    )


def hash_password(password: str) -> str:
    """The argon2id hash to store."""
    return _hasher.hash(normalised(password))


def is_password(stored: str, typed: str) -> bool:
    """Whether this is the password behind the hash."""
    try:
        return _hasher.verify(stored, normalised(typed))
    except (Argon2Error, InvalidHashError):
        return False


def change(
    session: Session,
    actor: Actor,
    user: User,
    old: str,
    new: str,
    now: datetime,
    *,
    session_id: int | None,
    classes: int = 0,
) -> None:
    """Give oneself a new password; every other session of the account ends.

    Raises:
        DomainError: ``old_wrong``, ``weak`` or ``same``, each with its field.
    """
    if not is_password(user.password, old):
        raise DomainError("old_wrong", lazy("This is not your present password."), field="old")
    if old == new:
        raise DomainError("same", lazy("The new password is the old one."), field="password")
    fault = weakness(new, user.username or "", classes=classes)
    if fault is not None:
        raise DomainError("weak", fault, field="password")
    session.execute(
        update(User)
        .where(User.id == user.id)
        .values(password=hash_password(new), must_change_password=False, password_changed_at=now)
    )
    sessions.end_all(session, user.id, now, "password", besides=session_id)
    audit.record(session, actor, "password.change", ("account", user.id))
