import random
from datetime import UTC, datetime, timedelta
from statistics import mean

from mqtt.simulator.physics import Battery, Signal, ambient, body_temperature

START = datetime(2026, 7, 20, tzinfo=UTC)


def test_afternoons_are_warmer_than_nights_and_summers_than_winters() -> None:
    afternoon, night = START.replace(hour=7), START.replace(hour=19)  # 15:00 and 03:00 in Shanghai
    assert ambient(afternoon, 31.2) - ambient(night, 31.2) > 5
    assert ambient(afternoon, 31.2) - ambient(afternoon.replace(month=1), 31.2) > 15
    assert ambient(afternoon, -31.2) < ambient(afternoon.replace(month=1), -31.2)


def test_the_weather_stays_on_earth() -> None:
    for latitude in (-90, -45, 0, 31.2, 90):
        for day in range(0, 365, 7):
            assert -40 <= ambient(START + timedelta(days=day), latitude) <= 45


def test_people_are_mostly_well_and_rarely_feverish() -> None:
    rng = random.Random(1)
    measured = [body_temperature(rng) for _ in range(10_000)]
    assert 36.3 < mean(measured) < 36.5
    fevers = [value for value in measured if value >= 37.3]
    assert 50 < len(fevers) < 200
    assert max(measured) <= 39.5


def test_radio_wanders_within_what_radios_do() -> None:
    rng = random.Random(1)
    signal = Signal(-65, -65)
    values = [signal.next(rng) for _ in range(1000)]
    assert -95 <= min(values) < max(values) <= -30
    assert len({round(value) for value in values}) > 5


def test_a_battery_never_gains_and_never_falls_below_empty() -> None:
    battery = Battery(50.0, START)
    assert battery.at(START - timedelta(days=1)) == 50.0
    assert battery.at(START + timedelta(days=100)) == 25.0
    assert battery.at(START + timedelta(days=1000)) == 0.0
