"""Who of the staff is on duty for alarms, and when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from portal.accounts.models import RoleGrant, User
from portal.core import audit
from portal.core.errors import ConflictError, DomainError
from portal.core.i18n import lazy
from portal.core.permissions import Actor, Permission, found, require
from portal.regions.models import Region
from portal.regions.queries import load_community
from portal.telecare.models import Shift
from portal.telecare.telling import RESPONDING

LONGEST: Final = timedelta(hours=24)
MOST_DAYS: Final = 31
SHOWN: Final = 15
"""Shifts on the page: about a week ahead, and one more to say that there are more."""


@dataclass(frozen=True, slots=True)
class Duty:
    """A shift as lists show it."""

    id: int
    user: str
    starts_at: datetime
    ends_at: datetime
    now: bool


def responders(session: Session, community: Region) -> list[User]:
    """Active staff who may answer alarms of this community, by name."""
    above = [int(part) for part in community.path.split("/") if part]
    rows = session.scalars(
        select(User)
        .join(RoleGrant, RoleGrant.user_id == User.id)
        .where(
            RoleGrant.region_id.in_(above), RoleGrant.role.in_(RESPONDING), User.active.is_(True)
        )
        .order_by(User.username)
    )
    return list(rows.unique())


def shifts(session: Session, actor: Actor, community_id: int, now: datetime) -> Sequence[Duty]:
    """Shifts that are not over, soonest first.

    Raises:
        NotFoundError, ForbiddenError: see :func:`portal.core.permissions.require`.
    """
    load_community(session, actor, Permission.TELECARE_LIST, community_id)
    rows = session.execute(
        select(Shift, User.username)
        .join(User, User.id == Shift.user_id)
        .where(Shift.community_id == community_id, Shift.ends_at > now)
        .order_by(Shift.starts_at, User.username)
        .limit(SHOWN)
    )
    return [
        Duty(shift.id, name or "", shift.starts_at, shift.ends_at, now=shift.starts_at <= now)
        for shift, name in rows
    ]


def plan(
    session: Session,
    actor: Actor,
    community_id: int,
    user_id: int,
    starts_at: datetime,
    ends_at: datetime,
    days: int = 1,
) -> int:
    """Put somebody on duty, at the same hours of so many days; returns how many shifts were new.

    Raises:
        DomainError: the times make no sense or the person may not respond, with the field.
        NotFoundError, ForbiddenError: see :func:`portal.core.permissions.require`.
    """
    community = load_community(session, actor, Permission.TELECARE_MANAGE, community_id)
    if user_id not in {user.id for user in responders(session, community)}:
        raise DomainError("unknown_choice", lazy("Choose one of the list."), field="user_id")
    if not timedelta(0) < ends_at - starts_at <= LONGEST:
        raise DomainError(
            "shift_length",
            lazy("A shift ends after it starts, and within 24 hours."),
            field="ends_at",
        )
    if not 1 <= days <= MOST_DAYS:
        raise DomainError(
            "days_out_of_range", lazy("Enter a number of days from 1 to 31."), field="days"
        )
    made = 0
    zone = ZoneInfo(community.timezone)  # the same hours on the wall, also when clocks change
    for day in range(days):
        start, end = (
            (moment.astimezone(zone) + timedelta(days=day)).astimezone(UTC)
            for moment in (starts_at, ends_at)
        )
        known = select(Shift.id).where(
            Shift.community_id == community_id,
            Shift.user_id == user_id,
            Shift.starts_at == start,
        )
        if session.scalar(known) is None:
            session.add(
                Shift(community_id=community_id, user_id=user_id, starts_at=start, ends_at=end)
            )
            made += 1
    try:
        session.flush()
    except IntegrityError:
        raise ConflictError(
            "planned", lazy("Somebody has just planned the same. Look at the list.")
        ) from None
    audit.record(
        session, actor, "shift.plan", ("region", community_id), path=community.path, shifts=made
    )
    return made


def cancel(session: Session, actor: Actor, shift_id: int) -> int:
    """Take a shift out of the plan; returns its community.

    Raises:
        NotFoundError, ForbiddenError: see :func:`portal.core.permissions.require`.
    """
    shift = found(session.get(Shift, shift_id))
    community = found(session.get(Region, shift.community_id))
    require(actor, Permission.TELECARE_MANAGE, community.path)
    session.delete(shift)
    audit.record(session, actor, "shift.cancel", ("shift", shift_id), path=community.path)
    return community.id
