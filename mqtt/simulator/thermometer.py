"""A contactless thermometer: measures who stands before it.

READY ──measure──► reading event + body_temperature state ──► READY
set_threshold changes from where on a reading counts as over-temperature
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar, Final

from mqtt.contract.messages import Command, Reading, SetThreshold
from mqtt.contract.telemetry import DeviceKind
from mqtt.simulator.device import Device, Execution, Publication
from mqtt.simulator.physics import ambient, body_temperature

THRESHOLD: Final = 37.3
"""Forehead temperature from which a person is asked to wait, °C."""


class Thermometer(Device):
    """One thermometer."""

    kind: ClassVar[DeviceKind] = DeviceKind.THERMOMETER

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.threshold = THRESHOLD
        self.last: float | None = None
        self.offset = self.rng.gauss(0, 1)

    def measure(
        self, now: datetime, *, temperature: float | None = None, scan: str | None = None
    ) -> tuple[float, list[Publication]]:
        """Measure a person, whose temperature is ``temperature`` or drawn; joined to a ``scan``."""
        value = body_temperature(self.rng) if temperature is None else round(temperature, 1)
        self.last = value
        reading = Reading(
            id=self.make_id(),
            at=now,
            body_temperature=value,
            ambient_temperature=round(ambient(now, self.spec.latitude, self.offset), 1),
            distance_mm=self.rng.randint(250, 450),
            over_threshold=value >= self.threshold,
            scan=scan,
        )
        return value, self.emit(reading, now) + self.state("sensor/body_temperature", now)

    def execute(self, command: Command, now: datetime) -> Execution:
        """Set the threshold."""
        if not isinstance(command, SetThreshold):
            return super().execute(command, now)
        self.threshold = command.body_temperature
        return Execution(ok=True)

    def value(self, key: str, now: datetime) -> str | None:
        """The last person's and the air's temperature."""
        if key == "sensor/body_temperature":
            return None if self.last is None else f"{max(20.0, min(50.0, self.last)):.1f}"
        if key == "sensor/ambient_temperature":
            return f"{ambient(now, self.spec.latitude, self.offset):.1f}"
        return super().value(key, now)

    def view(self) -> dict[str, object]:
        """Threshold and last reading, °C."""
        return {"threshold": self.threshold, "body_temperature": self.last}
