"""What alarms do by the clock: rows that have come due climb the ladder. Run by the worker every second.

The moment stands in the row, so that a killed worker loses none: whoever starts next finds it overdue. An
alarm climbs one rung a run, however late; those told get their full time.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from sqlalchemy import ColumnElement, and_, select
from sqlalchemy.orm import Session

from portal.telecare.alarm_models import TIMED, Alarm, AlarmState, Step
from portal.telecare.moves import escalate

AT_ONCE: Final = 100
"""Alarms in one transaction."""

_BECAUSE: Final[dict[str, Step]] = {
    AlarmState.PRESSED: Step.RAISED,
    AlarmState.RAISED: Step.ESCALATED,
    AlarmState.ACKNOWLEDGED: Step.OVERDUE,
}


def is_due(session: Session, now: datetime) -> bool:
    """Whether there is anything to do: asked without taking the write lock."""
    return session.scalar(select(Alarm.id).where(_due(now)).limit(1)) is not None


def run(session: Session, now: datetime) -> int:
    """Raise and escalate what is due; returns how many."""
    alarms = session.scalars(
        select(Alarm).where(_due(now)).order_by(Alarm.next_at, Alarm.id).limit(AT_ONCE)
    ).all()
    return sum(escalate(session, a, (AlarmState(a.state),), _BECAUSE[a.state], now) for a in alarms)


def _due(now: datetime) -> ColumnElement[bool]:
    return and_(Alarm.next_at <= now, Alarm.state.in_(TIMED))
