"""A running virtual community: many devices on one asyncio loop in one process.

``Simulator`` connects every device, lets them live at a given rate, and carries out what the control
channel asks for. The same seed gives the same weather, people and choices; ids are new each time.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

import structlog

from mqtt.contract.messages import PATIENCE_SECONDS
from mqtt.contract.telemetry import DeviceKind
from mqtt.simulator import control
from mqtt.simulator.alarm_button import AlarmButton
from mqtt.simulator.connection import BrokerSettings, Connection, utc_now
from mqtt.simulator.device import Decision, Device, Publication
from mqtt.simulator.door_lock import DoorLock
from mqtt.simulator.fleet import build
from mqtt.simulator.life import happening
from mqtt.simulator.physics import body_temperature as body_temperature_of
from mqtt.simulator.population import SimulatedDevice
from mqtt.simulator.thermometer import Thermometer

CONNECTING_THREADS: Final = 8
ANSWER_SECONDS: Final = 10.0
"""How long a press waits to be acknowledged before the caller is told that it is not yet."""

log = structlog.get_logger(__name__)


class UnknownDeviceError(LookupError):
    """No such device, or the key alone names several."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the live view; ``milliseconds`` is the last scan's time to its decision."""

    name: str
    title: str
    kind: DeviceKind
    status: str
    last_event: str
    last_command: str
    waiting: int
    milliseconds: float | None
    view: dict[str, object]


