"""What a person has entered so far while registering, kept in their own session cookie, sealed.

The cookie is signed by Flask, and the draft in it encrypted with the field key: whoever reads the
cookie learns nothing. It holds the hash of the password, never the password, and lapses after an hour.
"""

from __future__ import annotations

import base64
import binascii
import json
from datetime import datetime, timedelta
from typing import Any, Final

from flask import session

from portal.core.crypto.envelope import EnvelopeError
from portal.core.protected import seal, unseal

KEY: Final = "registration"
DONE: Final = "registered"
CONTEXT: Final = "session.registration"
LASTS: Final = timedelta(hours=1)

Draft = dict[str, Any]


def begin(uscc: str, text_id: int, now: datetime) -> None:
    """Start with the consent; what was entered before in the same community stays."""
    draft = read(uscc, now) or {}
    draft.update(uscc=uscc, text_id=text_id, consent_at=now.isoformat())
    write(draft)


def write(draft: Draft) -> None:
    """Keep the draft."""
    sealed = seal(json.dumps(draft, ensure_ascii=False), CONTEXT)
    session[KEY] = base64.urlsafe_b64encode(sealed).decode("ascii")


def read(uscc: str, now: datetime) -> Draft | None:
    """The draft for this community; ``None`` when there is none, or it is too old or not readable."""
    kept = session.get(KEY)
    if not isinstance(kept, str):
        return None
    try:
        draft = json.loads(unseal(base64.urlsafe_b64decode(kept), CONTEXT))
        begun = datetime.fromisoformat(draft["consent_at"])
    except (EnvelopeError, binascii.Error, ValueError, KeyError, TypeError):
        return None
    if draft.get("uscc") != uscc or now - begun > LASTS:
        return None
    return dict(draft)


def finish(uscc: str) -> None:
    """Forget what was entered; remember only that this community has been told."""
    session.pop(KEY, None)
    session[DONE] = uscc


def is_finished(uscc: str) -> bool:
    """Whether this browser has just registered in the community."""
    return bool(session.get(DONE) == uscc)
