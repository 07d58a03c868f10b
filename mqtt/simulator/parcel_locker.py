"""A parcel locker: opens compartments on command and reports what moves.

One compartment::

    CLOSED ──open_compartment──► result, then event "opened" ──► OPEN
      ▲                    └─ rarely: event "jammed", result not ok
      └── someone puts a parcel in (was empty) or takes it out, closes: event "closed", occupied
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Final, Literal

from mqtt.contract.messages import Command, CompartmentMoved, OpenCompartment
from mqtt.contract.telemetry import DeviceKind
from mqtt.simulator.device import Device, Execution, Publication
from mqtt.simulator.physics import ambient

JAM_SHARE: Final = 0.002
OCCUPIED_AT_START: Final = 0.3


@dataclass(slots=True)
class Door:
    """One compartment's door and content."""

    occupied: bool
    open: bool = False


class ParcelLocker(Device):
    """One locker. ``jam_share`` of the openings fail."""

    kind: ClassVar[DeviceKind] = DeviceKind.PARCEL_LOCKER
    jam_share = JAM_SHARE

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.offset = self.rng.gauss(0, 1)
        self.doors = {
            number: Door(occupied=self.rng.random() < OCCUPIED_AT_START)
            for number in range(1, self.spec.compartments + 1)
        }

    @property
    def occupied(self) -> int:
        """How many compartments hold a parcel."""
        return sum(door.occupied for door in self.doors.values())

    def execute(self, command: Command, now: datetime) -> Execution:
        """Open a compartment."""
        if not isinstance(command, OpenCompartment):
            return super().execute(command, now)
        number, transaction = command.compartment, command.transaction
        door = self.doors.get(number)
        if door is None:
            return Execution(ok=False, reason="no_such_compartment")
        if door.open:
            return Execution(ok=True, reason="already_open")
        if self.rng.random() < self.jam_share:
            moved = self._moved(number, "jammed", transaction, now)
            return Execution(ok=False, reason="jammed", publications=moved)
        delay = self.rng.uniform(0.1, 0.4)
        self.after(delay, now, lambda later: self._open(number, transaction, later))
        return Execution(ok=True)

    def close(self, number: int, occupied: bool, now: datetime) -> list[Publication]:
        """Someone closes an open compartment, leaving a parcel in it or not.

        Raises:
            KeyError: there is no such compartment.
        """
        return self._close(number, occupied, None, now)

    def value(self, key: str, now: datetime) -> str | None:
        """Counts, doors, air."""
        match key:
            case "sensor/occupied":
                return str(self.occupied)
            case "sensor/free":
                return str(len(self.doors) - self.occupied)
            case "binary_sensor/door_open":
                return "ON" if any(door.open for door in self.doors.values()) else "OFF"
            case "sensor/ambient_temperature":
                return f"{ambient(now, self.spec.latitude, self.offset):.1f}"
        return super().value(key, now)

    def view(self) -> dict[str, object]:
        """Counts and the numbers of open compartments."""
        return {
            "compartments": len(self.doors),
            "occupied": self.occupied,
            "open": [number for number, door in self.doors.items() if door.open],
        }

    def _open(self, number: int, transaction: str, now: datetime) -> list[Publication]:
        door = self.doors[number]
        if door.open:
            return []
        door.open = True
        left = not door.occupied
        self.after(
            self.rng.uniform(2, 6), now, lambda later: self._close(number, left, transaction, later)
        )
        moved = self._moved(number, "opened", transaction, now)
        return moved + self.state("binary_sensor/door_open", now)

    def _close(
        self, number: int, occupied: bool, transaction: str | None, now: datetime
    ) -> list[Publication]:
        door = self.doors[number]
        if not door.open:
            return []
        door.open, door.occupied = False, occupied
        sent = self._moved(number, "closed", transaction, now)
        for key in ("binary_sensor/door_open", "sensor/occupied", "sensor/free"):
            sent += self.state(key, now)
        return sent

    def _moved(
        self,
        number: int,
        state: Literal["opened", "closed", "jammed"],
        transaction: str | None,
        now: datetime,
    ) -> list[Publication]:
        event = CompartmentMoved(
            id=self.make_id(),
            at=now,
            compartment=number,
            state=state,
            occupied=self.doors[number].occupied,
            transaction=transaction,
        )
        return self.emit(event, now)
