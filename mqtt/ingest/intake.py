"""The MQTT side: receives, reads, queues; acknowledges what the delivery has made safe.

**One plain subscription on a persistent session.** The broker keeps messages for the fixed client id while
ingest is away, on every broker alike. A shared subscription would cost more than it gives: messages
already dealt to a member that never comes back stay in its session; values of one device would reach
the store through several processes in any order; and two of them with the same arrival time would
be one point. One process stores about 5,000 messages a second on two shared cores, where 2,000 devices
with six values a minute send 200.

**Retained states are not asked for** (retain handling 2): their arrival would say nothing about when they
were measured, and every reconnect would store them again.

**What may happen twice.** A point is written again with the same time (which changes nothing) whenever
delivery is repeated from the spool. After a reconnect the broker repeats what we have not acknowledged,
with the same packet id: such a message is recognised, and not stored again. Two cases remain in which
one message makes two points, of the same value and seconds apart: the acknowledgement was lost with
the connection, or this process was killed between storing and acknowledging. It is never the
other way round: nothing is acknowledged before it is safe.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from queue import SimpleQueue
from typing import Final

import structlog
from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from mqtt.contract.codec import Fault, MessageError
from mqtt.contract.topics import everything
from mqtt.ingest.metrics import IngestMetrics
from mqtt.ingest.quarantine import BadMessage
from mqtt.ingest.router import ArrivalClock, read
from mqtt.ingest.settings import BrokerSettings
from mqtt.telemetry.model import Point, from_ms

WAITING_QOS0: Final = 20_000
"""QoS 0 messages have no other bound than this many waiting."""
WAIT_SECONDS: Final = 2.0
"""How long the connection is held up for room before a QoS 0 message is dropped."""
_NO_RETAINED: Final = 2
log = structlog.get_logger("mqtt.ingest")


class Arrived:
    """A message on its way: a point or a bad message, and what acknowledging it needs."""

    __slots__ = ("bad", "digest", "done", "mid", "point")

    def __init__(self, point: Point | None, bad: BadMessage | None, mid: int, digest: int) -> None:
        self.point = point
        self.bad = bad
        self.mid = mid
        self.digest = digest
        self.done = False


class Intake:
    """A connection to the broker that is kept up for ever.

    Args:
        broker: where and as whom.
        receive_maximum: how many messages may be unacknowledged.
        metrics: what is counted.
        stalled: says whether the delivery is stuck, so that waiting for room is of no use.
        now_ms: the clock, milliseconds since 1970.
    """

    def __init__(
        self,
        broker: BrokerSettings,
        receive_maximum: int,
        metrics: IngestMetrics,
        stalled: Callable[[], bool] = lambda: False,
        now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        self.inbox: SimpleQueue[Arrived] = SimpleQueue()
        self.connected = False
        self.subscribed = False
        self.received = 0
        self.dropped = 0
        self._broker = broker
        self._receive_maximum = receive_maximum
        self._limit = receive_maximum + WAITING_QOS0
        self._metrics = metrics
        self._stalled = stalled
        self._now_ms = now_ms
        self._clock = ArrivalClock()
        self._lock = threading.Lock()
        self._pending: dict[int, Arrived] = {}
        self._order: deque[Arrived] = deque()
        self._closing = threading.Event()
        self._client = self._make_client()

    def _make_client(self) -> Client:
        broker = self._broker
        client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=broker.client_id,
            protocol=MQTTv5,
            manual_ack=True,
        )
        if broker.username:
            client.username_pw_set(broker.username, broker.password or None)
        if broker.ca_file is not None:
            client.tls_set(
                ca_certs=str(broker.ca_file),
                certfile=str(broker.cert_file) if broker.cert_file else None,
                keyfile=str(broker.key_file) if broker.key_file else None,
            )
        client.reconnect_delay_set(min_delay=1, max_delay=30)
        client.on_connect = self._on_connect
        client.on_connect_fail = self._on_connect_fail
        client.on_disconnect = self._on_disconnect
        client.on_subscribe = self._on_subscribe
        client.on_message = self._on_message
        return client

    # --- the connection ------------------------------------------------------------------------

    def start(self) -> None:
        """Connect in the background and stay connected; a broker that is away is tried for ever."""
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]  # paho lacks it
        properties.SessionExpiryInterval = self._broker.session_expiry_s
        properties.ReceiveMaximum = self._receive_maximum
        self._client.connect_async(
            self._broker.host,
            self._broker.port,
            keepalive=self._broker.keepalive_s,
            clean_start=False,
            properties=properties,
        )
        self._client.loop_start()

    def refuse(self) -> None:
        """Take no more QoS 1 messages: the broker keeps them for the next start."""
        self._closing.set()

    def stop(self) -> None:
        """Disconnect; the session stays at the broker."""
        self._closing.set()
        self._client.disconnect()
        self._client.loop_stop()
        self.connected = self.subscribed = False
        self._metrics.connected.set(0)

    def _on_connect(
        self,
        client: Client,
        userdata: object,
        flags: ConnectFlags,
        reason: ReasonCode,
        properties: Properties | None,
    ) -> None:
        if reason.is_failure:
            log.warning("broker_refused", reason=str(reason))
            return
        with self._lock:
            self._order.clear()
            if not flags.session_present:
                self._pending.clear()  # their packet ids mean nothing in a new session
        self.connected = True
        self._metrics.connected.set(1)
        log.info("broker_connected", session_present=flags.session_present)
        client.subscribe(everything(), options=SubscribeOptions(qos=1, retainHandling=_NO_RETAINED))

    def _on_connect_fail(self, client: Client, userdata: object) -> None:
        log.warning("broker_unreachable", host=self._broker.host, port=self._broker.port)

    def _on_disconnect(
        self,
        client: Client,
        userdata: object,
        flags: DisconnectFlags,
        reason: ReasonCode,
        properties: Properties | None,
    ) -> None:
        with self._lock:
            self._order.clear()  # what is not acknowledged comes again, in its order
        self.connected = self.subscribed = False
        self._metrics.connected.set(0)
        if not self._closing.is_set():
            log.warning("broker_lost", reason=str(reason))

    def _on_subscribe(
        self,
        client: Client,
        userdata: object,
        mid: int,
        reasons: list[ReasonCode],
        properties: Properties | None,
    ) -> None:
        refused = [str(reason) for reason in reasons if reason.is_failure]
        self.subscribed = not refused
        if refused:
            log.error("subscription_refused", reason=refused[0])

    # --- in ------------------------------------------------------------------------------------

    def _on_message(self, client: Client, userdata: object, message: MQTTMessage) -> None:
        self.received += 1
        self._metrics.received.inc()
        digest = hash((message._topic, bytes(message.payload)))
        mid = message.mid if message.qos else 0
        if mid and self._known(message, digest):
            return
        if self._closing.is_set() and mid:
            return
        point, bad = self._read(message)
        arrived = Arrived(point, bad, mid, digest)
        if mid:
            with self._lock:
                self._pending[mid] = arrived
                self._order.append(arrived)
        if point is None and bad is None:
            self._metrics.ignored.inc()
            self.acknowledge([arrived])
            return
        if mid or self._room():
            self.inbox.put(arrived)
        else:
            self.dropped += 1
            self._metrics.dropped.inc()

    def _known(self, message: MQTTMessage, digest: int) -> bool:
        """Whether this is a message we hold already, sent again after a reconnect."""
        with self._lock:
            held = self._pending.get(message.mid)
            if held is None or not message.dup or held.digest != digest:
                return False
            self._order.append(held)
            self._release()
        self._metrics.redelivered.inc()
        return True

    def _read(self, message: MQTTMessage) -> tuple[Point | None, BadMessage | None]:
        now_ms = self._now_ms()
        payload = bytes(message.payload)
        try:
            topic = message.topic
        except UnicodeDecodeError:
            topic = message._topic.decode("utf-8", "backslashreplace")
            fault, detail = Fault.TOPIC, "not UTF-8"
        else:
            try:
                return read(topic, payload, self._clock, now_ms), None
            except MessageError as error:
                fault, detail = error.fault, error.detail
        self._metrics.rejected.labels(fault).inc()
        return None, BadMessage.of(from_ms(now_ms), topic, fault, detail, payload)

    def _room(self) -> bool:
        """Room for a QoS 0 message, after a while if need be: holding up the connection slows the
        broker down."""
        deadline = time.monotonic() + WAIT_SECONDS
        while self.inbox.qsize() >= self._limit:
            if self._stalled() or time.monotonic() >= deadline:
                return False
            self._closing.wait(0.01)
        return True

    # --- out -----------------------------------------------------------------------------------

    def acknowledge(self, messages: Iterable[Arrived]) -> None:
        """These are safe. What came over a former connection is acknowledged when it comes again.

        The broker hears of it in the order in which the messages arrived, as MQTT 5 asks for
        (4.6.0-2): one that is safe early waits for those before it. iotcore ends a connection that
        does otherwise.
        """
        with self._lock:
            for message in messages:
                message.done = True
            self._release()

    def _release(self) -> None:
        """Acknowledge from the front of the order as far as all is safe; the lock is held."""
        while self._order and self._order[0].done:
            message = self._order.popleft()
            self._client.ack(message.mid, 1)
            if self._pending.get(message.mid) is message:
                del self._pending[message.mid]
