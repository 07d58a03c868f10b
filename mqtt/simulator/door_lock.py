"""A door lock with a scanner: asks the portal, opens, reports its door.

The scan (several may wait at once)::

    scan ──► WAITING ──unlock──► decision "unlock", the door is opened
               │ ├─────refuse──► decision "refuse"
               │ └─acknowledge─► decision "refuse", reason "not_accepted": no answer will come
               └─ PATIENCE over ► decision "no_answer"; the event stays queued, but an unlock that
                                  comes later finds nobody waiting and opens nothing

The door::

    LOCKED ──unlock──► UNLOCKED ──person──► OPEN ──closes──► LOCKED (UNLOCKED while the pulse lasts)
      │ ▲                 │                  │ └─ HELD_OPEN_SECONDS: event held_open, once
      │ └──pulse over─────┘                  │
      └───────forced─────────────────────────┘
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, ClassVar, Final, Literal

from mqtt.contract.messages import (
    PATIENCE_SECONDS,
    Command,
    Direction,
    Door,
    Refuse,
    Scan,
    Tamper,
    Unlock,
)
from mqtt.contract.telemetry import DeviceKind
from mqtt.simulator.device import Decision, Device, Execution, Publication
from mqtt.simulator.scanner import decode_pass

HELD_OPEN_SECONDS: Final = 30.0
EXIT_PULSE_MS: Final = 3000
MAX_CODE: Final = 1024


class ScanError(ValueError):
    """What was shown to the scanner holds no code that can be sent."""


class DoorLock(Device):
    """A gate's lock and scanner.

    ``walks``: whether people walk through a door that was unlocked for them; ``obstructed``: while
    true, an open door does not close. ``_people`` holds who waits: a scan's id and since when.
    """

    kind: ClassVar[DeviceKind] = DeviceKind.DOOR_LOCK

    def __init__(self, *args: Any, walks: bool = True, **options: Any) -> None:
        super().__init__(*args, **options)
        self.walks = walks
        self.on_decision: Callable[[Decision], None] | None = None
        self.last_decision: Decision | None = None
        self.locked = True
        self.contact_open = False
        self.obstructed = False
        self.tampered = False
        self._people: dict[str, datetime] = {}
        self._until = self.started
        self._opening = 0

    def show_image(
        self, image: bytes, now: datetime, *, body_temperature: float | None = None
    ) -> tuple[str, list[Publication]]:
        """Hold a picture before the scanner: it is decoded, and the code in it scanned.

        Raises:
            ScanError: there is no code in the picture.
            mqtt.simulator.scanner.ImageError: the bytes are no picture.
        """
        code = decode_pass(image)
        if code is None:
            raise ScanError("no code in the picture")
        return self.scan(code, now, body_temperature=body_temperature)

    def scan(
        self,
        code: str,
        now: datetime,
        *,
        body_temperature: float | None = None,
        direction: Direction = Direction.IN,
    ) -> tuple[str, list[Publication]]:
        """A code was read; returns the event's id and what to send. Raises ``ScanError``."""
        if not 1 <= len(code) <= MAX_CODE:
            raise ScanError(f"a code has 1 to {MAX_CODE} characters")
        event = Scan(
            id=self.make_id(),
            at=now,
            code=code,
            direction=direction,
            body_temperature=body_temperature,
        )
        self._people[event.id] = now
        self.after(PATIENCE_SECONDS, now, lambda later: self._give_up(event.id, later))
        return event.id, self.emit(event, now)

    def exit(self, now: datetime) -> list[Publication]:
        """Someone inside presses the exit button and leaves."""
        opened = self._unlock(EXIT_PULSE_MS, None, now, walks=False)
        return opened + self._open("opened", None, now)

    def force(self, now: datetime) -> list[Publication]:
        """Someone opens the door without the lock's leave."""
        return self._open("forced" if self.locked else "opened", None, now)

    def tamper(self, active: bool, now: datetime) -> list[Publication]:
        """The case is opened or closed."""
        self.tampered = active
        event = Tamper(id=self.make_id(), at=now, active=active)
        return self.emit(event, now) + self.state("binary_sensor/tamper", now)

    def execute(self, command: Command, now: datetime) -> Execution:
        """Unlock or refuse."""
        if isinstance(command, Refuse):
            self._decide(command.event, "refuse", command.reason, now)
            return Execution(ok=True)
        if not isinstance(command, Unlock):
            return super().execute(command, now)
        if command.event is not None and command.event not in self._people:
            return Execution(ok=False, reason="nobody_waiting")
        if command.event is not None:
            self._decide(command.event, "unlock", "ok", now)
        moved = self._unlock(command.pulse_ms, command.transaction, now, walks=self.walks)
        return Execution(ok=True, publications=moved)

    def awaits(self, command: Command) -> bool:
        """Whether the one who showed the code still stands there."""
        return isinstance(command, Unlock | Refuse) and command.event in self._people

    def dismissed(self, events: tuple[str, ...], now: datetime) -> None:
        """The portal could not accept a scan, or decided it too long ago."""
        for event in events:
            self._decide(event, "refuse", "not_accepted", now)

    def value(self, key: str, now: datetime) -> str | None:
        """Lock, contact, case, scanner."""
        match key:
            case "lock/door":
                return "LOCKED" if self.locked else "UNLOCKED"
            case "binary_sensor/contact":
                return "ON" if self.contact_open else "OFF"
            case "binary_sensor/tamper":
                return "ON" if self.tampered else "OFF"
            case "binary_sensor/scanner":
                return "ON"
        return super().value(key, now)

    def view(self) -> dict[str, object]:
        """Lock and door as words."""
        return {
            "lock": "locked" if self.locked else "unlocked",
            "door": "open" if self.contact_open else "closed",
            "waiting": len(self._people),
        }

    def _decide(self, event: str, outcome: str, reason: str, now: datetime) -> None:
        since = self._people.pop(event, None)
        if since is None:
            return
        spent = (now - since).total_seconds() * 1000
        self.last_decision = Decision(event, outcome, reason, round(spent, 3))
        if self.on_decision is not None:
            self.on_decision(self.last_decision)

    def _give_up(self, event: str, now: datetime) -> list[Publication]:
        self._decide(event, "no_answer", "no_answer", now)
        return []

    def _unlock(
        self, pulse_ms: int, transaction: str | None, now: datetime, *, walks: bool
    ) -> list[Publication]:
        until = now + timedelta(milliseconds=pulse_ms)
        was_locked, self.locked = self.locked, False
        self._until = until if was_locked else max(self._until, until)
        self.after(pulse_ms / 1000, now, self._relock)
        if walks:
            delay = self.rng.uniform(0.3, min(1.5, pulse_ms * 0.0008))
            self.after(delay, now, lambda later: self._walk(transaction, later))
        return self.state("lock/door", now) if was_locked else []

    def _walk(self, transaction: str | None, now: datetime) -> list[Publication]:
        return [] if self.locked else self._open("opened", transaction, now)

    def _open(
        self, state: Literal["opened", "forced"], transaction: str | None, now: datetime
    ) -> list[Publication]:
        if self.contact_open:
            return []
        self.contact_open = True
        self._opening += 1
        opening = self._opening
        self.after(self.rng.uniform(1, 3), now, lambda later: self._close(transaction, later))
        self.after(HELD_OPEN_SECONDS, now, lambda later: self._held(opening, later))
        event = Door(id=self.make_id(), at=now, state=state, transaction=transaction)
        return self.emit(event, now) + self.state("binary_sensor/contact", now)

    def _held(self, opening: int, now: datetime) -> list[Publication]:
        if not self.contact_open or opening != self._opening:
            return []
        return self.emit(Door(id=self.make_id(), at=now, state="held_open"), now)

    def _close(self, transaction: str | None, now: datetime) -> list[Publication]:
        if not self.contact_open or self.obstructed:
            return []
        self.contact_open = False
        event = Door(id=self.make_id(), at=now, state="closed", transaction=transaction)
        sent = self.emit(event, now) + self.state("binary_sensor/contact", now)
        return sent + self._relock(now)

    def clear(self, now: datetime) -> list[Publication]:
        """Take away what held the door open."""
        self.obstructed = False
        return self._close(None, now)

    def _relock(self, now: datetime) -> list[Publication]:
        if self.locked or self.contact_open or now < self._until:
            return []
        self.locked = True
        return self.state("lock/door", now)
