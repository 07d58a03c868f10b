"""Telemetry for people: ranges and steps of charts, last values with their names and units.

A chart has at most :data:`MOST_POINTS` points whatever its range: the step grows with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from mqtt.contract.telemetry import MEASURES, Component, DeviceKind, Measure
from portal.core import formats
from portal.core.i18n import _, lazy
from portal.devices.models import Device

if TYPE_CHECKING:
    from mqtt.telemetry.model import Bucket, LastValue
    from mqtt.telemetry.store import TelemetryStore

MOST_POINTS: Final = 500
STALE_FACTOR: Final = 5
"""A value older than this many of its intervals is shown as old."""


class Range(StrEnum):
    """How far back a chart goes."""

    HOUR = "1h"
    DAY = "24h"
    WEEK = "7d"


LENGTHS: Final[dict[Range, timedelta]] = {
    Range.HOUR: timedelta(hours=1),
    Range.DAY: timedelta(hours=24),
    Range.WEEK: timedelta(days=7),
}
RANGE_NAMES: Final[dict[Range, Any]] = {
    Range.HOUR: lazy("1 hour"),
    Range.DAY: lazy("24 hours"),
    Range.WEEK: lazy("7 days"),
}
STEPS: Final = tuple(
    timedelta(seconds=s) for s in (10, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21_600, 86_400)
)
"""Steps a person can read off an axis."""

MEASURE_NAMES: Final[dict[str, Any]] = {
    "sensor/body_temperature": lazy("Body temperature"),
    "sensor/ambient_temperature": lazy("Ambient temperature"),
    "sensor/signal": lazy("Wi-Fi signal"),
    "sensor/uptime": lazy("Running since the last start"),
    "sensor/battery": lazy("Battery"),
    "sensor/occupied": lazy("Occupied compartments"),
    "sensor/free": lazy("Free compartments"),
    "lock/door": lazy("Lock"),
    "binary_sensor/contact": lazy("Door"),
    "binary_sensor/tamper": lazy("Case"),
    "binary_sensor/scanner": lazy("Scanner"),
    "binary_sensor/door_open": lazy("Compartment doors"),
    "binary_sensor/pressed": lazy("Button"),
}
STATES: Final[dict[str, tuple[Any, Any]]] = {
    "lock/door": (lazy("unlocked"), lazy("locked")),
    "binary_sensor/contact": (lazy("closed"), lazy("open")),
    "binary_sensor/tamper": (lazy("in order"), lazy("opened by force")),
    "binary_sensor/scanner": (lazy("not connected"), lazy("connected")),
    "binary_sensor/door_open": (lazy("all closed"), lazy("one is open")),
    "binary_sensor/pressed": (lazy("not pressed"), lazy("pressed")),
}
"""Words for 0 and 1."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A last value as people read it. ``tone`` is that of a chip; ``old`` when it is overdue."""

    measure: Measure
    name: str
    text: str
    at: datetime
    tone: str
    old: bool


@dataclass(frozen=True, slots=True)
class Curve:
    """One measure over a range."""

    measure: Measure
    name: str
    step: timedelta
    buckets: Sequence[Bucket]


def step_for(length: timedelta, most: int = MOST_POINTS) -> timedelta:
    """The smallest readable step that keeps a range of this length within ``most`` points.

    A bucket may stick out at either end, hence the two to spare.
    """
    for step in STEPS:
        if length / step + 2 <= most:
            return step
    raise ValueError(f"a range of {length} is too long")


def measures(kind: str) -> tuple[Measure, ...]:
    """What a device of this kind reports; those of interest to technicians come last."""
    try:
        known = MEASURES[DeviceKind(kind)]
    except ValueError:
        return ()
    return tuple(sorted(known, key=lambda m: m.diagnostic))


def name_of(measure: Measure) -> str:
    """The measure's translated name."""
    return str(MEASURE_NAMES.get(measure.key, measure.title))


def text_of(measure: Measure, value: float) -> str:
    """A value with its unit, or the word for a state."""
    if measure.component is not Component.SENSOR:
        return str(STATES[measure.key][int(value >= 0.5)])
    if measure.unit == "s":
        minutes = int(value) // 60
        days, rest = divmod(minutes, 1440)
        hours, minutes = divmod(rest, 60)
        clock = f"{hours}:{minutes:02}"
        return _("%(days)s days %(clock)s", days=days, clock=clock) if days else clock
    return formats.measure(value, measure.unit, 1 if measure.unit == "°C" else 0)


def tone_of(measure: Measure, value: float) -> str:
    """What a value means: ``bad`` needs somebody, ``warn`` soon, "" is a plain fact."""
    if measure.key == "sensor/battery":
        return "bad" if value < 15 else "warn" if value < 30 else "good"
    if measure.key == "binary_sensor/tamper":
        return "bad" if value >= 0.5 else "good"
    if measure.key == "binary_sensor/scanner":
        return "good" if value >= 0.5 else "bad"
    if measure.key == "binary_sensor/pressed":
        return "bad" if value >= 0.5 else ""
    if measure.key == "sensor/signal":
        return "warn" if value < -85 else ""
    return ""


def readings(device: Device, last: dict[str, LastValue], now: datetime) -> list[Reading]:
    """Last values of a device in the order of its measures; those never reported are left out."""
    shown = []
    for measure in measures(device.kind):
        value = last.get(measure.key)
        if value is None:
            continue
        overdue = now - value.at > STALE_FACTOR * timedelta(seconds=measure.interval_s)
        shown.append(
            Reading(
                measure,
                name_of(measure),
                text_of(measure, value.value),
                value.at,
                tone_of(measure, value.value),
                overdue,
            )
        )
    return shown


def last_values(store: TelemetryStore, device: Device) -> dict[str, LastValue]:
    """The newest value of each measure.

    Raises:
        StoreUnavailable: the telemetry store does not answer.
    """
    return store.last(str(device.community.key), device.key)


def curve(
    store: TelemetryStore, device: Device, measure: Measure, span: Range, now: datetime
) -> Curve:
    """One measure over a range that ends now, the bucket at hand included.

    Raises:
        StoreUnavailable: the telemetry store does not answer.
    """
    length = LENGTHS[span]
    step = step_for(length)
    buckets = store.query(
        str(device.community.key), device.key, measure.key, now - length, now + step, step
    )
    return Curve(measure, name_of(measure), step, buckets)
