"""What every virtual device does, as a machine without network or clock.

A transport tells the machine what happened and what time it is (aware UTC) and sends what it gets
back. The same machines serve the simulator, the benches and the fault tests::

                    on_connected                        on_disconnected
    OFFLINE ───────────────────────────► ONLINE ───────────────────────────► OFFLINE
             status, boot, every state,   │  ▲
             unanswered events            │  │ on_tick: telemetry, timers, repeats
                                          └──┘ on_command: once per transaction

A command::

    new transaction, in time   → carried out, result remembered
    repeated transaction       → the first result again, nothing else happens
    expired                    → result "expired", nothing else happens; an answer to somebody who
                                 still waits is never expired, whatever the clocks say
    malformed                  → counted, no result
"""

from __future__ import annotations

import heapq
import random
import uuid
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from typing import ClassVar, Final

import structlog

from mqtt.contract.codec import MessageError, decode_command, encode
from mqtt.contract.delivery import DELIVERY
from mqtt.contract.messages import Acknowledge, Boot, Command, Event, Refuse, Result, Status, Unlock
from mqtt.contract.telemetry import MEASURES, DeviceKind
from mqtt.contract.topics import Channel
from mqtt.simulator.event_queue import EventQueue
from mqtt.simulator.physics import Signal
from mqtt.simulator.population import SimulatedDevice

FIRMWARE: Final = "simulator-1.0.0"
REMEMBERED_RESULTS: Final = 512
"""A device knows so many of its last transactions."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Publication:
    """One message to send."""

    topic: str
    payload: bytes
    qos: int
    retain: bool


@dataclass(frozen=True, slots=True)
class Decision:
    """What became of a scan: ``unlock``, ``refuse`` or ``no_answer``, and how long it took."""

    event: str
    outcome: str
    reason: str
    milliseconds: float


@dataclass(slots=True)
class Execution:
    """What carrying out a command led to; ``reason`` is a code, empty when all went well."""

    ok: bool
    reason: str = ""
    publications: list[Publication] = field(default_factory=list)


Action = Callable[[datetime], list[Publication]]


def new_id() -> str:
    """An id for ever: not from the seed, or a second run would repeat the first run's events."""
    return uuid.uuid4().hex


