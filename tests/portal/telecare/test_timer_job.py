"""Jobs by the clock: one alarm that cannot go on does not stop the others."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from portal.config import Config
from portal.telecare import timers
from portal.telecare.alarm_models import Alarm
from portal.worker.jobs import Jobs
from tests.portal.telecare.conftest import clock, db, laid_out, ward, world
from tests.portal.telecare.ward import Ward

__all__ = ["clock", "db", "laid_out", "ward", "world"]


def test_an_alarm_that_cannot_go_on_stops_no_other(
    ward: Ward, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    config = Config(data_dir=tmp_path)
    ward.press()
    stuck = ward.alarm().id
    with ward.world.db.write() as session:
        session.add(
            Alarm(
                community_id=ward.world.regions["spring"],
                device_id=ward.world.devices["thermometer"],
                state="pressed",
                event_id="another-press",
                pressed_at=ward.world.clock(),
                received_at=ward.world.clock(),
                last_pressed_at=ward.world.clock(),
                next_at=ward.world.clock(),
                note="",
            )
        )
    ward.world.clock.forward(seconds=20)
    real = timers.advance

    def broken(session: Session, alarm_id: int, now: object) -> bool:
        if alarm_id == stuck:
            raise RuntimeError("cannot be read")
        return real(session, alarm_id, now)

    monkeypatch.setattr(timers, "advance", broken)
    Jobs(config, ward.world.db, ward.world.clock).run_due(only_urgent=True)
    assert [a.state for a in ward.alarms()] == ["pressed", "raised"]
    monkeypatch.undo()
    Jobs(config, ward.world.db, ward.world.clock).run_due(only_urgent=True)
    assert [a.state for a in ward.alarms()] == ["raised", "raised"]
