"""A parcel locker: opens compartments on command and reports what moves.

One compartment::

    CLOSED ──open_compartment──► result, then event "opened" ──► OPEN
      ▲                    └─ rarely: event "jammed", result not ok
      └── someone puts a parcel in (was empty) or takes it out, closes: event "closed", occupied

After a power cut, or when its process starts again with a file of its state, a locker reports each
compartment once as it is, by an event without a transaction.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar, Final, Literal

from mqtt.contract.messages import Boot, Command, CompartmentMoved, OpenCompartment
from mqtt.contract.telemetry import DeviceKind
from mqtt.simulator.device import FIRMWARE, Device, Execution, Publication
from mqtt.simulator.physics import ambient

JAM_SHARE: Final = 0.002
OCCUPIED_AT_START: Final = 0.3


@dataclass(slots=True)
class Door:
    """One compartment's door and content; ``openings`` counts how often it has opened."""

    occupied: bool
    open: bool = False
    openings: int = 0


class ParcelLocker(Device):
    """One locker. ``jam_share`` of the openings fail.

    ``state_file`` keeps doors and contents over a restart of the process.
    """

    kind: ClassVar[DeviceKind] = DeviceKind.PARCEL_LOCKER
    jam_share = JAM_SHARE

    def __init__(self, *args: Any, state_file: Path | None = None, **options: Any) -> None:
        super().__init__(*args, **options)
        self.offset = self.rng.gauss(0, 1)
        self.doors = {
            number: Door(occupied=self._full_at_start(number))
            for number in range(1, self.spec.compartments + 1)
        }
        self._file = state_file
        self._restored = self._restore()

    def _full_at_start(self, number: int) -> bool:
        if self.spec.occupied is not None:
            return number in self.spec.occupied
        return self.rng.random() < OCCUPIED_AT_START

    @property
    def occupied(self) -> int:
        """How many compartments hold a parcel."""
        return sum(door.occupied for door in self.doors.values())

    def on_connected(self, now: datetime) -> list[Publication]:
        """As every device; one that has started again reports its compartments."""
        sent = super().on_connected(now)
        if self._restored:
            self._restored = False
            sent += self._report_all(now)
        return sent

    def power_cut(self, now: datetime) -> list[Publication]:
        """The power fails and comes back: what was about to happen does not, and all is reported as it is."""
        for door in self.doors.values():
            door.openings += 1  # whatever was to open or close by a timer is forgotten
        boot = Boot(id=self.make_id(), at=now, firmware=FIRMWARE, cause="power")
        return self.emit(boot, now) + self._report_all(now)

    def _report_all(self, now: datetime) -> list[Publication]:
        return [
            publication
            for number, door in self.doors.items()
            for publication in self._moved(number, "opened" if door.open else "closed", None, now)
        ]

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
        before = door.openings
        self.after(delay, now, lambda later: self._open(number, transaction, before, later))
        return Execution(ok=True)

    def close(self, number: int, occupied: bool, now: datetime) -> list[Publication]:
        """Someone closes an open compartment, leaving a parcel in it or not.

        Raises:
            KeyError: there is no such compartment.
        """
        return self._close(number, occupied, None, now)

    def pry(self, number: int, now: datetime) -> list[Publication]:
        """Someone opens a compartment without the locker's leave.

        Raises:
            KeyError: there is no such compartment.
        """
        door = self.doors[number]
        if door.open:
            return []
        door.open = True
        door.openings += 1
        self._save()
        return self._moved(number, "opened", None, now)

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

    def _open(self, number: int, transaction: str, before: int, now: datetime) -> list[Publication]:
        door = self.doors[number]
        if door.open or door.openings != before:
            return []
        door.open = True
        door.openings += 1
        self._save()
        opening, left = door.openings, not door.occupied
        wait = self.spec.close_after_s or self.rng.uniform(2, 6)
        self.after(wait, now, lambda later: self._close(number, left, transaction, later, opening))
        moved = self._moved(number, "opened", transaction, now)
        return moved + self.state("binary_sensor/door_open", now)

    def _close(
        self,
        number: int,
        occupied: bool,
        transaction: str | None,
        now: datetime,
        opening: int | None = None,
    ) -> list[Publication]:
        door = self.doors[number]
        if not door.open or opening not in (None, door.openings):
            return []
        door.open, door.occupied = False, occupied
        self._save()
        sent = self._moved(number, "closed", transaction, now)
        for key in ("binary_sensor/door_open", "sensor/occupied", "sensor/free"):
            sent += self.state(key, now)
        return sent

    def _save(self) -> None:
        if self._file is None:
            return
        kept = {str(number): [door.occupied, door.open] for number, door in self.doors.items()}
        self._file.parent.mkdir(parents=True, exist_ok=True)
        fresh = self._file.with_suffix(".new")
        fresh.write_text(json.dumps(kept), "utf-8")
        fresh.replace(self._file)

    def _restore(self) -> bool:
        """Take up doors and contents from the file; whether there were any."""
        if self._file is None or not self._file.exists():
            return False
        try:
            kept = json.loads(self._file.read_text("utf-8"))
            for number, door in self.doors.items():
                door.occupied, door.open = map(bool, kept[str(number)])
        except (OSError, ValueError, KeyError, TypeError):
            return False
        return True

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
