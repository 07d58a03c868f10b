"""The gates of the bench: one connection that plays fifty locks and measures their answers.

Open loop: scans leave by a timetable that does not wait for answers, and the time of each answer is
counted from the moment its scan was due, so that a stalled portal cannot hide behind a stalled
generator. Every unlock command is answered with a result, as a lock does.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

import msgspec

from mqtt.broker.credentials import BrokerAccess
from mqtt.contract import topics
from mqtt.contract.codec import encode
from mqtt.contract.messages import Result, Scan, Unlock
from mqtt.contract.topics import Channel
from portal.core.bus import Bus, Received
from portal.core.clock import utc_now
from portal.core.outbox import Outgoing
from provisioning.bench.gate_world import PreparedScan

ANSWER_SECONDS: Final = 15.0
"""How long the last answers are waited for."""
LIFE: Final = timedelta(seconds=60)


class _Answer(msgspec.Struct):
    """The part of a command that the bench looks at."""

    transaction: str
    event: str = ""


@dataclass(slots=True)
class Measured:
    """What a run has shown; times in seconds, in order of size."""

    sent: int
    seconds: float
    latencies: list[float] = field(default_factory=list)
    allowed: int = 0
    late: float = 0.0
    """How far behind its timetable the generator itself was at worst."""

    @property
    def rate(self) -> float:
        """Answers a second."""
        return len(self.latencies) / self.seconds if self.seconds else 0.0


class Gates:
    """The connection."""

    def __init__(self, access: BrokerAccess) -> None:
        self._bus = Bus(
            access,
            client_id="bench-gates",
            topics=[topics.subscription(Channel.COMMAND)],
            receive_maximum=60_000,
        )
        self._decoder = msgspec.json.Decoder(_Answer)
        self._due: dict[str, float] = {}
        self._latencies: list[float] = []
        self._allowed = 0

    def connect(self, timeout: float = 20.0) -> None:
        """Connect and subscribe.

        Raises:
            TimeoutError: the broker does not answer.
        """
        deadline = time.monotonic() + timeout
        while not self._bus.connected:
            if time.monotonic() > deadline:
                raise TimeoutError("the broker does not let the bench in")
            self._bus.poll(0.05)
        for _ in range(10):
            self._bus.poll(0.02)

    def warm_up(self, scans: Sequence[PreparedScan], timeout: float = 60.0) -> None:
        """Show these one after the other, again and again until each is answered.

        Raises:
            TimeoutError: no answers come.
        """
        deadline = time.monotonic() + timeout
        for scan in scans:
            self._due[scan.event_id] = time.monotonic()
            again = 0.0
            while scan.event_id in self._due:
                now = time.monotonic()
                if now > deadline:
                    raise TimeoutError("the worker does not answer")
                if now > again:
                    self._show(scan)
                    again = now + 3.0
                self._receive(0.05)

    def timetable(self, scans: Sequence[PreparedScan], rate: float) -> Measured:
        """Show them at so many a second."""
        begin = time.monotonic() + 0.05
        self._begin()
        late, position = 0.0, 0
        while position < len(scans) or self._due:
            now = time.monotonic()
            while position < len(scans) and (due := begin + position / rate) <= now:
                self._due[scans[position].event_id] = due
                self._show(scans[position])
                late = max(late, now - due)
                position += 1
                now = time.monotonic()
            if position < len(scans):
                self._receive(max(0.0, begin + position / rate - now))
            elif now > begin + len(scans) / rate + ANSWER_SECONDS:
                break
            else:
                self._receive(0.02)
        return self._measured(len(scans), time.monotonic() - begin, late)

    def flat_out(self, scans: Sequence[PreparedScan], ahead: int = 256) -> Measured:
        """Show them as fast as answers come, so many ahead of the answers."""
        begin = time.monotonic()
        self._begin()
        position, progress = 0, begin
        while position < len(scans) or self._due:
            while position < len(scans) and len(self._due) < ahead:
                self._due[scans[position].event_id] = time.monotonic()
                self._show(scans[position])
                position += 1
            open_before = len(self._due)
            self._receive(0.02)
            now = time.monotonic()
            if len(self._due) < open_before:
                progress = now
            elif now > progress + ANSWER_SECONDS:
                break
        return self._measured(len(scans), time.monotonic() - begin, 0.0)

    def close(self) -> None:
        """Disconnect."""
        self._bus.close()

    def _begin(self) -> None:
        self._due.clear()
        self._latencies = []
        self._allowed = 0

    def _measured(self, sent: int, seconds: float, late: float) -> Measured:
        return Measured(sent, seconds, sorted(self._latencies), self._allowed, late)

    def _show(self, prepared: PreparedScan) -> None:
        now = utc_now()
        scan = Scan(id=prepared.event_id, at=now, code=prepared.code)
        self._bus.publish(
            Outgoing(scan.id, prepared.gate.event(scan.NAME), encode(scan), now + LIFE), now
        )

    def _receive(self, timeout: float) -> None:
        self._bus.poll(timeout)
        for message in self._bus.take(10_000):
            self._bus.acknowledge(message)
            self._answered(message)
        self._bus.confirmed()

    def _answered(self, message: Received) -> None:
        answer = self._decoder.decode(message.payload)
        due = self._due.pop(answer.event, None)
        topic = topics.parse(message.topic)
        if due is not None:
            self._latencies.append(message.arrived - due)
            self._allowed += topic.name == Unlock.NAME
        if topic.name == Unlock.NAME:
            now = utc_now()
            result = Result(transaction=answer.transaction, at=now, ok=True)
            self._bus.publish(
                Outgoing(
                    answer.transaction,
                    topic.address.result(topic.name),
                    encode(result),
                    now + LIFE,
                ),
                now,
            )
