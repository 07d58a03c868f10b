"""Batteries of worn buttons come from the telemetry store."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from mqtt.telemetry import open_store
from mqtt.telemetry.model import Point
from portal.config import Config
from portal.services import Services
from portal.telecare.models import Wearer
from portal.worker.batteries import read_batteries
from tests.portal.telecare.conftest import clock, db, laid_out, ward, world
from tests.portal.telecare.ward import Ward

__all__ = ["clock", "db", "laid_out", "ward", "world"]


def test_the_last_value_of_a_worn_button_is_noted(ward: Ward, tmp_path: Path) -> None:
    services = Services(config=Config(data_dir=tmp_path), db=ward.world.db)
    now = ward.world.clock()
    with open_store(services.config.effective_telemetry_url) as store:
        assert read_batteries(services, store) == 0
        store.write(
            [
                Point("spring", "button-1", "sensor/battery", now - timedelta(minutes=5), 44.0),
                Point("spring", "button-1", "sensor/battery", now, 43.0),
                Point("spring", "other-1", "sensor/battery", now, 9.0),
            ]
        )
        assert read_batteries(services, store) == 1
    with ward.world.db.read() as session:
        row = session.get_one(Wearer, ward.wearer)
    assert (row.battery, row.battery_at) == (43.0, now)
