"""What people do with an alarm: acknowledge it, arrive, hand it back, close it with a cause.

Staff with ``TELECARE_RESPOND`` may, in their regions; so may a contact who was told of the alarm, for
that alarm. States are drawn in :mod:`portal.telecare.alarm_models`.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from portal.core import audit
from portal.core.errors import ConflictError, DomainError
from portal.core.i18n import lazy
from portal.core.permissions import Actor, Permission, found, not_found, require
from portal.telecare.alarm_models import (
    OPEN,
    RINGING,
    Alarm,
    AlarmEntry,
    AlarmNotice,
    AlarmState,
    Cause,
    Step,
)
from portal.telecare.models import Contact
from portal.telecare.moves import enter, escalate, feedback, move
from portal.telecare.telling import actor_key
from portal.telecare.thresholds import settings_of

NOTE_LENGTH: Final = 500

CAUSE_NAMES: Final[dict[Cause, Any]] = {
    Cause.FALL: lazy("A fall"),
    Cause.ILLNESS: lazy("Illness or injury"),
    Cause.HELP: lazy("Needed a hand"),
    Cause.MISTAKE: lazy("Pressed by mistake"),
    Cause.TEST: lazy("A test"),
    Cause.FAULT: lazy("The button is faulty"),
    Cause.OTHER: lazy("Something else"),
}


def contact_of(session: Session, actor: Actor, alarm_id: int) -> Contact | None:
    """The contact that this resident was told of the alarm as; ``None`` for everybody else."""
    if actor.resident_id is None:
        return None
    return session.scalars(
        select(Contact)
        .join(AlarmNotice, AlarmNotice.contact_id == Contact.id)
        .where(
            AlarmNotice.alarm_id == alarm_id,
            Contact.resident_id == actor.resident_id,
            Contact.removed_at.is_(None),
        )
        .limit(1)
    ).first()


def _load(session: Session, actor: Actor, alarm_id: int) -> tuple[Alarm, str]:
    """The alarm, and the person key of the responder that the actor is.

    Raises:
        NotFoundError: it is not there or not the actor's; ForbiddenError: the role is too weak.
    """
    alarm = found(session.get(Alarm, alarm_id))
    contact = contact_of(session, actor, alarm_id)
    if contact is None or actor.may(Permission.TELECARE_RESPOND, alarm.community.path):
        if not actor.grants:
            raise not_found()
        require(actor, Permission.TELECARE_RESPOND, alarm.community.path)
        contact = None
    return alarm, actor_key(actor, contact)


def acknowledge(session: Session, actor: Actor, alarm_id: int, now: datetime) -> Alarm:
    """Take the alarm: the button tells its wearer, the ladder stops until the time to arrive is over.

    Raises:
        NotFoundError, ForbiddenError: see :func:`portal.core.permissions.require`.
        ConflictError: somebody was faster, or it is over.
    """
    alarm, who = _load(session, actor, alarm_id)
    return _take(session, actor, alarm, who, now)


def _take(session: Session, actor: Actor, alarm: Alarm, who: str, now: datetime) -> Alarm:
    wait = timedelta(minutes=settings_of(session, alarm.community_id).arrival_minutes)
    _must(
        move(
            session,
            alarm,
            RINGING,
            state=AlarmState.ACKNOWLEDGED,
            raised_at=alarm.raised_at or now,
            answered_at=alarm.answered_at or now,
            acknowledged_at=now,
            acknowledged_by=who,
            next_at=now + wait,
        ),
        alarm,
    )
    _done(session, actor, alarm, Step.ACKNOWLEDGED, who, now)
    feedback(session, alarm, now)
    return alarm


def arrive(session: Session, actor: Actor, alarm_id: int, now: datetime) -> Alarm:
    """Say that one is with the wearer; whoever had not acknowledged has done so with it.

    Raises:
        NotFoundError, ForbiddenError, ConflictError: as for :func:`acknowledge`.
    """
    alarm, who = _load(session, actor, alarm_id)
    if alarm.state in RINGING:
        _take(session, actor, alarm, who, now)
    _must(
        move(
            session,
            alarm,
            (AlarmState.ACKNOWLEDGED,),
            state=AlarmState.ON_SITE,
            arrived_at=now,
            next_at=None,
        ),
        alarm,
    )
    _done(session, actor, alarm, Step.ARRIVED, who, now)
    return alarm


def hand_back(session: Session, actor: Actor, alarm_id: int, now: datetime) -> Alarm:
    """Cannot go after all: the next people are told at once.

    Raises:
        NotFoundError, ForbiddenError, ConflictError: as for :func:`acknowledge`.
    """
    alarm, who = _load(session, actor, alarm_id)
    _owned(actor, alarm, who)
    taken = (AlarmState.ACKNOWLEDGED, AlarmState.ON_SITE)
    _must(escalate(session, alarm, taken, Step.HANDED_BACK, now, who), alarm)
    _audit(session, actor, alarm, Step.HANDED_BACK)
    session.flush()
    return alarm


def close(
    session: Session, actor: Actor, alarm_id: int, cause: str, note: str, now: datetime
) -> Alarm:
    """End the alarm with its cause; somebody must have taken it before.

    Raises:
        DomainError: the cause is not known or the note too long.
        NotFoundError, ForbiddenError: as for :func:`acknowledge`.
        ConflictError: nobody has taken it yet, somebody else has, or it is closed.
    """
    alarm, who = _load(session, actor, alarm_id)
    if cause not in set(Cause):
        raise DomainError("cause_missing", lazy("Choose what it was."), field="cause")
    if len(note.strip()) > NOTE_LENGTH:
        raise DomainError("note_long", lazy("A note has at most 500 characters."), field="note")
    if alarm.state in RINGING:
        raise ConflictError(
            "not_taken", lazy("Take this alarm first: nobody has spoken to the wearer yet.")
        )
    _owned(actor, alarm, who)
    _must(
        move(
            session,
            alarm,
            (AlarmState.ACKNOWLEDGED, AlarmState.ON_SITE),
            state=AlarmState.CLOSED,
            closed_at=now,
            closed_by=who,
            cause=cause,
            note=note.strip(),
            next_at=None,
        ),
        alarm,
    )
    _done(session, actor, alarm, Step.CLOSED, who, now, cause=cause)
    feedback(session, alarm, now)
    return alarm


def look(session: Session, actor: Actor, alarm_id: int, now: datetime) -> None:
    """Somebody has opened the alarm's page with notes on it: their notices are seen, the first look is kept.

    Raises:
        NotFoundError, ForbiddenError: as for :func:`acknowledge`.
    """
    alarm, who = _load(session, actor, alarm_id)
    session.execute(
        update(AlarmNotice)
        .where(
            AlarmNotice.alarm_id == alarm_id,
            AlarmNotice.person == who,
            AlarmNotice.seen_at.is_(None),
        )
        .values(seen_at=now)
        .execution_options(synchronize_session=False)
    )
    before = select(AlarmEntry.id).where(
        AlarmEntry.alarm_id == alarm_id, AlarmEntry.kind == Step.LOOKED, AlarmEntry.by == who
    )
    if alarm.state in OPEN and session.scalar(before.limit(1)) is None:
        _done(session, actor, alarm, Step.LOOKED, who, now)


def _owned(actor: Actor, alarm: Alarm, who: str) -> None:
    """A contact acts on what they took themselves; staff on anything in their regions."""
    if not who.startswith("contact:") or alarm.acknowledged_by == who:
        return
    raise ConflictError("not_yours", lazy("Somebody else has taken this alarm."))


def _must(won: bool, alarm: Alarm) -> None:
    """Raise what fits the state that a faster one has made."""
    if won:
        return
    if alarm.state in OPEN and alarm.state not in RINGING:
        raise ConflictError("taken", lazy("Somebody has taken this alarm already."))
    if alarm.state in RINGING:
        raise ConflictError("moved_on", lazy("This alarm has gone on in the meantime. Try again."))
    raise ConflictError("over", lazy("This alarm is over."))


def _done(
    session: Session,
    actor: Actor,
    alarm: Alarm,
    step: Step,
    who: str,
    now: datetime,
    **detail: Any,
) -> None:
    enter(session, alarm, step, now, who)
    _audit(session, actor, alarm, step, **detail)
    session.flush()


def _audit(session: Session, actor: Actor, alarm: Alarm, step: Step, **detail: Any) -> None:
    audit.record(
        session,
        actor,
        f"alarm.{step.value}",
        ("alarm", alarm.id),
        path=alarm.community.path,
        **detail,
    )
