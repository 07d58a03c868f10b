"""Changes of state, each one conditional UPDATE with its entry; the states are drawn in :mod:`portal.telecare.alarm_models`."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import update
from sqlalchemy.orm import Session

from mqtt.contract.messages import AlarmFeedback
from portal.core import outbox
from portal.core.db import won
from portal.core.outbox import Outgoing, new_transaction
from portal.devices.operations import address_of
from portal.telecare.alarm_models import OPEN, Alarm, AlarmEntry, AlarmState, Stage, Step
from portal.telecare.ladder import following
from portal.telecare.telling import reach_of, tell
from portal.telecare.thresholds import settings_of

FEEDBACK_LIFE: Final = timedelta(minutes=10)
"""A button that was away so long does not show old news."""


def move(session: Session, alarm: Alarm, sources: Collection[AlarmState], **values: object) -> bool:
    """Change an alarm that is in one of these states, and still as it was read.

    The step and the timer are compared as well, so that of two that escalate at once one does. Closing
    states let go of the device.

    Returns:
        Whether this call changed it; the row at hand is fresh afterwards either way.
    """
    state = values.get("state")
    if state is not None and state not in OPEN:
        values["open_device_id"] = None
    moved = won(
        session,
        update(Alarm)
        .where(Alarm.id == alarm.id, Alarm.state.in_(list(sources)), Alarm.step == alarm.step)
        .values(**values),
    )
    session.refresh(alarm)
    return moved


def enter(
    session: Session, alarm: Alarm, kind: Step, now: datetime, by: str = "", **event: Any
) -> None:
    """Write down what happened; ``device_id`` and ``event_id`` for what a device said."""
    session.add(
        AlarmEntry(
            alarm_id=alarm.id, kind=kind, at=now, step=alarm.step, stage=alarm.stage, by=by, **event
        )
    )


def escalate(
    session: Session,
    alarm: Alarm,
    sources: Collection[AlarmState],
    kind: Step,
    now: datetime,
    by: str = "",
) -> bool:
    """Climb one rung: tell the next people and give them their time.

    Args:
        kind: what led here: raised, escalated, handed back or overdue.

    Returns:
        Whether this call did it; somebody may have been faster.
    """
    rung = following(Stage(alarm.stage), alarm.position, reach_of(session, alarm, now))
    patience = settings_of(session, alarm.community_id).patience(rung.stage)
    won = move(
        session,
        alarm,
        sources,
        state=AlarmState.RAISED,
        stage=rung.stage,
        position=rung.position,
        step=alarm.step + 1,
        next_at=now + timedelta(seconds=patience),
        raised_at=alarm.raised_at or now,
        acknowledged_at=None,
        acknowledged_by="",
        arrived_at=None,
    )
    if won:
        enter(session, alarm, kind, now, by)
        tell(session, alarm, rung.people, now)
        if kind in (Step.HANDED_BACK, Step.OVERDUE):
            feedback(session, alarm, now)  # the button said that somebody was on the way
    return won


_SAYS: Final[dict[str, str]] = {
    AlarmState.PRESSED: "received",
    AlarmState.SUPPRESSED: "received",
    AlarmState.RAISED: "received",
    AlarmState.ACKNOWLEDGED: "acknowledged",
    AlarmState.ON_SITE: "acknowledged",
}


def feedback(session: Session, alarm: Alarm, now: datetime) -> Outgoing:
    """Show the wearer how the alarm stands: received, acknowledged, closed."""
    message = AlarmFeedback(
        transaction=new_transaction(),
        at=now,
        expires_at=now + FEEDBACK_LIFE,
        event=alarm.event_id,
        state=_feedback_state(alarm),
    )
    return outbox.enqueue(session, address_of(alarm.device), message, now)


def _feedback_state(alarm: Alarm) -> Any:
    return _SAYS.get(alarm.state, "closed")
