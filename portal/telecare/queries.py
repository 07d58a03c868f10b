"""Reading alarms: the desk, one alarm, what contacts see.

What helpers need of a person (notes, numbers of contacts) is handed out while the alarm is open only, to
staff who may respond and to contacts who were told; afterwards the times and the cause remain.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session, joinedload

from portal.accounts.models import ApiToken, User
from portal.core.identifiers.masking import mask_name
from portal.core.paging import Page, paginate
from portal.core.permissions import Actor, Permission, found, not_found, require
from portal.regions.directory import within
from portal.regions.models import Dwelling, Region, Unit
from portal.residents.models import Residency, Resident
from portal.telecare.alarm_models import (
    OPEN,
    RINGING,
    Alarm,
    AlarmEntry,
    AlarmNotice,
    AlarmState,
    Step,
)
from portal.telecare.contacts import contact_name, contact_phone, standing
from portal.telecare.models import Contact, Wearer
from portal.telecare.operations import contact_of
from portal.telecare.telling import actor_key, minute_of_day, reachable

MOST_OPEN: Final = 200
"""Open alarms on one desk."""


class Past(StrEnum):
    """Lists of what is over."""

    CLOSED = "closed"
    CANCELLED = "cancelled"
    TESTED = "tested"
    SUPPRESSED = "suppressed"


@dataclass(frozen=True, slots=True)
class Card:
    """An alarm in short. ``who`` is masked unless asked for in full; a button that nobody wears has its title."""

    id: int
    state: AlarmState
    who: str
    place: str
    community: str
    community_id: int
    path: str
    pressed_at: datetime
    since: datetime
    """When the bell began to ring: raised, or pressed before that."""
    presses: int
    step: int
    stage: str
    taken_by: str
    taken_back: bool
    cause: str
    closed_at: datetime | None
    battery: float | None

    @property
    def ringing(self) -> bool:
        """Whether nobody has taken it yet."""
        return self.state in RINGING

    @property
    def open(self) -> bool:
        """Whether it is not over."""
        return self.state in OPEN

    def lasted(self, now: datetime) -> timedelta:
        """How long since it began; for one that is over, until it ended."""
        return (self.closed_at or now) - self.since


@dataclass(frozen=True, slots=True)
class Helper:
    """A contact on an alarm's page."""

    name: str
    phone: str
    tie: str
    awake: bool
    told_at: datetime | None
    seen_at: datetime | None


@dataclass(frozen=True, slots=True)
class Happened:
    """A line of the history; ``who`` in words, empty for the clock and the button."""

    kind: str
    at: datetime
    step: int
    stage: str
    who: str


@dataclass(frozen=True, slots=True)
class Sheet:
    """All that a responder sees. Notes and helpers are empty once the alarm is over."""

    card: Card
    hearing: str
    language: str
    health_notes: str
    entry_note: str
    phone: str
    helpers: tuple[Helper, ...]
    told: tuple[tuple[str, datetime, datetime | None], ...]
    history: tuple[Happened, ...]
    note: str
    mine: bool
    """Whether the actor is who took it."""


def with_home() -> Any:
    """Loading a wearer's resident with dwelling, unit and building."""
    return (
        joinedload(Alarm.wearer)
        .joinedload(Wearer.resident)
        .selectinload(Resident.residencies)
        .joinedload(Residency.dwelling)
        .joinedload(Dwelling.unit)
        .joinedload(Unit.building)
    )


def _alarms() -> Select[Any]:
    return (
        select(Alarm)
        .join(Region, Region.id == Alarm.community_id)
        .options(joinedload(Alarm.device), joinedload(Alarm.community), with_home())
    )


def open_alarms(session: Session, actor: Actor, limit: int = MOST_OPEN) -> list[Card]:
    """Open alarms in the actor's regions: those that ring first, each group longest first."""
    rows = session.scalars(
        _alarms()
        .where(Alarm.state.in_(OPEN), within(actor.paths(Permission.TELECARE_LIST)))
        .order_by(Alarm.received_at, Alarm.id)
        .limit(limit)
    ).all()
    names = person_names(session, (a.acknowledged_by for a in rows), masked=True)
    cards = [card_of(alarm, names) for alarm in rows]
    return sorted(cards, key=lambda card: (not card.ringing, card.since))


