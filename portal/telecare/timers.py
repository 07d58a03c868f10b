"""What alarms do by the clock: rows that have come due climb the ladder. Run by the worker every second.

The moment stands in the row, so that a killed worker loses none: whoever starts next finds it overdue. An
alarm climbs one rung a run, however late; those told get their full time.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.telecare.alarm_models import TIMED, Alarm, AlarmState, Step
from portal.telecare.moves import escalate

AT_ONCE: Final = 100
"""Alarms in one run."""

_BECAUSE: Final[dict[str, Step]] = {
    AlarmState.PRESSED: Step.RAISED,
    AlarmState.RAISED: Step.ESCALATED,
    AlarmState.ACKNOWLEDGED: Step.OVERDUE,
}


def due(session: Session, now: datetime) -> list[int]:
    """Ids of alarms whose time has come, longest first; read without taking the write lock."""
    statement = (
        select(Alarm.id)
        .where(Alarm.next_at <= now, Alarm.state.in_(TIMED))
        .order_by(Alarm.next_at, Alarm.id)
        .limit(AT_ONCE)
    )
    return list(session.scalars(statement))


def advance(session: Session, alarm_id: int, now: datetime) -> bool:
    """Raise or escalate one alarm, if its time has still come; whether this call did it.

    A transaction of its own for each: one that cannot be written must not hold up the others.
    """
    alarm = session.get(Alarm, alarm_id)
    if alarm is None or alarm.state not in TIMED or alarm.next_at is None or alarm.next_at > now:
        return False
    return escalate(session, alarm, (AlarmState(alarm.state),), _BECAUSE[alarm.state], now)