class Device:
    """One virtual device; subclasses add what their kind can do."""

    kind: ClassVar[DeviceKind]

    def __init__(
        self,
        spec: SimulatedDevice,
        now: datetime,
        *,
        seed: int = 0,
        queue: EventQueue | None = None,
        make_id: Callable[[], str] = new_id,
    ) -> None:
        self.spec = spec
        self.address = spec.address
        self.rng = random.Random(f"{seed}/{spec.name}")
        self.queue = queue if queue is not None else EventQueue()
        self.make_id = make_id
        self.online = False
        self.started = now
        self.ignored = 0
        self.on_answer: Callable[[str], None] | None = None
        self.last_event = ""
        self.last_command = ""
        mean = self.rng.uniform(-75, -50)
        self.signal = Signal(mean, mean)
        self._booted = False
        self._answers: OrderedDict[str, Publication] = OrderedDict()
        self._timers: list[tuple[datetime, int, Action]] = []
        self._order = count()
        for measure in MEASURES[self.kind]:
            first = now + timedelta(seconds=self.rng.uniform(0, measure.interval_s))
            self._at(first, self._report(measure.key, timedelta(seconds=measure.interval_s)))

    # --- what a transport calls -------------------------------------------------------------

    @property
    def last_will(self) -> Publication:
        """What the broker says when the device is gone."""
        return self._status(Status.OFFLINE)

    def on_connected(self, now: datetime) -> list[Publication]:
        """Subscribed and ready: say so, report every state, repeat what is unanswered."""
        self.online = True
        sent = [self._status(Status.ONLINE)]
        if not self._booted:
            self._booted = True
            boot = Boot(id=self.make_id(), at=now, firmware=FIRMWARE, cause="power")
            self.queue.add(boot, now, sent=False)
        for measure in MEASURES[self.kind]:
            sent += self.state(measure.key, now)
        return sent + self._repeat(now, every=True)

    def on_disconnected(self) -> None:
        """Events are kept from now on and repeated after the next connection."""
        self.online = False

    def on_command(self, name: str, payload: bytes, now: datetime) -> list[Publication]:
        """A command arrived; what to send in answer."""
        try:
            command = decode_command(name, payload)
        except MessageError as error:
            self.ignored += 1
            log.warning("command_ignored", device=self.spec.name, fault=error.fault.value)
            return []
        self.last_command = name
        if isinstance(command, Acknowledge):
            self._answered(command.events)
            self.dismissed(command.events, now)
            return []
        if isinstance(command, Unlock | Refuse) and command.event is not None:
            self._answered((command.event,))
        known = self._answers.get(command.transaction)
        if known is not None:
            return [known]
        late = command.expires_at <= now and not self.awaits(command)
        done = self.expired(command, now) if late else self.execute(command, now)
        result = Result(transaction=command.transaction, at=now, ok=done.ok, reason=done.reason)
        answer = self._publication(self.address.result(name), encode(result), Channel.RESULT)
        self._answers[command.transaction] = answer
        if len(self._answers) > REMEMBERED_RESULTS:
            self._answers.popitem(last=False)
        return [answer, *done.publications]

    def on_tick(self, now: datetime) -> list[Publication]:
        """Whatever is due by ``now``."""
        sent: list[Publication] = []
        while self._timers and self._timers[0][0] <= now:
            sent += heapq.heappop(self._timers)[2](now)
        return sent + (self._repeat(now) if self.online else [])

    def next_tick(self) -> datetime | None:
        """When ``on_tick`` has something to do next, or None."""
        times = [self._timers[0][0]] if self._timers else []
        repeat = self.queue.next_due() if self.online else None
        return min([*times, repeat] if repeat else times, default=None)

    # --- what a subclass says ---------------------------------------------------------------

    def execute(self, command: Command, now: datetime) -> Execution:
        """Carry out a command of this kind of device."""
        del command, now
        return Execution(ok=False, reason="not_supported")

    def awaits(self, command: Command) -> bool:
        """Whether this answers what the device is waiting for now, by its own steady clock."""
        del command
        return False

    def dismissed(self, events: tuple[str, ...], now: datetime) -> None:
        """The portal has done with these events; no other answer to them will come."""
        del events, now

    def expired(self, command: Command, now: datetime) -> Execution:
        """A command came too late."""
        del command, now
        return Execution(ok=False, reason="expired")

    def value(self, key: str, now: datetime) -> str | None:
        """A measure's present value as ESPHome writes it, or None when there is none yet."""
        if key == "sensor/signal":
            return f"{self.signal.next(self.rng):.0f}"
        if key == "sensor/uptime":
            return f"{max(0.0, (now - self.started).total_seconds()):.0f}"
        raise KeyError(key)

    def view(self) -> dict[str, object]:
        """The device's own state for people and scripts."""
        return {}

    # --- what a subclass uses ---------------------------------------------------------------

    def emit(self, event: Event, now: datetime) -> list[Publication]:
        """Keep an event until it is answered, and send it when connected."""
        self.last_event = event.NAME
        waiting = self.queue.add(event, now, sent=self.online)
        return [self._event(waiting.kind, waiting.payload)] if self.online else []

    def state(self, key: str, now: datetime) -> list[Publication]:
        """Report one measure's present value."""
        text = self.value(key, now)
        if text is None or not self.online:
            return []
        component, name = key.split("/")
        topic = self.address.state(component, name)
        return [self._publication(topic, text.encode("ascii"), Channel.STATE)]

    def after(self, seconds: float, now: datetime, action: Action) -> None:
        """Do ``action`` so many seconds from ``now``."""
        self._at(now + timedelta(seconds=seconds), action)

    # --- inside -----------------------------------------------------------------------------

    def _at(self, moment: datetime, action: Action) -> None:
        heapq.heappush(self._timers, (moment, next(self._order), action))

    def _answered(self, events: tuple[str, ...]) -> None:
        self.queue.answer(events)
        if self.on_answer is not None:
            for event in events:
                self.on_answer(event)

    def _report(self, key: str, interval: timedelta) -> Action:
        def report(now: datetime) -> list[Publication]:
            self._at(now + interval, report)
            return self.state(key, now)

        return report

    def _repeat(self, now: datetime, *, every: bool = False) -> list[Publication]:
        return [self._event(w.kind, w.payload) for w in self.queue.take_due(now, every=every)]

    def _event(self, kind: str, payload: bytes) -> Publication:
        return self._publication(self.address.event(kind), payload, Channel.EVENT)

    def _status(self, status: Status) -> Publication:
        return self._publication(self.address.status, status.value.encode(), Channel.STATUS)

    @staticmethod
    def _publication(topic: str, payload: bytes, channel: Channel) -> Publication:
        delivery = DELIVERY[channel]
        return Publication(topic, payload, delivery.qos, delivery.retain)
