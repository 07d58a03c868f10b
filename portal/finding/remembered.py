"""What somebody looked for last, in their own session cookie, sealed and for a quarter of an hour.

So the page of results has an address without a word of the text in it, and comes back after looking at a
result or changing the language. The cookie is encrypted with the field key and counts for its account only.
"""

from __future__ import annotations

import base64
import binascii
import json
from datetime import datetime, timedelta
from typing import Final

from flask import session

from portal.core.crypto.envelope import EnvelopeError
from portal.core.protected import seal, unseal

KEY: Final = "search"
LASTS: Final = timedelta(minutes=15)


def _context(user_id: int) -> str:
    return f"session.search.{user_id}"


def keep(user_id: int, text: str, now: datetime) -> None:
    """Remember the text."""
    sealed = seal(json.dumps([now.isoformat(), text], ensure_ascii=False), _context(user_id))
    session[KEY] = base64.urlsafe_b64encode(sealed).decode("ascii")


def kept(user_id: int, now: datetime) -> str:
    """The text; empty when there is none, it is too old or somebody else's."""
    sealed = session.get(KEY)
    if not isinstance(sealed, str):
        return ""
    try:
        at, text = json.loads(unseal(base64.urlsafe_b64decode(sealed), _context(user_id)))
        fresh = now - datetime.fromisoformat(at) <= LASTS
    except (EnvelopeError, binascii.Error, ValueError, TypeError):
        return ""
    return str(text) if fresh else ""


def forget() -> None:
    """Clear it."""
    session.pop(KEY, None)
