"""From descriptions to machines: one class for each kind of device."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from mqtt.contract.telemetry import DeviceKind
from mqtt.simulator.alarm_button import AlarmButton
from mqtt.simulator.device import Device
from mqtt.simulator.door_lock import DoorLock
from mqtt.simulator.event_queue import EventQueue
from mqtt.simulator.parcel_locker import ParcelLocker
from mqtt.simulator.population import SimulatedDevice
from mqtt.simulator.thermometer import Thermometer

CLASSES: Final[dict[DeviceKind, type[Device]]] = {
    cls.kind: cls for cls in (Thermometer, DoorLock, ParcelLocker, AlarmButton)
}


def build(
    population: Iterable[SimulatedDevice],
    now: datetime,
    *,
    seed: int = 0,
    queue_folder: Path | None = None,
) -> dict[str, Device]:
    """A machine for every description, by ``community/device``.

    With ``queue_folder`` each device keeps its unanswered events in a file there, a locker its doors too.
    """
    machines = {}
    for spec in population:
        path = queue_folder / f"{spec.community}.{spec.device}.jsonl" if queue_folder else None
        options: dict[str, Any] = {"seed": seed, "queue": EventQueue(path)}
        if spec.kind is DeviceKind.PARCEL_LOCKER and path is not None:
            options["state_file"] = path.with_suffix(".doors.json")
        machines[spec.name] = CLASSES[spec.kind](spec, now, **options)
    return machines
