"""The name a person types to sign in, normalised and hashed: a user name for staff, a phone number for residents.

Only the keyed hash is stored, so that the table of accounts names no resident.
"""

from __future__ import annotations

import re
from typing import Final

from portal.core.protected import find_hash

_SEPARATORS: Final = re.compile(r"[\s\-()（）]+")
_PHONE: Final = re.compile(r"(?:\+|00)?\d{6,15}")
_CHINA: Final = re.compile(r"(?:\+|00)86(1\d{10})")


def normalise(typed: str) -> str:
    """Lower case, no blanks; a phone number as bare digits (``+86 138 0013 8000`` is ``13800138000``)."""
    text = typed.strip().lower().translate(_FULL_WIDTH)
    bare = _SEPARATORS.sub("", text)
    if not _PHONE.fullmatch(bare):
        return text
    mainland = _CHINA.fullmatch(bare)
    return mainland.group(1) if mainland else bare


_FULL_WIDTH: Final = {0xFF01 + i: 0x21 + i for i in range(94)}


def sign_in_hash(typed: str) -> str:
    """What ``users.sign_in_hash`` holds for this name."""
    return find_hash(normalise(typed), "sign_in")