class Simulator:
    """Runs a population against a broker. Make it inside a running asyncio loop."""

    def __init__(
        self,
        population: Iterable[SimulatedDevice],
        broker: BrokerSettings,
        *,
        seed: int = 0,
        rate: float = 6.0,
        queue_folder: Path | None = None,
        codes: Sequence[str] = (),
    ) -> None:
        """``rate`` is events a minute over the whole population; ``codes`` are scanned at random."""
        self.devices = build(population, utc_now(), seed=seed, queue_folder=queue_folder)
        self.rate = rate
        self.codes = tuple(codes)
        self.rng = random.Random(f"{seed}/life")
        self._pool = ThreadPoolExecutor(CONNECTING_THREADS, thread_name_prefix="simulator")
        self._connections = {
            name: Connection(device, broker, self._pool) for name, device in self.devices.items()
        }
        self._decisions: dict[str, asyncio.Future[Decision]] = {}
        self._answers: dict[str, asyncio.Future[None]] = {}
        self._life: asyncio.Task[None] | None = None
        for device in self.devices.values():
            device.on_answer = self._answered
            if isinstance(device, DoorLock):
                device.on_decision = self._decided

    async def start(self) -> None:
        """Connect every device and begin to live; returns at once."""
        for connection in self._connections.values():
            connection.start()
        if self.rate > 0:
            self._life = asyncio.create_task(self._live())

    async def wait_ready(self) -> None:
        """Until every device is connected and subscribed."""
        await asyncio.gather(*(c.ready.wait() for c in self._connections.values()))

    async def stop(self) -> None:
        """Every device says offline and disconnects."""
        if self._life is not None:
            self._life.cancel()
            await asyncio.gather(self._life, return_exceptions=True)
        await asyncio.gather(*(c.stop() for c in self._connections.values()))
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def run(
        self,
        until: asyncio.Event,
        socket_path: Path | None = None,
        handler: control.Handler | None = None,
    ) -> None:
        """Live until the event is set; with a path, ``handler`` answers on the control channel.

        Raises:
            mqtt.simulator.control.ControlError: the control channel is taken.
        """
        server = None
        if socket_path is not None and handler is not None:
            server = await control.serve(socket_path, handler)
        try:
            await self.start()
            await until.wait()
        finally:
            if server is not None:
                server.close()
                with contextlib.suppress(OSError):
                    if socket_path is not None:
                        socket_path.unlink()
            await self.stop()

    # --- looking ----------------------------------------------------------------------------

    def find(self, name: str) -> Device:
        """A device by ``community/device``, or by its key where that is unique.

        Raises:
            UnknownDeviceError: none or several are named so.
        """
        if name in self.devices:
            return self.devices[name]
        found = [d for d in self.devices.values() if d.spec.device == name]
        if len(found) != 1:
            said = "several devices are" if found else "no device is"
            raise UnknownDeviceError(f"{said} named {name!r}")
        return found[0]

    def row(self, device: Device) -> Row:
        """The device's line of the live view."""
        connection = self._connections[device.spec.name]
        decision = device.last_decision if isinstance(device, DoorLock) else None
        status = "online" if connection.ready.is_set() else (connection.refused or "connecting")
        return Row(
            name=device.spec.name,
            title=device.spec.title,
            kind=device.kind,
            status=status,
            last_event=device.last_event,
            last_command=device.last_command,
            waiting=len(device.queue),
            milliseconds=decision.milliseconds if decision else None,
            view=device.view(),
        )

    def rows(self) -> list[Row]:
        """A line for every device, in the population's order."""
        return [self.row(device) for device in self.devices.values()]

    # --- acting -----------------------------------------------------------------------------

    async def scan(
        self, gate: DoorLock, code: str, body_temperature: float | None = None
    ) -> Decision:
        """Show a code to a gate and wait for the decision, at most as long as a person waits.

        A gate with a thermometer beside it has the person measured as well.

        Raises:
            mqtt.simulator.door_lock.ScanError: the code cannot be sent.
        """
        event = self._show(gate, code, body_temperature)
        future: asyncio.Future[Decision] = asyncio.get_running_loop().create_future()
        self._decisions[event] = future
        try:
            return await asyncio.wait_for(future, PATIENCE_SECONDS + 1)
        except TimeoutError:
            return Decision(event, "no_answer", "no_answer", PATIENCE_SECONDS * 1000)
        finally:
            del self._decisions[event]

    def perform(self, device: Device, action: Callable[[datetime], list[Publication]]) -> None:
        """Let something happen at a device now, without waiting for an answer."""
        self._connections[device.spec.name].act(action)

    async def alarm(
        self, button: AlarmButton, action: Callable[[datetime], list[Publication]]
    ) -> float | None:
        """Use an alarm button; milliseconds until the portal had it, or None if not in time."""
        before = utc_now()
        sent = action(before)
        self._connections[button.spec.name].send(sent)
        event = button.last_alarm
        if not sent or event not in button.queue:
            return None
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._answers[event] = future
        try:
            await asyncio.wait_for(future, ANSWER_SECONDS)
        except TimeoutError:
            return None
        finally:
            del self._answers[event]
        return (utc_now() - before).total_seconds() * 1000

    # --- inside -----------------------------------------------------------------------------

    def _show(self, gate: DoorLock, code: str, temperature: float | None) -> str:
        now = utc_now()
        name = f"{gate.spec.community}/{gate.spec.thermometer}"
        beside = self.devices.get(name) if gate.spec.thermometer else None
        if temperature is None and isinstance(beside, Thermometer):
            temperature = body_temperature_of(beside.rng)
        event, sent = gate.scan(code, now, body_temperature=temperature)
        self._connections[gate.spec.name].send(sent)
        if isinstance(beside, Thermometer):
            _, measured = beside.measure(now, temperature=temperature, scan=event)
            self._connections[name].send(measured)
        return event

    def _decided(self, decision: Decision) -> None:
        future = self._decisions.get(decision.event)
        if future is not None and not future.done():
            future.set_result(decision)

    def _answered(self, event: str) -> None:
        future = self._answers.get(event)
        if future is not None and not future.done():
            future.set_result(None)

    async def _live(self) -> None:
        names = list(self.devices)
        while names:
            await asyncio.sleep(self.rng.expovariate(self.rate / 60))
            device = self.devices[self.rng.choice(names)]
            if isinstance(device, DoorLock) and self.codes:
                self._show(device, self.rng.choice(self.codes), None)
            else:
                self.perform(device, happening(device, self.rng))
