"""Lock-out: after some failures in a row the next attempt has to wait, longer each time.

Counted for the name that was typed (its keyed hash, whether there is such an account or not, so that the
answer tells nothing) and for the address, which gets a longer run: a whole building may share one. A sign-in
that succeeds forgets the name's failures; a security administrator may unlock either at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, cast

from sqlalchemy import CursorResult, delete, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from portal.accounts.models import LockOut, User
from portal.core import audit
from portal.core.permissions import Actor, Permission, not_found, require_somewhere
from portal.core.protected import find_hash

ACCOUNT_RUN: Final = 5
"""Failures of one name that are free."""
ADDRESS_RUN: Final = 50
FIRST_DELAY: Final = timedelta(minutes=1)
LONGEST_DELAY: Final = timedelta(hours=1)
FORGOTTEN_AFTER: Final = timedelta(days=1)


def account_key(sign_in_hash: str) -> str:
    """The row of a name."""
    return f"a:{sign_in_hash}"


def address_key(address: str) -> str:
    """The row of an address; only its keyed hash is kept."""
    return f"n:{find_hash(address, 'address')}"


def locked_until(session: Session, keys: list[str], now: datetime) -> datetime | None:
    """When the next attempt counts; ``None``: now."""
    longest = select(func.max(LockOut.locked_until)).where(
        LockOut.key.in_(keys), LockOut.locked_until > now
    )
    return cast(datetime | None, session.scalar(longest))


def failed(session: Session, key: str, now: datetime) -> datetime | None:
    """Count a failure; returns until when the key is locked now, if it is.

    Two at once both count: the number grows in the database.
    """
    run = ACCOUNT_RUN if key.startswith("a:") else ADDRESS_RUN
    session.execute(
        delete(LockOut).where(LockOut.key == key, LockOut.last_failed_at < now - FORGOTTEN_AFTER)
    )
    raise_count = (
        update(LockOut)
        .where(LockOut.key == key)
        .values(failures=LockOut.failures + 1, last_failed_at=now)
        .returning(LockOut.failures)
    )
    failures: int | None = session.scalar(raise_count)
    if failures is None:
        try:
            with session.begin_nested():
                session.add(LockOut(key=key, failures=1, last_failed_at=now))
            failures = 1
        except IntegrityError:  # another attempt was first
            failures = session.scalar(raise_count) or 1
    if failures < run:
        return None
    doubled: int = 2 ** min(failures - run, 12)
    until: datetime = now + min(FIRST_DELAY * doubled, LONGEST_DELAY)
    session.execute(update(LockOut).where(LockOut.key == key).values(locked_until=until))
    return until


def forget(session: Session, key: str) -> bool:
    """Begin anew; ``False`` when there was nothing."""
    gone = session.execute(delete(LockOut).where(LockOut.key == key))
    assert isinstance(gone, CursorResult)  # noqa: S101 - narrows the type for mypy
    return gone.rowcount > 0


@dataclass(frozen=True, slots=True)
class Locked:
    """One line of the administrator's list: an account of staff, or something else that is locked."""

    key: str
    kind: str
    username: str | None
    user_id: int | None
    failures: int
    until: datetime


def listed(session: Session, actor: Actor, now: datetime) -> list[Locked]:
    """What is locked now. Names of staff are shown; residents and addresses have none here.

    Raises:
        ForbiddenError: the actor is no security administrator.
    """
    require_somewhere(actor, Permission.LOCKOUT_MANAGE)
    rows = session.scalars(
        select(LockOut).where(LockOut.locked_until > now).order_by(LockOut.locked_until).limit(200)
    ).all()
    hashes = [row.key[2:] for row in rows if row.key.startswith("a:")]
    users = {
        user.sign_in_hash: user
        for user in session.scalars(select(User).where(User.sign_in_hash.in_(hashes)))
    }
    found = []
    for row in rows:
        user = users.get(row.key[2:])
        if row.key.startswith("n:"):
            kind = "address"
        elif user is None:
            kind = "unknown"
        else:
            kind = "resident" if user.resident_id is not None else "staff"
        staff = user if user is not None and kind == "staff" else None
        assert row.locked_until is not None  # noqa: S101 - asked for above
        found.append(
            Locked(
                key=row.key,
                kind=kind,
                username=staff.username if staff else None,
                user_id=staff.id if staff else None,
                failures=row.failures,
                until=row.locked_until,
            )
        )
    return found


def unlock(session: Session, actor: Actor, key: str) -> None:
    """Let somebody try again at once; audited.

    Raises:
        ForbiddenError: the actor is no security administrator; NotFoundError: nothing is locked there.
    """
    require_somewhere(actor, Permission.LOCKOUT_MANAGE)
    if not forget(session, key):
        raise not_found()
    audit.record(session, actor, "lock_out.unlock", ("lock_out", key[:18]))
