"""What buttons say becomes alarms; called by the worker inside the transaction that records the events.

An event counts once: its entry carries device and event id. A press joins the open alarm of its device;
where two workers open one at the same moment, the second is refused by the unique ``open_device_id``, and
the worker's repetition joins. Presses are never thrown away: one right after the device started is kept as
suppressed and becomes a real alarm as soon as the button is pressed again.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from mqtt.contract.messages import Alarm as Pressed
from mqtt.contract.telemetry import DeviceKind
from mqtt.contract.topics import DeviceAddress
from portal.core.outbox import Outgoing
from portal.devices.models import Device, DeviceEvent
from portal.devices.operations import ReceivedEvent
from portal.regions.models import Region
from portal.telecare.alarm_models import (
    OPEN,
    Alarm,
    AlarmEntry,
    AlarmState,
    Cause,
    Step,
    Trouble,
)
from portal.telecare.models import Wearer
from portal.telecare.moves import enter, feedback, move
from portal.telecare.thresholds import Settings, settings_of
from portal.telecare.troubles import open_trouble

GRACE: Final = timedelta(seconds=2)
"""A press that comes late waits at least so long: its cancellation is in the same queue."""
CONFIRMS_WITHIN: Final = timedelta(minutes=10)
"""A press so long after a suppressed one makes that one real, on the clock of the portal."""


def record_alarms(
    session: Session, events: Sequence[ReceivedEvent], now: datetime
) -> list[Outgoing]:
    """Turn events of alarm buttons into alarms; other events are left alone.

    Returns:
        Commands to be published after the commit: the button hears at once that it was heard.
    """
    outgoing = []
    for event in events:
        if not isinstance(event.event, Pressed):
            continue
        device = _button(session, event.address)
        if device is not None and not _known(session, device, event.event.id):
            outgoing += _handle(session, device, event.event, now)
            session.flush()
    return outgoing


def _button(session: Session, address: DeviceAddress) -> Device | None:
    """The device; any kind but an alarm button has no business with alarms."""
    return session.scalars(
        select(Device)
        .join(Region, Region.id == Device.community_id)
        .where(
            Region.key == address.community,
            Device.key == address.device,
            Device.kind == DeviceKind.ALARM_BUTTON,
            Device.retired_at.is_(None),
        )
    ).one_or_none()


def _known(session: Session, device: Device, event_id: str) -> bool:
    known = select(AlarmEntry.id).where(
        AlarmEntry.device_id == device.id, AlarmEntry.event_id == event_id
    )
    return session.scalar(known) is not None


def _handle(session: Session, device: Device, event: Pressed, now: datetime) -> list[Outgoing]:
    wearer = session.scalars(
        select(Wearer).where(Wearer.device_id == device.id, Wearer.ended_at.is_(None))
    ).one_or_none()
    if wearer is not None:
        wearer.proven_at = now
        if event.battery is not None:
            wearer.battery, wearer.battery_at = event.battery, now
    if event.action == "tested":
        _make(session, device, wearer, event, now, AlarmState.TESTED)
        return []
    current = session.scalars(select(Alarm).where(Alarm.open_device_id == device.id)).one_or_none()
    if event.action == "cancelled":
        return _cancel(session, device, wearer, current, event, now)
    if current is not None and _join(session, current, event, now):
        return [feedback(session, current, now)]
    return _press(session, device, wearer, event, now)


def _press(
    session: Session, device: Device, wearer: Wearer | None, event: Pressed, now: datetime
) -> list[Outgoing]:
    settings = settings_of(session, device.community_id)
    due = _window_ends(event, settings, now)
    suppressed = _suppressed(session, device, now)
    if suppressed is not None:
        changed = move(
            session,
            suppressed,
            (AlarmState.SUPPRESSED,),
            state=AlarmState.PRESSED,
            open_device_id=device.id,
            next_at=due,
            event_id=event.id,
            presses=suppressed.presses + 1,
            last_pressed_at=event.at,
        )
        if changed:
            enter(session, suppressed, Step.JOINED, now, device_id=device.id, event_id=event.id)
            return [feedback(session, suppressed, now)]
    if event.presses == 1 and _just_started(session, device, event, settings):
        alarm = _make(session, device, wearer, event, now, AlarmState.SUPPRESSED)
        open_trouble(session, device, Trouble.PHANTOM, now, wearer)
        return [feedback(session, alarm, now)]
    alarm = _make(session, device, wearer, event, now, AlarmState.PRESSED, due)
    return [feedback(session, alarm, now)]


def _make(
    session: Session,
    device: Device,
    wearer: Wearer | None,
    event: Pressed,
    now: datetime,
    state: AlarmState,
    due: datetime | None = None,
) -> Alarm:
    over = state in (AlarmState.TESTED, AlarmState.CANCELLED)
    alarm = Alarm(
        community_id=device.community_id,
        device_id=device.id,
        wearer_id=wearer.id if wearer else None,
        open_device_id=device.id if state in OPEN else None,
        state=state,
        event_id=event.id,
        presses=event.presses,
        battery=event.battery,
        pressed_at=event.at,
        received_at=now,
        last_pressed_at=event.at,
        next_at=due,
        closed_at=now if over else None,
        cause=Cause.TEST if state is AlarmState.TESTED else "",
        note="",
    )
    session.add(alarm)
    session.flush()
    enter(session, alarm, Step(state), now, device_id=device.id, event_id=event.id)
    return alarm


def _join(session: Session, alarm: Alarm, event: Pressed, now: datetime) -> bool:
    """One more press of an open alarm; neither postpones nor resets its timer."""
    joined = move(
        session,
        alarm,
        OPEN,
        presses=Alarm.presses + 1,
        event_id=event.id,
        last_pressed_at=event.at,
        taken_back_at=None,
    )
    if joined:
        enter(session, alarm, Step.JOINED, now, device_id=alarm.device_id, event_id=event.id)
    return joined


def _cancel(
    session: Session,
    device: Device,
    wearer: Wearer | None,
    current: Alarm | None,
    event: Pressed,
    now: datetime,
) -> list[Outgoing]:
    """The wearer takes it back. Once people have been told, one of them makes sure and closes it."""
    said: dict[str, Any] = {"device_id": device.id, "event_id": event.id}
    if current is None:
        _make(session, device, wearer, event, now, AlarmState.CANCELLED)
        return []
    if move(
        session,
        current,
        (AlarmState.PRESSED,),
        state=AlarmState.CANCELLED,
        next_at=None,
        taken_back_at=now,
        closed_at=now,
    ):
        enter(session, current, Step.CANCELLED, now, **said)
        return [feedback(session, current, now)]
    move(session, current, OPEN, taken_back_at=now)
    enter(session, current, Step.TAKEN_BACK, now, **said)
    return []


def _window_ends(event: Pressed, settings: Settings, now: datetime) -> datetime:
    """When the alarm is raised: the window counts from the press where the device's clock can be believed."""
    pressed = min(event.at, now)
    return max(pressed + timedelta(seconds=settings.cancel_seconds), now + GRACE)


def _suppressed(session: Session, device: Device, now: datetime) -> Alarm | None:
    return session.scalars(
        select(Alarm)
        .where(
            Alarm.device_id == device.id,
            Alarm.state == AlarmState.SUPPRESSED,
            Alarm.received_at >= now - CONFIRMS_WITHIN,
        )
        .order_by(Alarm.id.desc())
        .limit(1)
    ).one_or_none()


def _just_started(session: Session, device: Device, event: Pressed, settings: Settings) -> bool:
    """Whether the device started right before the press, on its own clock.

    The time of arrival says nothing: a press kept through a restart arrives after the start as well.
    """
    started = session.scalar(
        select(DeviceEvent.id)
        .where(
            DeviceEvent.device_id == device.id,
            DeviceEvent.kind == "boot",
            DeviceEvent.at <= event.at,
            DeviceEvent.at >= event.at - timedelta(seconds=settings.phantom_seconds),
        )
        .limit(1)
    )
    return settings.phantom_seconds > 0 and started is not None