def count_open(session: Session, actor: Actor) -> int:
    """How many are open there."""
    return (
        session.scalar(
            select(func.count(Alarm.id))
            .join(Region, Region.id == Alarm.community_id)
            .where(Alarm.state.in_(OPEN), within(actor.paths(Permission.TELECARE_LIST)))
        )
        or 0
    )


def past_alarms(session: Session, actor: Actor, kind: Past, page: int) -> Page[Card]:
    """What is over, newest first."""
    found_page = paginate(
        session,
        _alarms()
        .where(Alarm.state == kind.value, within(actor.paths(Permission.TELECARE_LIST)))
        .order_by(Alarm.received_at.desc(), Alarm.id.desc()),
        page,
    )
    names = person_names(session, (a.closed_by for a in found_page.items), masked=True)
    cards = [card_of(alarm, names, closed=True) for alarm in found_page.items]
    return Page(cards, found_page.number, found_page.size, found_page.has_next)


def for_machines(
    session: Session, actor: Actor, *, over: bool, before: int, limit: int
) -> list[Alarm]:
    """Alarms in the actor's regions, newest first; ``over`` adds those that are no longer open."""
    statement = _alarms().where(within(actor.paths(Permission.TELECARE_LIST)))
    if not over:
        statement = statement.where(Alarm.state.in_(OPEN))
    if before:
        statement = statement.where(Alarm.id < before)
    return list(session.scalars(statement.order_by(Alarm.id.desc()).limit(limit)).unique())


def card_of(
    alarm: Alarm, names: dict[str, str], *, masked: bool = True, closed: bool = False
) -> Card:
    """The card of an alarm whose wearer and device are loaded."""
    who, place = alarm.device.title, ""
    if alarm.wearer is not None:
        resident = alarm.wearer.resident
        who = mask_name(resident.name) if masked else resident.name
        home = resident.residency
        place = home.dwelling.label if home else ""
    return Card(
        id=alarm.id,
        state=AlarmState(alarm.state),
        who=who,
        place=place,
        community=alarm.community.name,
        community_id=alarm.community_id,
        path=alarm.community.path,
        pressed_at=alarm.pressed_at,
        since=alarm.raised_at or alarm.received_at,
        presses=alarm.presses,
        step=alarm.step,
        stage=alarm.stage,
        taken_by=names.get(alarm.closed_by if closed else alarm.acknowledged_by, ""),
        taken_back=alarm.taken_back_at is not None,
        cause=alarm.cause,
        closed_at=alarm.closed_at,
        battery=alarm.battery,
    )


def _one(session: Session, alarm_id: int) -> Alarm:
    alarm: Alarm | None = (
        session.scalars(_alarms().where(Alarm.id == alarm_id)).unique().one_or_none()
    )
    return found(alarm)


def one_for_staff(session: Session, actor: Actor, alarm_id: int) -> Alarm:
    """One alarm for staff.

    Raises:
        NotFoundError, ForbiddenError: see :func:`portal.core.permissions.require`.
    """
    alarm = _one(session, alarm_id)
    require(actor, Permission.TELECARE_LIST, alarm.community.path)
    return alarm


def one_for_contact(session: Session, actor: Actor, alarm_id: int) -> tuple[Alarm, Contact]:
    """One alarm for a contact who was told of it.

    Raises:
        NotFoundError: everybody else.
    """
    alarm = _one(session, alarm_id)
    contact = contact_of(session, actor, alarm_id)
    if contact is None:
        raise not_found()
    return alarm, contact


