"""What a person has entered so far while registering, kept on their own phone, sealed.

It lies in a cookie of its own that survives closing the browser and lapses a day after the consent. The cookie
is encrypted with the field key, so that whoever reads it learns nothing, and out of reach of scripts; it holds
the hash of the password, never the password. Nothing is kept on the server about people who never send.

The next person to take the phone must not read it either. So a draft is *open* only to the browser session that
wrote it, and only for half an hour after the last step; later, or after the browser was closed, it is *locked*:
to go on, one types the mobile number that is in it. ::

    begin ──► open ──(half an hour, or the browser closed)──► locked ──unlock (number)──► open
                └──────────── finish, discard, or a day later ──────────┴──► gone

A draft without a number holds nothing about anybody yet, and is never locked.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import secrets
from datetime import datetime, timedelta
from typing import Any, Final

from flask import Response, after_this_request, current_app, g, request, session

from portal.core.crypto.envelope import EnvelopeError
from portal.core.protected import seal, unseal

COOKIE: Final = "registration"
PATH: Final = "/r"
OPEN: Final = "registration_open"
DONE: Final = "registered"
CONTEXT: Final = "session.registration"
LASTS: Final = timedelta(days=1)
OPEN_FOR: Final = timedelta(minutes=30)

Draft = dict[str, Any]


def begin(uscc: str, text_id: int, now: datetime) -> None:
    """Start with the consent; what was entered before in the same community stays if it is open."""
    kept = read(uscc, now)
    draft: Draft = (
        kept if kept is not None and is_open(kept, now) else {"key": secrets.token_hex(8)}
    )
    draft.update(uscc=uscc, text_id=text_id, consent_at=now.isoformat())
    write(draft, now)


def write(draft: Draft, now: datetime) -> None:
    """Keep the draft, and keep it open."""
    sealed = seal(json.dumps(draft, ensure_ascii=False), CONTEXT)
    g.registration = draft
    session[OPEN] = {"key": draft["key"], "at": now.isoformat()}
    _send(base64.urlsafe_b64encode(sealed).decode("ascii"), draft, now)


def _send(value: str, draft: Draft, now: datetime) -> None:
    left = datetime.fromisoformat(draft["consent_at"]) + LASTS - now

    @after_this_request
    def keep(response: Response) -> Response:
        response.set_cookie(
            COOKIE,
            value,
            max_age=max(0, int(left.total_seconds())),
            path=PATH,
            secure=bool(current_app.config.get("SESSION_COOKIE_SECURE")),
            httponly=True,
            samesite="Lax",
        )
        return response


def read(uscc: str, now: datetime) -> Draft | None:
    """The draft for this community, open or locked; ``None`` when there is none, or it is too old or not readable."""
    draft = g.get("registration")
    if draft is None:
        try:
            sealed = base64.urlsafe_b64decode(request.cookies.get(COOKIE, ""))
            draft = json.loads(unseal(sealed, CONTEXT))
            begun = datetime.fromisoformat(draft["consent_at"])
        except (EnvelopeError, binascii.Error, ValueError, KeyError, TypeError):
            return None
        if now - begun > LASTS:
            return None
    return dict(draft) if draft.get("uscc") == uscc else None


def is_open(draft: Draft, now: datetime) -> bool:
    """Whether this browser session may see what is in it."""
    if "phone" not in draft:
        return True
    kept: Any = session.get(OPEN)
    try:
        fits = hmac.compare_digest(kept["key"], draft["key"])
        return bool(fits) and now - datetime.fromisoformat(kept["at"]) <= OPEN_FOR
    except (KeyError, TypeError, ValueError):
        return False


def read_open(uscc: str, now: datetime) -> Draft | None:
    """The draft for this community if it is open."""
    draft = read(uscc, now)
    return draft if draft is not None and is_open(draft, now) else None


def unlock(draft: Draft, phone: str, now: datetime) -> bool:
    """Open a locked draft to whoever knows the number in it; ``phone`` as ``check_phone`` gives it."""
    if not hmac.compare_digest(phone.encode(), str(draft.get("phone", "")).encode()):
        return False
    write(draft, now)
    return True


def discard() -> None:
    """Forget what was entered."""
    session.pop(OPEN, None)
    g.pop("registration", None)

    @after_this_request
    def drop(response: Response) -> Response:
        response.delete_cookie(COOKIE, path=PATH)
        return response


def finish(uscc: str) -> None:
    """Forget what was entered; remember only that this community has been told."""
    discard()
    session[DONE] = uscc


def is_finished(uscc: str) -> bool:
    """Whether this browser has just registered in the community."""
    return bool(session.get(DONE) == uscc)
