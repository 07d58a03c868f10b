"""People at gates: a stream of scans by the simulator's own lock machines, each over its own connection.

The machines queue events, repeat them with the same id until they are answered, and carry a
transaction out once. Here they also write down what they were told and what they did.
"""

import asyncio
import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from types import TracebackType
from typing import Any, Self

from mqtt.contract.codec import decode_command
from mqtt.contract.messages import Command, Refuse, Scan, Unlock
from mqtt.simulator.connection import BrokerSettings, Connection, utc_now
from mqtt.simulator.device import Execution, Publication
from mqtt.simulator.door_lock import DoorLock
from mqtt.simulator.population import SimulatedDevice

Showing = tuple[str, str]
"""A gate's key and the code shown there."""


class WatchedGate(DoorLock):
    """A lock that remembers everything, with a clock that may be off.

    ``codes``: what was shown, by event. ``told``: the commands that answered an event, each once.
    ``openings``: how often a transaction moved the bolt. ``repeats``: how often scans were sent again.
    ``clock_off``: how far its clock is ahead of ours, from the next thing that happens.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.codes: dict[str, str] = {}
        self.told: dict[str, set[Command]] = defaultdict(set)
        self.openings: Counter[str] = Counter()
        self.repeats = 0
        self.clock_off = timedelta(0)

    @property
    def answered(self) -> int:
        """How many scans have been answered."""
        return sum(event not in self.queue for event in list(self.codes))

    def show(self, code: str, now: datetime) -> list[Publication]:
        """A code is held before the scanner."""
        event, sent = self.scan(code, now + self.clock_off)
        self.codes[event] = code
        return sent

    def on_connected(self, now: datetime) -> list[Publication]:
        """By its own clock."""
        return super().on_connected(now + self.clock_off)

    def on_command(self, name: str, payload: bytes, now: datetime) -> list[Publication]:
        """Write down answers to scans."""
        command = decode_command(name, payload)
        if isinstance(command, Unlock | Refuse) and command.event is not None:
            self.told[command.event].add(command)
        return super().on_command(name, payload, now + self.clock_off)

    def on_tick(self, now: datetime) -> list[Publication]:
        """Write down what is sent again."""
        sent = super().on_tick(now + self.clock_off)
        scans = self.address.event(Scan.NAME)
        self.repeats += sum(publication.topic == scans for publication in sent)
        return sent

    def next_tick(self) -> datetime | None:
        """By our clock."""
        due = super().next_tick()
        return None if due is None else due - self.clock_off

    def execute(self, command: Command, now: datetime) -> Execution:
        """Write down openings."""
        done = super().execute(command, now)
        if isinstance(command, Unlock) and done.ok:
            self.openings[command.transaction] += 1
        return done


class Stream:
    """Gates on a loop of their own in a thread; ``following`` says what is shown next, every ``pace_s``.

    A context manager: inside it the gates are connected. They stay so after :meth:`stop_showing`,
    repeating what is unanswered, until the end.
    """

    def __init__(
        self,
        broker: BrokerSettings,
        specs: Sequence[SimulatedDevice],
        following: Callable[[], Sequence[Showing]] = lambda: (),
        *,
        pace_s: float = 0.05,
        wait_for_broker: bool = True,
    ) -> None:
        now = utc_now()
        self.gates = {spec.device: WatchedGate(spec, now) for spec in specs}
        self._broker = broker
        self._following = following
        self._pace = pace_s
        self._wait_for_broker = wait_for_broker
        self._connections: dict[str, Connection] = {}
        self._begun = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._main()), daemon=True)
        self._loop: asyncio.AbstractEventLoop | None = None
        self.failure: BaseException | None = None

    # --- from the test's thread --------------------------------------------------------------

    def __enter__(self) -> Self:
        self._thread.start()
        if not self._begun.wait(30):
            raise TimeoutError("the gates do not connect")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._tell(self._stop)
        self._tell(self._end)
        self._thread.join(30)

    @property
    def answered(self) -> int:
        """Scans answered so far."""
        if self.failure is not None:
            raise self.failure
        return sum(gate.answered for gate in self.gates.values())

    @property
    def shown(self) -> int:
        """Scans so far."""
        return sum(len(gate.codes) for gate in self.gates.values())

    @property
    def waiting(self) -> int:
        """Events of every kind that are still repeated."""
        return sum(len(gate.queue) for gate in self.gates.values())

    @property
    def repeats(self) -> int:
        """How often scans have been sent again."""
        return sum(gate.repeats for gate in self.gates.values())

    @property
    def openings(self) -> set[str]:
        """Transactions that opened a door."""
        return {transaction for gate in self.gates.values() for transaction in gate.openings}

    def show(self, *showings: Showing) -> None:
        """Show these now, all in the same moment; returns when that has happened."""
        assert self._loop is not None
        done = threading.Event()

        def on_loop() -> None:
            self._show(showings)
            done.set()

        self._loop.call_soon_threadsafe(on_loop)
        assert done.wait(10)

    def stop_showing(self) -> None:
        """Nobody comes any more."""
        self._tell(self._stop)

    def _tell(self, event: asyncio.Event) -> None:
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(event.set)

    # --- on the loop -------------------------------------------------------------------------

    async def _main(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stop, self._end = asyncio.Event(), asyncio.Event()
        with ThreadPoolExecutor(len(self.gates)) as pool:
            for key, gate in self.gates.items():
                self._connections[key] = Connection(gate, self._broker, pool)
                self._connections[key].start()
            if self._wait_for_broker:
                await asyncio.gather(*(c.ready.wait() for c in self._connections.values()))
            self._begun.set()
            try:
                while not self._stop.is_set():
                    self._show(self._following())
                    await self._pause()
            except BaseException as error:  # seen by the test when it next looks
                self.failure = error
            await self._end.wait()
            await asyncio.gather(*(c.stop() for c in self._connections.values()))

    def _show(self, showings: Sequence[Showing]) -> None:
        now = utc_now()
        for key, code in showings:
            self._connections[key].send(self.gates[key].show(code, now))

    async def _pause(self) -> None:
        try:
            await asyncio.wait_for(self._stop.wait(), self._pace)
        except TimeoutError:
            return
