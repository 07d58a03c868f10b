# Generated from mqtt/contract by `linli contract generate`, do not edit.
"""Scalar telemetry: which objects each kind of device reports, with unit, range and meaning."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from .errors import Fault, MessageError
from .topics import Topic


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


MEASURES: Final[dict[DeviceKind, tuple[Measure, ...]]] = {
    DeviceKind.THERMOMETER: (
        Measure(
            component=Component.SENSOR,
            name="body_temperature",
            title="Body temperature",
            unit="°C",
            minimum=20,
            maximum=50,
            device_class="temperature",
            interval_s=60,
            diagnostic=False,
        ),
        Measure(
            component=Component.SENSOR,
            name="ambient_temperature",
            title="Ambient temperature",
            unit="°C",
            minimum=-40,
            maximum=85,
            device_class="temperature",
            interval_s=60,
            diagnostic=False,
        ),
        Measure(
            component=Component.SENSOR,
            name="signal",
            title="Wi-Fi signal",
            unit="dBm",
            minimum=-130,
            maximum=0,
            device_class="signal_strength",
            interval_s=60,
            diagnostic=True,
        ),
        Measure(
            component=Component.SENSOR,
            name="uptime",
            title="Uptime",
            unit="s",
            minimum=0,
            maximum=4000000000.0,
            device_class="duration",
            interval_s=60,
            diagnostic=True,
        ),
    ),
    DeviceKind.DOOR_LOCK: (
        Measure(
            component=Component.LOCK,
            name="door",
            title="Lock",
            unit="",
            minimum=0.0,
            maximum=1.0,
            device_class="",
            interval_s=60,
            diagnostic=False,
        ),
        Measure(
            component=Component.BINARY_SENSOR,
            name="contact",
            title="Door contact",
            unit="",
            minimum=0.0,
            maximum=1.0,
            device_class="door",
            interval_s=60,
            diagnostic=False,
        ),
        Measure(
            component=Component.BINARY_SENSOR,
            name="tamper",
            title="Tamper",
            unit="",
            minimum=0.0,
            maximum=1.0,
            device_class="tamper",
            interval_s=60,
            diagnostic=False,
        ),
        Measure(
            component=Component.BINARY_SENSOR,
            name="scanner",
            title="Scanner connected",
            unit="",
            minimum=0.0,
            maximum=1.0,
            device_class="connectivity",
            interval_s=60,
            diagnostic=True,
        ),
        Measure(
            component=Component.SENSOR,
            name="signal",
            title="Wi-Fi signal",
            unit="dBm",
            minimum=-130,
            maximum=0,
            device_class="signal_strength",
            interval_s=60,
            diagnostic=True,
        ),
        Measure(
            component=Component.SENSOR,
            name="uptime",
            title="Uptime",
            unit="s",
            minimum=0,
            maximum=4000000000.0,
            device_class="duration",
            interval_s=60,
            diagnostic=True,
        ),
    ),
    DeviceKind.PARCEL_LOCKER: (
        Measure(
            component=Component.SENSOR,
            name="occupied",
            title="Occupied compartments",
            unit="",
            minimum=0,
            maximum=999,
            device_class="",
            interval_s=60,
            diagnostic=False,
        ),
        Measure(
            component=Component.SENSOR,
            name="free",
            title="Free compartments",
            unit="",
            minimum=0,
            maximum=999,
            device_class="",
            interval_s=60,
            diagnostic=False,
        ),
        Measure(
            component=Component.BINARY_SENSOR,
            name="door_open",
            title="Any compartment open",
            unit="",
            minimum=0.0,
            maximum=1.0,
            device_class="door",
            interval_s=60,
            diagnostic=False,
        ),
        Measure(
            component=Component.SENSOR,
            name="ambient_temperature",
            title="Ambient temperature",
            unit="°C",
            minimum=-40,
            maximum=85,
            device_class="temperature",
            interval_s=60,
            diagnostic=False,
        ),
        Measure(
            component=Component.SENSOR,
            name="signal",
            title="Wi-Fi signal",
            unit="dBm",
            minimum=-130,
            maximum=0,
            device_class="signal_strength",
            interval_s=60,
            diagnostic=True,
        ),
        Measure(
            component=Component.SENSOR,
            name="uptime",
            title="Uptime",
            unit="s",
            minimum=0,
            maximum=4000000000.0,
            device_class="duration",
            interval_s=60,
            diagnostic=True,
        ),
    ),
    DeviceKind.ALARM_BUTTON: (
        Measure(
            component=Component.SENSOR,
            name="battery",
            title="Battery",
            unit="%",
            minimum=0,
            maximum=100,
            device_class="battery",
            interval_s=300,
            diagnostic=False,
        ),
        Measure(
            component=Component.BINARY_SENSOR,
            name="pressed",
            title="Pressed",
            unit="",
            minimum=0.0,
            maximum=1.0,
            device_class="safety",
            interval_s=60,
            diagnostic=False,
        ),
        Measure(
            component=Component.SENSOR,
            name="signal",
            title="Wi-Fi signal",
            unit="dBm",
            minimum=-130,
            maximum=0,
            device_class="signal_strength",
            interval_s=60,
            diagnostic=True,
        ),
        Measure(
            component=Component.SENSOR,
            name="uptime",
            title="Uptime",
            unit="s",
            minimum=0,
            maximum=4000000000.0,
            device_class="duration",
            interval_s=60,
            diagnostic=True,
        ),
    ),
}


_BY_KEY: Final[dict[str, Measure]] = {m.key: m for kind in MEASURES.values() for m in kind}
_TRUE: Final = {"ON", "LOCKED"}
_FALSE: Final = {"OFF", "UNLOCKED"}


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
