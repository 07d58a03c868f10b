"""Plausible numbers: weather by day and season, people's temperatures, batteries, radio.

Every quantity is a function of the time and of a seeded generator, so that the same seed tells the
same story.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from datetime import datetime
from typing import Final

FEVER_SHARE: Final = 0.01
"""One person in a hundred is measured with a fever."""
BATTERY_DAYS: Final = 400.0
"""A full button battery lasts so long unpressed."""
PRESS_PERCENT: Final = 0.02
"""What one alarm takes from the battery."""


def ambient(now: datetime, latitude: float, offset: float = 0.0) -> float:
    """Outdoor temperature in °C: a yearly and a daily wave, warmest in late July and at 15:00.

    ``now`` is aware; solar time is taken as UTC+8. ``offset`` shifts one place against another.
    """
    day = now.timetuple().tm_yday
    hour = (now.hour + now.minute / 60 + now.second / 3600 + 8) % 24
    north = 1.0 if latitude >= 0 else -1.0
    mean = 27.0 - 0.35 * abs(latitude)
    yearly = north * min(abs(latitude), 60) * 0.37 * math.cos(2 * math.pi * (day - 205) / 365.25)
    daily = 3.5 * math.cos(2 * math.pi * (hour - 15) / 24)
    return max(-40.0, min(60.0, mean + yearly + daily + offset))


def body_temperature(rng: random.Random) -> float:
    """One forehead measurement in °C: 36.4 ± 0.3, rarely a fever of 37.5 to 39.5."""
    if rng.random() < FEVER_SHARE:
        return round(rng.uniform(37.5, 39.5), 1)
    return round(max(35.2, min(37.2, rng.gauss(36.4, 0.3))), 1)


@dataclass(slots=True)
class Signal:
    """Wi-Fi strength in dBm: wanders about its place's mean."""

    mean: float
    value: float

    def next(self, rng: random.Random) -> float:
        """The next measurement."""
        self.value += 0.3 * (self.mean - self.value) + rng.gauss(0, 1.5)
        self.value = max(-95.0, min(-30.0, self.value))
        return self.value


@dataclass(slots=True)
class Battery:
    """A battery in percent that only goes down."""

    percent: float
    since: datetime

    def at(self, now: datetime) -> float:
        """What is left at ``now``."""
        days = max(0.0, (now - self.since).total_seconds() / 86_400)
        self.percent = max(0.0, self.percent - 100 * days / BATTERY_DAYS)
        self.since = max(self.since, now)
        return self.percent

    def press(self) -> None:
        """An alarm was sent."""
        self.percent = max(0.0, self.percent - PRESS_PERCENT)
