"""Sessions: who is signed in where, until when, and how it ended. Functions work in the caller's transaction.

::

    open ──seen──► open ──idle, absolute limit──────────────► ended (idle | expired)
      │                 sign out, ended from elsewhere, new password, account disabled
      └──────────────────────────────────────────────────────► ended (signed_out | remote | password | disabled)

The cookie (signed by Flask) holds a random token; a new one is made at every sign-in, so that nothing a
browser held before is of use afterwards.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select, update
from sqlalchemy.orm import Session, joinedload, selectinload

from portal.accounts.models import RoleGrant, SignInSession, User
from portal.config import Config
from portal.core import audit
from portal.core.db import won
from portal.core.permissions import Actor, not_found

SEEN_EVERY: Final = timedelta(minutes=1)
"""How often the moment of last use is written."""
LISTED: Final = 50


@dataclass(frozen=True, slots=True)
class Limits:
    """How long sessions last."""

    staff_idle: timedelta
    staff_longest: timedelta
    resident_longest: timedelta

    @classmethod
    def of(cls, config: Config) -> Limits:
        """As configured."""
        return cls(
            staff_idle=timedelta(minutes=config.staff_idle_minutes),
            staff_longest=timedelta(hours=config.staff_session_hours),
            resident_longest=timedelta(days=config.resident_session_days),
        )

    def over(self, row: SignInSession, *, staff: bool, now: datetime) -> str:
        """Why the session is over (``idle``, ``expired``); empty while it lasts."""
        if now - row.created_at >= (self.staff_longest if staff else self.resident_longest):
            return "expired"
        if staff and now - row.last_seen_at >= self.staff_idle:
            return "idle"
        return ""


@dataclass(frozen=True, slots=True)
class Opened:
    """A new session; ``token`` goes into the cookie and is kept nowhere."""

    id: int
    token: str
    new_device: bool


def digest_of(token: str) -> str:
    """What is stored of a token of 256 random bits; it needs no slow hash."""
    return hashlib.sha256(token.encode()).hexdigest()


def open_session(
    session: Session,
    user: User,
    *,
    method: str,
    now: datetime,
    device: str = "",
    device_token: str = "",
    address: str = "",
) -> Opened:
    """Begin a session; the account learns of it when the device never signed in before.

    Args:
        method: how: ``password``, ``password+code``, ``password+recovery``, ``passkey``, ``phone``.
        device: what to call the browser in lists, see :func:`device_name`.
        device_token: random text that this browser keeps between sessions.
        address: where it comes from; encrypted at rest, for the person's own list.
    """
    token = secrets.token_urlsafe(32)
    device_hash = digest_of(device_token) if device_token else ""
    known = session.scalars(
        select(SignInSession.device_hash).where(SignInSession.user_id == user.id).distinct()
    ).all()
    row = SignInSession(
        user_id=user.id,
        digest=digest_of(token),
        method=method,
        device=device[:80],
        device_hash=device_hash,
        new_device=bool(known) and device_hash not in known,
        address=address or None,
        created_at=now,
        last_seen_at=now,
    )
    session.add(row)
    session.flush()
    values: dict[str, object] = {"last_sign_in_at": now}
    if row.new_device:
        values["unseen_session_id"] = row.id
    session.execute(update(User).where(User.id == user.id).values(**values))
    audit.record(
        session,
        actor_label(user),
        "sign_in.ok",
        ("account", user.id),
        sign_in=row.id,
        method=method,
        new_device=row.new_device,
    )
    return Opened(row.id, token, row.new_device)


def actor_label(user: User) -> Actor:
    """The account as the one who acts, where no rights matter."""
    label = f"user:{user.id}" if user.resident_id is None else f"resident:{user.resident_id}"
    return Actor(label=label, user_id=user.id, resident_id=user.resident_id)


def find(session: Session, token: str) -> SignInSession | None:
    """The open session of a token, its account and grants loaded."""
    return session.scalars(
        select(SignInSession)
        .where(SignInSession.digest == digest_of(token), SignInSession.ended_at.is_(None))
        .options(
            joinedload(SignInSession.user)
            .selectinload(User.role_grants)
            .selectinload(RoleGrant.region)
        )
    ).one_or_none()


def needs_seen(row: SignInSession, now: datetime) -> bool:
    """Whether :func:`seen` would write."""
    return now - row.last_seen_at >= SEEN_EVERY


def seen(session: Session, session_id: int, now: datetime) -> None:
    """The person does something."""
    session.execute(
        update(SignInSession)
        .where(SignInSession.id == session_id, SignInSession.last_seen_at < now)
        .values(last_seen_at=now)
    )


def end(session: Session, session_id: int, now: datetime, reason: str) -> bool:
    """End one session; ``False`` when it had ended."""
    return won(
        session,
        update(SignInSession)
        .where(SignInSession.id == session_id, SignInSession.ended_at.is_(None))
        .values(ended_at=now, end_reason=reason),
    )


def end_all(
    session: Session, user_id: int, now: datetime, reason: str, *, besides: int | None = None
) -> None:
    """End every session of an account, but one where that is wanted."""
    condition = [SignInSession.user_id == user_id, SignInSession.ended_at.is_(None)]
    if besides is not None:
        condition.append(SignInSession.id != besides)
    session.execute(update(SignInSession).where(*condition).values(ended_at=now, end_reason=reason))


def end_own(session: Session, actor: Actor, session_id: int, now: datetime) -> bool:
    """End one of one's own sessions from elsewhere.

    Raises:
        NotFoundError: it is not there, or somebody else's.
    """
    owner = session.scalar(select(SignInSession.user_id).where(SignInSession.id == session_id))
    if owner is None or owner != actor.user_id:
        raise not_found()
    if not end(session, session_id, now, "remote"):
        return False
    audit.record(session, actor, "session.end", ("session", session_id))
    return True


def end_others(session: Session, actor: Actor, current_id: int, now: datetime) -> None:
    """End all one's sessions but the one at hand."""
    assert actor.user_id is not None  # noqa: S101 - asked of people only
    end_all(session, actor.user_id, now, "remote", besides=current_id)
    audit.record(session, actor, "session.end_others", ("account", actor.user_id))