def sheet(
    session: Session, actor: Actor, alarm: Alarm, now: datetime, contact: Contact | None = None
) -> Sheet:
    """Everything for one responder: staff, or the contact they were told as.

    Staff who may only look get no notes.
    """
    may_read = contact is not None or actor.may(Permission.TELECARE_RESPOND, alarm.community.path)
    needed = may_read and alarm.state in OPEN
    wearer = alarm.wearer
    entries = session.scalars(
        select(AlarmEntry).where(AlarmEntry.alarm_id == alarm.id).order_by(AlarmEntry.id)
    ).all()
    notices = session.scalars(
        select(AlarmNotice).where(AlarmNotice.alarm_id == alarm.id).order_by(AlarmNotice.id)
    ).all()
    keys = {alarm.acknowledged_by, *(e.by for e in entries), *(n.person for n in notices)}
    names = person_names(session, keys, masked=not needed)
    last = {n.person: n for n in notices}
    return Sheet(
        card=card_of(alarm, names, masked=contact is None and not needed),
        hearing=wearer.hearing if wearer and needed else "",
        language=wearer.language if wearer and needed else "",
        health_notes=wearer.health_notes if wearer and needed else "",
        entry_note=wearer.entry_note if wearer and needed else "",
        phone=wearer.resident.phone if wearer and needed else "",
        helpers=_helpers(wearer, alarm, last, now) if wearer and needed else (),
        told=tuple((names.get(n.person, ""), n.told_at, n.seen_at) for n in notices),
        history=tuple(
            Happened(e.kind, e.at, e.step, e.stage, names.get(e.by, ""))
            for e in entries
            if e.kind != Step.LOOKED or contact is None
        ),
        note=alarm.note if may_read else "",
        mine=alarm.acknowledged_by == actor_key(actor, contact),
    )


def _helpers(
    wearer: Wearer, alarm: Alarm, last: dict[str, AlarmNotice], now: datetime
) -> tuple[Helper, ...]:
    minute = minute_of_day(now, alarm.community.timezone)
    found_helpers = []
    for contact in standing(wearer):
        if contact.consent_at is None:
            continue
        notice = last.get(f"contact:{contact.id}")
        found_helpers.append(
            Helper(
                contact_name(contact),
                contact_phone(contact),
                contact.tie,
                awake=reachable(contact, minute),
                told_at=notice.told_at if notice else None,
                seen_at=notice.seen_at if notice else None,
            )
        )
    return tuple(found_helpers)


def person_names(session: Session, keys: Iterable[str], *, masked: bool) -> dict[str, str]:
    """Person keys in words: staff by user name, contacts by name, machines by their token's name."""
    wanted: dict[str, set[int]] = {"user": set(), "contact": set(), "token": set()}
    for key in keys:
        kind, _, number = key.partition(":")
        if kind in wanted and number.isdigit():
            wanted[kind].add(int(number))
    names: dict[str, str] = {}
    if wanted["user"]:
        rows = session.execute(
            select(User.id, User.username).where(User.id.in_(wanted["user"]))
        ).all()
        names |= {f"user:{row.id}": row.username or "" for row in rows}
    if wanted["token"]:
        tokens = session.execute(
            select(ApiToken.id, ApiToken.name).where(ApiToken.id.in_(wanted["token"]))
        ).all()
        names |= {f"token:{row.id}": row.name for row in tokens}
    if wanted["contact"]:
        contacts = session.scalars(
            select(Contact)
            .where(Contact.id.in_(wanted["contact"]))
            .options(joinedload(Contact.resident))
        )
        for contact in contacts:
            name = contact_name(contact)
            names[f"contact:{contact.id}"] = mask_name(name) if masked else name
    return names


def told_alarms(
    session: Session, actor: Actor, *, over: bool = False, limit: int = 20
) -> list[Card]:
    """Alarms that this resident was told of as a contact: open ones, or those that are over."""
    if actor.resident_id is None:
        return []
    mine = (
        select(AlarmNotice.alarm_id)
        .join(Contact, Contact.id == AlarmNotice.contact_id)
        .where(Contact.resident_id == actor.resident_id, Contact.removed_at.is_(None))
    )
    condition = Alarm.state.not_in(OPEN) if over else Alarm.state.in_(OPEN)
    rows = (
        session.scalars(
            _alarms()
            .where(Alarm.id.in_(mine), condition)
            .order_by(Alarm.received_at.desc(), Alarm.id.desc())
            .limit(limit)
        )
        .unique()
        .all()
    )
    names = person_names(session, (a.acknowledged_by for a in rows), masked=False)
    return [card_of(alarm, names, masked=False) for alarm in rows]
