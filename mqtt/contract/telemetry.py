"""Scalar telemetry: which objects each kind of device reports, with unit, range and meaning.

Payloads are ESPHome's own plain text: a number (``36.5``), ``ON``/``OFF``, ``LOCKED``/``UNLOCKED``.
The tables are what the AsyncAPI document, the firmware package and Home Assistant are made from.
Device kinds: thermometer, door_lock, parcel_locker, alarm_button.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from mqtt.contract.codec import Fault, MessageError
from mqtt.contract.topics import Topic


class DeviceKind(StrEnum):
    """The four products."""

    THERMOMETER = "thermometer"
    DOOR_LOCK = "door_lock"
    PARCEL_LOCKER = "parcel_locker"
    ALARM_BUTTON = "alarm_button"


class Component(StrEnum):
    """ESPHome's component, the fifth topic level."""

    SENSOR = "sensor"
    BINARY_SENSOR = "binary_sensor"
    LOCK = "lock"


@dataclass(frozen=True, slots=True)
class Measure:
    """One telemetry object.

    ``minimum`` and ``maximum`` are in ``unit``; ``device_class`` is Home Assistant's; ``interval_s``
    is how often a device reports it when nothing changes; ``diagnostic`` marks what only a
    technician wants to see.
    """

    component: Component
    name: str
    title: str
    unit: str = ""
    minimum: float = 0.0
    maximum: float = 1.0
    device_class: str = ""
    interval_s: int = 60
    diagnostic: bool = False

    @property
    def key(self) -> str:
        """``component/name``, unique within a device."""
        return f"{self.component}/{self.name}"


SIGNAL: Final = Measure(
    Component.SENSOR,
    "signal",
    "Wi-Fi signal",
    "dBm",
    -130,
    0,
    "signal_strength",
    60,
    diagnostic=True,
)
UPTIME: Final = Measure(
    Component.SENSOR, "uptime", "Uptime", "s", 0, 4e9, "duration", 60, diagnostic=True
)
BATTERY: Final = Measure(Component.SENSOR, "battery", "Battery", "%", 0, 100, "battery", 300)
AMBIENT: Final = Measure(
    Component.SENSOR, "ambient_temperature", "Ambient temperature", "°C", -40, 85, "temperature"
)

MEASURES: Final[dict[DeviceKind, tuple[Measure, ...]]] = {
    DeviceKind.THERMOMETER: (
        Measure(
            Component.SENSOR, "body_temperature", "Body temperature", "°C", 20, 50, "temperature"
        ),
        AMBIENT,
        SIGNAL,
        UPTIME,
    ),
    DeviceKind.DOOR_LOCK: (
        Measure(Component.LOCK, "door", "Lock"),
        Measure(Component.BINARY_SENSOR, "contact", "Door contact", device_class="door"),
        Measure(Component.BINARY_SENSOR, "tamper", "Tamper", device_class="tamper"),
        Measure(
            Component.BINARY_SENSOR,
            "scanner",
            "Scanner connected",
            device_class="connectivity",
            diagnostic=True,
        ),
        SIGNAL,
        UPTIME,
    ),
    DeviceKind.PARCEL_LOCKER: (
        Measure(Component.SENSOR, "occupied", "Occupied compartments", "", 0, 999),
        Measure(Component.SENSOR, "free", "Free compartments", "", 0, 999),
        Measure(Component.BINARY_SENSOR, "door_open", "Any compartment open", device_class="door"),
        AMBIENT,
        SIGNAL,
        UPTIME,
    ),
    DeviceKind.ALARM_BUTTON: (
        BATTERY,
        Measure(Component.BINARY_SENSOR, "pressed", "Pressed", device_class="safety"),
        SIGNAL,
        UPTIME,
    ),
}

_BY_KEY: Final[dict[str, Measure]] = {m.key: m for kind in MEASURES.values() for m in kind}
_TRUE: Final = {"ON", "LOCKED"}
_FALSE: Final = {"OFF", "UNLOCKED", "LOCKING", "UNLOCKING", "JAMMED", "OPENING", "OPEN", "NONE"}


def parse_scalar(topic: Topic, payload: bytes) -> tuple[Measure, float]:
    """A state payload as a number: ``ON`` and ``LOCKED`` are 1, ``OFF`` and ``UNLOCKED`` 0.

    A lock on its way, or jammed, is not locked: 0.

    Raises:
        MessageError: the object is unknown, the text is no number, or it is out of range.
            ESPHome publishes ``nan`` for a sensor without a value; that is out of shape too.
    """
    measure = _BY_KEY.get(f"{topic.component}/{topic.name}")
    if measure is None:
        raise MessageError(Fault.TOPIC, f"{topic.component}/{topic.name}")
    if len(payload) > 64:
        raise MessageError(Fault.SIZE, f"{len(payload)} bytes")
    try:
        text = payload.decode("ascii").strip()
    except UnicodeDecodeError as error:
        raise MessageError(Fault.SHAPE, "not ASCII") from error
    if measure.component is not Component.SENSOR:
        if text in _TRUE:
            return measure, 1.0
        if text in _FALSE:
            return measure, 0.0
        raise MessageError(Fault.SHAPE, text)
    try:
        if "_" in text:  # Python reads 1_0 as 10
            raise ValueError("underscore")
        value = float(text)
    except ValueError as error:
        raise MessageError(Fault.SHAPE, text) from error
    if not math.isfinite(value) or not measure.minimum <= value <= measure.maximum:
        raise MessageError(Fault.SHAPE, f"{text} is outside {measure.minimum}..{measure.maximum}")
    return measure, value
