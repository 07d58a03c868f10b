"""An alarm button worn by a person: pressed, cancelled within a window, tested.

IDLE ──press──► ALARM ──press──► ALARM (presses + 1)
  ▲               │
  ├──cancel───────┤  within CANCEL_SECONDS of the last press: event "cancelled"
  └──feedback closed, or the window over

feedback: received ──► acknowledged ──► closed   (shown to the wearer)
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, ClassVar, Final

from mqtt.contract.messages import Alarm, AlarmFeedback, Command
from mqtt.contract.telemetry import DeviceKind
from mqtt.simulator.device import Device, Execution, Publication
from mqtt.simulator.physics import Battery

CANCEL_SECONDS: Final = 15.0
"""A press can be taken back so long."""
PRESSED_SECONDS: Final = 2.0
"""The sensor shows a press so long."""


class AlarmButton(Device):
    """One button. ``last_alarm`` is the id of its last event, of any action."""

    kind: ClassVar[DeviceKind] = DeviceKind.ALARM_BUTTON

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.battery = Battery(self.rng.uniform(60, 100), self.started)
        self.pressed_at: datetime | None = None
        self.presses = 0
        self.feedback = ""
        self._alarm = ""
        self.last_alarm = ""

    def press(self, now: datetime) -> list[Publication]:
        """The wearer presses the button."""
        self.presses = self.presses + 1 if self._in_window(now) else 1
        self.pressed_at = now
        self.feedback = ""
        self.battery.press()
        event = Alarm(
            id=self.make_id(),
            at=now,
            action="pressed",
            battery=self._percent(now),
            presses=min(1000, self.presses),
        )
        self._alarm = self.last_alarm = event.id
        self.after(PRESSED_SECONDS, now, lambda later: self.state("binary_sensor/pressed", later))
        return self.emit(event, now) + self.state("binary_sensor/pressed", now)

    def cancel(self, now: datetime) -> list[Publication]:
        """The wearer takes the alarm back; nothing is sent when the window is over."""
        if not self._in_window(now):
            return []
        presses, self.presses = self.presses, 0
        self.pressed_at = None
        return self._say("cancelled", now, presses) + self.state("binary_sensor/pressed", now)

    def test(self, now: datetime) -> list[Publication]:
        """The monthly test: no one is alarmed."""
        self.battery.press()
        return self._say("tested", now, 1)

    def execute(self, command: Command, now: datetime) -> Execution:
        """Show feedback."""
        if not isinstance(command, AlarmFeedback):
            return super().execute(command, now)
        if command.event != self._alarm:
            return Execution(ok=False, reason="unknown_alarm")
        self.feedback = command.state
        if command.state == "closed":
            self.pressed_at, self.presses = None, 0
        return Execution(ok=True)

    def value(self, key: str, now: datetime) -> str | None:
        """Battery and button."""
        if key == "sensor/battery":
            return f"{self.battery.at(now):.1f}"
        if key == "binary_sensor/pressed":
            window = timedelta(seconds=PRESSED_SECONDS)
            held = self.pressed_at is not None and now - self.pressed_at < window
            return "ON" if held else "OFF"
        return super().value(key, now)

    def view(self) -> dict[str, object]:
        """Battery in percent and what the wearer sees."""
        return {"battery": round(self.battery.percent, 1), "feedback": self.feedback}

    def _in_window(self, now: datetime) -> bool:
        window = timedelta(seconds=CANCEL_SECONDS)
        return self.pressed_at is not None and now - self.pressed_at <= window

    def _percent(self, now: datetime) -> float:
        return round(self.battery.at(now), 1)

    def _say(self, action: str, now: datetime, presses: int) -> list[Publication]:
        event = Alarm(
            id=self.make_id(),
            at=now,
            action="cancelled" if action == "cancelled" else "tested",
            battery=self._percent(now),
            presses=presses,
        )
        self.last_alarm = event.id
        return self.emit(event, now)
