"""One device's MQTT 5 connection on a shared asyncio loop, over paho-mqtt without its threads.

    IDLE ─start─► CONNECTING ─CONNACK─► SUBSCRIBING ─SUBACK─► READY (the machine is told)
                   ▲    │refused                │                │
                   │    ▼                       ▼                ▼
                   └── WAITING ◄──────────── connection lost ────┘      stop: status offline, then close
                       0.5 s, doubling to 15 s

The device says ``online`` only once its commands are subscribed, so that none is lost in between.
"""

from __future__ import annotations

import asyncio
import random
import ssl
from collections.abc import Callable, Iterable
from concurrent.futures import Executor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote, urlsplit

import structlog
from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from mqtt.contract.topics import Channel, subscription
from mqtt.simulator.device import Device, Publication

KEEPALIVE_SECONDS: Final = 30
FIRST_RETRY_SECONDS: Final = 0.5
LAST_RETRY_SECONDS: Final = 15.0
MIN_TICK_SECONDS: Final = 0.01
_INFLIGHT: Final = 1000

log = structlog.get_logger(__name__)


class BrokerUrlError(ValueError):
    """The address of the broker cannot be read."""


@dataclass(frozen=True, slots=True, repr=False)
class BrokerSettings:
    """Where the broker is. The credentials serve devices that have none of their own."""

    host: str = "127.0.0.1"
    port: int = 1883
    username: str = ""
    password: str = ""
    tls: bool = False
    ca_file: Path | None = None

    def __repr__(self) -> str:
        return f"BrokerSettings({self.host}:{self.port})"

    @classmethod
    def parse(cls, url: str, ca_file: Path | None = None) -> BrokerSettings:
        """From ``mqtt://user:password@host:port`` or ``mqtts://…``. Raises ``BrokerUrlError``."""
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError as error:
            raise BrokerUrlError(f"not a broker's address: {error}") from error
        if parts.scheme not in ("mqtt", "mqtts") or not parts.hostname:
            raise BrokerUrlError("a broker's address is mqtt://host:port or mqtts://host:port")
        tls = parts.scheme == "mqtts"
        return cls(
            host=parts.hostname,
            port=port or (8883 if tls else 1883),
            username=unquote(parts.username or ""),
            password=unquote(parts.password or ""),
            tls=tls,
            ca_file=ca_file,
        )


def utc_now() -> datetime:
    """The clock of a running simulator."""
    return datetime.now(UTC)


