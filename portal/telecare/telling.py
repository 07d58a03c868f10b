"""Who can be told of an alarm now, and telling them: rows that pages show, one a person and step."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.accounts.models import RoleGrant, User
from portal.core.permissions import ROLE_PERMISSIONS, Actor, Permission, Role
from portal.regions.models import Region
from portal.telecare.alarm_models import Alarm, AlarmNotice
from portal.telecare.ladder import Reach
from portal.telecare.models import Contact, Shift

RESPONDING: tuple[str, ...] = tuple(
    role for role in Role if Permission.TELECARE_RESPOND in ROLE_PERMISSIONS[role]
)
"""Roles that may answer an alarm."""


def person_key(*, user_id: int | None = None, contact_id: int | None = None) -> str:
    """How a person is named in rows: ``user:7`` for staff, ``contact:7`` for contacts."""
    return f"contact:{contact_id}" if contact_id is not None else f"user:{user_id}"


def actor_key(actor: Actor, contact: Contact | None = None) -> str:
    """The person key of whoever acts; machines are ``token:7``."""
    if contact is not None:
        return person_key(contact_id=contact.id)
    if actor.token_id is not None:
        return f"token:{actor.token_id}"
    return person_key(user_id=actor.user_id)


def reachable(contact: Contact, minute: int) -> bool:
    """Whether this contact may be asked at this minute of the community's day."""
    if contact.consent_at is None or contact.removed_at is not None:
        return False
    start, end = contact.from_minute, contact.until_minute
    if start == end:
        return True
    return start <= minute < end if start < end else minute >= start or minute < end


def minute_of_day(now: datetime, timezone: str) -> int:
    """The minute of the day on the community's clocks."""
    local = now.astimezone(ZoneInfo(timezone))
    return local.hour * 60 + local.minute


def reach_of(session: Session, alarm: Alarm, now: datetime) -> Reach:
    """Who can be told of this alarm at this moment."""
    community = alarm.community
    contacts = _contacts(session, alarm)
    minute = minute_of_day(now, community.timezone)
    staff = _staff(session, community)
    on_duty = session.scalars(
        select(Shift.user_id)
        .join(User, User.id == Shift.user_id)
        .where(
            Shift.community_id == community.id,
            Shift.starts_at <= now,
            Shift.ends_at > now,
            User.active.is_(True),
        )
        .order_by(Shift.user_id)
    ).all()
    able = {user_id for user_id, _ in staff}
    supervisors = [user_id for user_id, role in staff if role == Role.SUPERVISOR]
    return Reach(
        contacts=tuple(
            (c.position, person_key(contact_id=c.id)) for c in contacts if reachable(c, minute)
        ),
        duty=tuple(person_key(user_id=u) for u in on_duty if u in able),
        supervisors=tuple(person_key(user_id=u) for u in supervisors),
        everybody=(
            *(person_key(contact_id=c.id) for c in contacts if c.consent_at is not None),
            *(person_key(user_id=u) for u in sorted(able)),
        ),
    )


def _contacts(session: Session, alarm: Alarm) -> list[Contact]:
    if alarm.wearer_id is None:
        return []
    return list(
        session.scalars(
            select(Contact)
            .where(Contact.wearer_id == alarm.wearer_id, Contact.removed_at.is_(None))
            .order_by(Contact.position, Contact.id)
        )
    )


def _staff(session: Session, community: Region) -> list[tuple[int, str]]:
    """Accounts whose role reaches the community and may respond, with that role."""
    above = [int(part) for part in community.path.split("/") if part]
    rows = session.execute(
        select(RoleGrant.user_id, RoleGrant.role)
        .join(User, User.id == RoleGrant.user_id)
        .where(
            RoleGrant.region_id.in_(above),
            RoleGrant.role.in_(RESPONDING),
            User.active.is_(True),
        )
        .order_by(RoleGrant.user_id)
    )
    return [(row.user_id, row.role) for row in rows]


def tell(session: Session, alarm: Alarm, people: Iterable[str], now: datetime) -> None:
    """Write one notice for each person at the alarm's step; whoever has one there gets no second."""
    known = set(
        session.scalars(
            select(AlarmNotice.person).where(
                AlarmNotice.alarm_id == alarm.id, AlarmNotice.step == alarm.step
            )
        )
    )
    for person in people:
        if person in known:
            continue
        known.add(person)
        kind, _, number = person.partition(":")
        session.add(
            AlarmNotice(
                alarm_id=alarm.id,
                step=alarm.step,
                person=person,
                contact_id=int(number) if kind == "contact" else None,
                user_id=int(number) if kind == "user" else None,
                told_at=now,
            )
        )
