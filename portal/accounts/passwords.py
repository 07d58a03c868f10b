"""Passwords: argon2id, and the rule for new ones (NIST SP 800-63B 5.1.1.2: length counts, composition does not)."""

from __future__ import annotations

import unicodedata
from typing import Any, Final

from argon2 import PasswordHasher

from portal.core.i18n import lazy

SHORTEST: Final = 8
LONGEST: Final = 128
_FEW_DIFFERENT: Final = 4
_hasher = PasswordHasher()
_COMMON_WORDS: Final = (
    "12345678 123456789 1234567890 0123456789 87654321 987654321 password password1 passw0rd "
    "qwertyui qwerty123 qwertyuiop asdfghjk asdfghjkl zxcvbnm1 1q2w3e4r 1qaz2wsx q1w2e3r4 "
    "abc12345 abcd1234 a1234567 a12345678 aa123456 abc123456 woaini520 woaini1314 5201314520 "
    "iloveyou admin123 admin888 letmein1 welcome1 11112222 12341234 12344321 88888888 "
    "66666666 00000000 xiaoming 147258369 123123123 123321123 789456123 asd123456 qwe123456 "
    "zxc123456 linli123"
)
_COMMON: Final = frozenset(_COMMON_WORDS.split())


def normalised(password: str) -> str:
    """The same password whichever way a keyboard composes it (NFKD, as Flask-Security does)."""
    return unicodedata.normalize("NFKD", password)


def weakness(password: str, *about: str) -> Any | None:
    """What is wrong with a new password, as a translated sentence; ``None`` when nothing is.

    Args:
        about: what others know of the person (phone, document number, name): not to be used.
    """
    text = normalised(password)
    if len(text) < SHORTEST:
        return lazy("Use at least %(number)s characters.", number=SHORTEST)
    if len(text) > LONGEST:
        return lazy("Use at most %(number)s characters.", number=LONGEST)
    lower = text.lower()
    if lower in _COMMON or len(set(lower)) < _FEW_DIFFERENT:
        return lazy("This password is too easy to guess. Choose another one.")
    for known in about:
        if len(known) >= 4 and (known.lower() in lower or lower in known.lower()):
            return lazy("Do not use your name, phone or document number as a password.")
    return None


def hash_password(password: str) -> str:
    """The argon2id hash to store."""
    return _hasher.hash(normalised(password))
