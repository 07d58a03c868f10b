"""The name a person types to sign in, normalised and hashed: a user name for staff, a phone number for residents.

Only the keyed hash is stored, so that the table of accounts names no resident.
"""

from __future__ import annotations

import unicodedata

from portal.core.identifiers import check_phone
from portal.core.protected import find_hash


def normalise(typed: str) -> str:
    """A phone number as it is kept (``+86 138 0013 8000`` is ``13800138000``), else lower case (NFKC)."""
    phone = check_phone(typed)
    if phone.valid:
        return phone.value
    return unicodedata.normalize("NFKC", typed).strip().lower()


def sign_in_hash(typed: str) -> str:
    """What ``users.sign_in_hash`` holds for this name."""
    return find_hash(normalise(typed), "sign_in")