class Connection:
    """Carries one machine's messages. Everything but connecting itself happens on the loop."""

    def __init__(self, device: Device, broker: BrokerSettings, connecting: Executor) -> None:
        self.device = device
        self.ready = asyncio.Event()
        self.refused = ""
        self.connections = 0
        self._loop = asyncio.get_running_loop()
        self._broker = broker
        self._connecting = connecting
        self._stopping = False
        self._retry = FIRST_RETRY_SECONDS
        self._tick: asyncio.TimerHandle | None = None
        self._housekeeping: asyncio.TimerHandle | None = None
        self._attempt: asyncio.Task[None] | None = None
        self._client = self._make_client()

    def start(self) -> None:
        """Connect, and reconnect for ever until ``stop``."""
        self._attempt = self._loop.create_task(self._connect(0.0))
        self._housekeep()
        self._arm()

    def act(self, action: Callable[[datetime], list[Publication]]) -> None:
        """Let something happen at the device now, and send what comes of it."""
        self.send(action(utc_now()))

    def send(self, publications: Iterable[Publication]) -> None:
        """Send what the device says, when connected; what matters the device repeats."""
        if self.ready.is_set():
            for item in publications:
                self._client.publish(item.topic, item.payload, item.qos, item.retain)
        self._arm()

    async def stop(self) -> None:
        """Say offline and close; the queue keeps what is unanswered."""
        self._stopping = True
        for handle in (self._tick, self._housekeeping):
            if handle is not None:
                handle.cancel()
        if self._attempt is not None:
            self._attempt.cancel()
            await asyncio.gather(self._attempt, return_exceptions=True)
        if self.ready.is_set():
            self.send([self.device.last_will])
            self._flush()
        self._client.disconnect()
        self._flush()
        self.device.on_disconnected()
        self.device.queue.close()

    # --- paho -------------------------------------------------------------------------------

    def _make_client(self) -> paho.Client:
        spec = self.device.spec
        client = paho.Client(
            CallbackAPIVersion.VERSION2,
            client_id=f"{spec.community}.{spec.device}",
            protocol=paho.MQTTv5,
        )
        username = spec.username or self._broker.username
        if username:
            client.username_pw_set(username, spec.password or self._broker.password)
        if self._broker.tls:
            ca_file = self._broker.ca_file
            context = ssl.create_default_context(cafile=str(ca_file) if ca_file else None)
            client.tls_set_context(context)
        will = self.device.last_will
        client.will_set(will.topic, will.payload, will.qos, will.retain)
        client.max_inflight_messages_set(_INFLIGHT)
        client.on_socket_open = self._on_socket_open
        client.on_socket_close = self._on_socket_close
        client.on_socket_register_write = self._on_want_write
        client.on_socket_unregister_write = self._on_wrote
        client.on_connect = self._on_connect
        client.on_subscribe = self._on_subscribe
        client.on_message = self._on_message
        client.on_disconnect = self._on_disconnect
        return client

    def _on_loop(self, call: Callable[..., Any], *args: Any) -> None:
        """Now, when already on the loop; soon, when called from the connecting thread."""
        try:
            here = asyncio.get_running_loop() is self._loop
        except RuntimeError:
            here = False
        if here:
            call(*args)
        else:
            self._loop.call_soon_threadsafe(call, *args)

    def _on_socket_open(self, _client: paho.Client, _data: Any, socket: Any) -> None:
        self._on_loop(self._watch, socket.fileno(), socket)

    def _watch(self, number: int, socket: Any) -> None:
        if socket.fileno() == number:
            self._loop.add_reader(number, self._client.loop_read)

    def _on_socket_close(self, _client: paho.Client, _data: Any, socket: Any) -> None:
        number = socket.fileno()
        if number >= 0:
            self._on_loop(self._loop.remove_reader, number)
            self._on_loop(self._loop.remove_writer, number)

    def _on_want_write(self, _client: paho.Client, _data: Any, socket: Any) -> None:
        self._on_loop(self._watch_writing, socket.fileno(), socket)

    def _watch_writing(self, number: int, socket: Any) -> None:
        if number >= 0 and socket.fileno() == number:
            self._loop.add_writer(number, self._client.loop_write)

    def _on_wrote(self, _client: paho.Client, _data: Any, socket: Any) -> None:
        number = socket.fileno()
        if number >= 0:
            self._on_loop(self._loop.remove_writer, number)

    def _on_connect(
        self,
        client: paho.Client,
        _data: Any,
        _flags: Any,
        reason: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        if reason.is_failure:
            self.refused = str(reason)
            log.warning("connection_refused", device=self.device.spec.name, reason=str(reason))
            return
        self.refused = ""
        spec = self.device.spec
        commands = subscription(Channel.COMMAND, community=spec.community, device=spec.device)
        client.subscribe(commands, qos=1)

    def _on_subscribe(
        self,
        _client: paho.Client,
        _data: Any,
        _mid: int,
        reasons: list[ReasonCode],
        _properties: Properties | None,
    ) -> None:
        if any(reason.is_failure for reason in reasons):
            self.refused = str(reasons[0])
            log.warning("subscription_refused", device=self.device.spec.name)
            return
        self.connections += 1
        self._retry = FIRST_RETRY_SECONDS
        self.ready.set()
        self.act(self.device.on_connected)

    def _on_message(self, _client: paho.Client, _data: Any, message: paho.MQTTMessage) -> None:
        name = message.topic.rsplit("/", 1)[-1]
        self.act(lambda now: self.device.on_command(name, bytes(message.payload), now))

    def _on_disconnect(self, *_ignored: Any) -> None:
        self._on_loop(self._lost)

    def _lost(self) -> None:
        self.ready.clear()
        self.device.on_disconnected()
        self._reconnect()

    # --- inside -----------------------------------------------------------------------------

    def _reconnect(self) -> None:
        if self._stopping or (self._attempt is not None and not self._attempt.done()):
            return
        delay = self._retry * random.uniform(0.75, 1.25)
        self._retry = min(LAST_RETRY_SECONDS, self._retry * 2)
        self._attempt = self._loop.create_task(self._connect(delay))

    async def _connect(self, delay: float) -> None:
        while True:
            await asyncio.sleep(delay)
            try:
                await self._loop.run_in_executor(self._connecting, self._open)
            except OSError as error:
                self.refused = error.strerror or str(error)
                delay = self._retry * random.uniform(0.75, 1.25)
                self._retry = min(LAST_RETRY_SECONDS, self._retry * 2)
            else:
                return

    def _open(self) -> None:
        broker = self._broker
        self._client.connect(
            broker.host, broker.port, keepalive=KEEPALIVE_SECONDS, clean_start=True
        )

    def _housekeep(self) -> None:
        code = self._client.loop_misc()
        idle = self._attempt is None or self._attempt.done()
        if code is not paho.MQTT_ERR_SUCCESS and idle and not self.ready.is_set():
            self._reconnect()
        self._housekeeping = self._loop.call_later(1.0, self._housekeep)

    def _flush(self) -> None:
        while self._client.want_write():
            if self._client.loop_write() is not paho.MQTT_ERR_SUCCESS:
                return

    def _arm(self) -> None:
        if self._tick is not None:
            self._tick.cancel()
        due = self.device.next_tick()
        if due is None or self._stopping:
            return
        wait = max(MIN_TICK_SECONDS, (due - utc_now()).total_seconds())
        self._tick = self._loop.call_later(wait, lambda: self.act(self.device.on_tick))