def opened(session: Session, user_id: int, limits: Limits, now: datetime) -> list[SignInSession]:
    """The sessions that last, the latest used first."""
    rows = session.scalars(
        select(SignInSession)
        .where(SignInSession.user_id == user_id, SignInSession.ended_at.is_(None))
        .options(selectinload(SignInSession.user))
        .order_by(SignInSession.last_seen_at.desc())
        .limit(LISTED)
    )
    return [
        row for row in rows if not limits.over(row, staff=row.user.resident_id is None, now=now)
    ]


def history(session: Session, user_id: int, before: int = 0) -> list[SignInSession]:
    """Past and present sign-ins, newest first, a page of them and one more."""
    query = select(SignInSession).where(SignInSession.user_id == user_id)
    if before:
        query = query.where(SignInSession.id < before)
    return list(session.scalars(query.order_by(SignInSession.id.desc()).limit(LISTED + 1)))


def notice_read(session: Session, actor: Actor) -> None:
    """The person has read that a new device signed in."""
    session.execute(update(User).where(User.id == actor.user_id).values(unseen_session_id=None))


_BROWSERS: Final = (
    ("WeChat", r"MicroMessenger/"),
    ("Edge", r"Edg(?:A|iOS)?/"),
    ("Firefox", r"Firefox/|FxiOS/"),
    ("Opera", r"OPR/"),
    ("Samsung Internet", r"SamsungBrowser/"),
    ("Chrome", r"Chrome/|CriOS/"),
    ("Safari", r"Safari/"),
)
_SYSTEMS: Final = (
    ("HarmonyOS", r"HarmonyOS|OpenHarmony"),
    ("Android", r"Android"),
    ("iPhone", r"iPhone"),
    ("iPad", r"iPad"),
    ("Windows", r"Windows"),
    ("macOS", r"Macintosh"),
    ("Linux", r"Linux"),
)


def device_name(user_agent: str) -> str:
    """What to call a browser: ``Chrome · Android``; empty when it does not say."""
    text = user_agent[:400]
    parts = (
        next((name for name, mark in table if re.search(mark, text)), "")
        for table in (_BROWSERS, _SYSTEMS)
    )
    return " · ".join(part for part in parts if part)
