"""A press over a real broker: heard at once, raised by the clock, also by a worker that starts later."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import select

from mqtt.contract.messages import Acknowledge, Alarm, AlarmFeedback
from mqtt.contract.telemetry import DeviceKind
from mqtt.contract.topics import DeviceAddress
from portal.core.clock import utc_now
from portal.core.permissions import ROLE_PERMISSIONS, SYSTEM, Actor, Grant, Role
from portal.devices.enrolment import enrol_device
from portal.regions.models import Region
from portal.telecare import operations
from portal.telecare.alarm_models import Alarm as AlarmRow
from portal.telecare.models import TelecareSettings
from portal.telecare.thresholds import Settings
from tests.portal.gatehouse import Gatehouse
from tests.portal.worker.fake_gate import FakeGate, until
from tests.portal.worker.test_worker import broker, live, working
from tests.services.mosquitto import Broker

__all__ = ["broker", "live"]

BUTTON = DeviceAddress("spring", "button-1")


@pytest.fixture
def button(live: Gatehouse) -> Gatehouse:
    """A button in spring, where a press cannot be taken back."""
    with live.db.write() as session:
        place = session.get_one(Region, live.communities["spring"])
        enrol_device(
            session,
            SYSTEM,
            place,
            key=BUTTON.device,
            kind=DeviceKind.ALARM_BUTTON,
            title="呼叫按钮",
            now=live.now,
        )
        values = asdict(Settings()) | {"cancel_seconds": 0}
        session.add(TelecareSettings(community_id=place.id, **values))
    return live


def alarm(house: Gatehouse) -> AlarmRow:
    with house.db.read() as session:
        return session.scalars(select(AlarmRow)).one()


def heard(device: FakeGate) -> list[str]:
    return [c.state for c in device.commands if isinstance(c, AlarmFeedback)]


def test_a_press_is_heard_raised_after_a_restart_taken_and_closed(
    button: Gatehouse, broker: Broker, tmp_path: Path
) -> None:
    event = Alarm(id=uuid4().hex, at=utc_now(), action="pressed", battery=80)
    with FakeGate(broker.port, BUTTON, answers=True) as device:
        with working(button, broker, tmp_path) as worker:
            device.send(event)
            until(worker.turn, lambda: heard(device) == ["received"])
            until(worker.turn, lambda: any(isinstance(c, Acknowledge) for c in device.commands))
        assert alarm(button).state == "pressed"
        with working(button, broker, tmp_path) as worker:
            until(worker.turn, lambda: alarm(button).state == "raised")
            with button.db.read() as session:
                path = session.get_one(Region, button.communities["spring"]).path
            grant = Grant(path, ROLE_PERMISSIONS[Role.WORKER], Role.WORKER)
            actor = Actor("user:1", user_id=1, grants=(grant,))
            with button.db.write() as session:
                operations.acknowledge(session, actor, alarm(button).id, utc_now())
            until(worker.turn, lambda: heard(device)[-1] == "acknowledged")
            device.send(event)  # the broker delivers it once more
            with button.db.write() as session:
                operations.close(session, actor, alarm(button).id, "help", "", utc_now())
            until(worker.turn, lambda: heard(device)[-1] == "closed")
    assert (alarm(button).state, alarm(button).presses) == ("closed", 1)
