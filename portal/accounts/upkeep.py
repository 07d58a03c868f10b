"""What the worker does for accounts by the clock: dormant ones are disabled, what has lapsed is forgotten."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from portal.accounts import sessions
from portal.accounts.models import LockOut, PasskeyChallenge, PhoneCode, SignInSession, User
from portal.core import audit
from portal.core.permissions import SYSTEM

SESSIONS_KEPT: Final = timedelta(days=183)
"""Six months (MLPS), as the sign-in history of the person."""
LOCK_OUTS_KEPT: Final = timedelta(days=2)
CODES_KEPT: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Done:
    """How many accounts were disabled."""

    disabled: int


def tidy(session: Session, now: datetime, dormant_after: timedelta) -> Done:
    """Disable staff accounts that nobody used for so long, and delete what has lapsed."""
    last_used = func.coalesce(User.last_sign_in_at, User.created_at)
    limit = now - dormant_after
    dormant = session.scalars(
        select(User.id).where(
            User.resident_id.is_(None),
            User.active.is_(True),
            last_used < limit,
            # Somebody has enabled it since: that counts as a use.
            (User.active_changed_at.is_(None)) | (User.active_changed_at < limit),
        )
    ).all()
    for user_id in dormant:
        session.execute(
            update(User)
            .where(User.id == user_id)
            .values(active=False, active_changed_at=now, disabled_reason="dormant")
        )
        sessions.end_all(session, user_id, now, "disabled")
        audit.record(session, SYSTEM, "account.disable", ("account", user_id), reason="dormant")
    session.execute(delete(SignInSession).where(SignInSession.last_seen_at < now - SESSIONS_KEPT))
    session.execute(delete(LockOut).where(LockOut.last_failed_at < now - LOCK_OUTS_KEPT))
    session.execute(delete(PasskeyChallenge).where(PasskeyChallenge.expires_at < now))
    session.execute(delete(PhoneCode).where(PhoneCode.created_at < now - CODES_KEPT))
    return Done(disabled=len(dormant))
