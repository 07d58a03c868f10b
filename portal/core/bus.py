"""The bus: the one connection of a process to the MQTT broker, and the only publisher of the portal.

paho-mqtt does the protocol (MQTT 5); this drives its socket from the caller's own thread, so that
there is no second thread to share the interpreter with: :meth:`Bus.poll` moves bytes and hands over
what has arrived. While the caller works, arriving messages wait in the socket and form the next batch.

* The session persists: what arrives while the process is away waits in the broker.
* A message is acknowledged by hand, after its effect is committed, in the order of arrival.
* The broker sends at most ``receive_maximum`` messages ahead of the acknowledgements: back-pressure.
* A broker that is away is tried again with growing pauses; nothing is raised.
"""

from __future__ import annotations

import math
import select
import socket
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import structlog
from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from mqtt.broker.credentials import BrokerAccess
from portal.core.outbox import Outgoing

_log = structlog.get_logger(__name__)

KEEPALIVE: Final = 30
"""Seconds without traffic after which the broker is asked whether it is there."""
SESSION_EXPIRY: Final = 7 * 24 * 3600
"""Seconds for which the broker keeps what arrives while we are away."""
FIRST_PAUSE: Final = 0.1
LONGEST_PAUSE: Final = 5.0
CONNECT_TIMEOUT: Final = 5.0
MOST_IN_ONE_POLL: Final = 512


@dataclass(frozen=True, slots=True)
class Received:
    """One message. ``connection`` counts connects: packet ids mean nothing beyond theirs.

    ``arrived`` is monotonic, in seconds.
    """

    topic: str
    payload: bytes
    retained: bool
    mid: int
    qos: int
    connection: int
    arrived: float = 0.0


class Bus:
    """One connection; for one thread.

    Args:
        access: where the broker is and as whom to sign in; without a name, as nobody.
        client_id: stable over restarts, unique at the broker.
        topics: filters to subscribe to at every connect, QoS 1.
        receive_maximum: most messages in flight towards us.
    """

    def __init__(
        self,
        access: BrokerAccess,
        *,
        client_id: str,
        topics: Sequence[str],
        receive_maximum: int = 1024,
    ) -> None:
        self._host, self._port = access.host, access.port
        self._topics = list(topics)
        self._receive_maximum = receive_maximum
        self._inbox: deque[Received] = deque()
        self._unconfirmed: dict[int, str] = {}
        self._confirmed: list[str] = []
        self._expiry: dict[int, Properties] = {}
        self._pause = FIRST_PAUSE
        self._try_at = 0.0
        self.connection = 0
        self.connected = False
        self._client = self._build(client_id, access.tls)
        if access.username:
            self._client.username_pw_set(access.username, access.password or None)

    def _build(self, client_id: str, encrypted: bool) -> Client:
        client = Client(
            CallbackAPIVersion.VERSION2, client_id=client_id, protocol=MQTTv5, manual_ack=True
        )
        if encrypted:
            client.tls_set()
        client.max_inflight_messages = 65_000
        client.connect_timeout = CONNECT_TIMEOUT
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_message = self._on_message
        client.on_publish = self._on_publish
        client.on_subscribe = self._on_subscribe
        client.on_socket_open = self._on_socket_open
        return client

    # --- what the worker calls ---------------------------------------------------------------

    def poll(self, timeout: float) -> None:
        """Move bytes both ways; waits up to ``timeout`` seconds when nothing has arrived yet."""
        if self._client.socket() is None:
            self._reconnect(timeout)
            return
        wait = 0.0 if self._inbox else timeout
        room = MOST_IN_ONE_POLL
        while room > 0 and (sock := self._client.socket()) is not None:
            wanting = [sock] if self._client.want_write() else []
            buffered = bool(getattr(sock, "pending", int)())  # TLS may hold bytes select cannot see
            readable, writable, _ = select.select([sock], wanting, [], 0.0 if buffered else wait)
            if writable:
                self._client.loop_write()
            if not readable and not buffered:
                break
            before = len(self._inbox)
            self._client.loop_read()
            room -= max(1, len(self._inbox) - before)
            wait = 0.0
        self._client.loop_misc()

    def take(self, most: int) -> list[Received]:
        """What has arrived, in order, up to so many messages."""
        count = min(most, len(self._inbox))
        return [self._inbox.popleft() for _ in range(count)]

    @property
    def waiting(self) -> int:
        """Messages that have arrived and were not taken yet."""
        return len(self._inbox)

    def acknowledge(self, message: Received) -> None:
        """Tell the broker that a message's effect is safe; one of an earlier connection is left out."""
        if message.qos and message.connection == self.connection and self.connected:
            self._client.ack(message.mid, message.qos)

    def publish(self, outgoing: Outgoing, now: datetime) -> bool:
        """Send a command, QoS 1, not retained, to be dropped by the broker when it has expired.

        Returns:
            Whether it is on its way; :meth:`confirmed` names it when the broker has taken it.
        """
        left = math.ceil((outgoing.expires_at - now).total_seconds())
        if not self.connected or left <= 0:
            return False
        info = self._client.publish(
            outgoing.topic, outgoing.payload, qos=1, properties=self._expires_in(left)
        )
        self._unconfirmed[info.mid] = outgoing.transaction
        return True

    def confirmed(self) -> list[str]:
        """Transactions that the broker has taken since the last call."""
        taken, self._confirmed = self._confirmed, []
        return taken

    @property
    def unconfirmed(self) -> int:
        """Commands sent that the broker has not confirmed yet."""
        return len(self._unconfirmed)

    def close(self) -> None:
        """Say goodbye; the session stays at the broker."""
        if self._client.socket() is not None:
            self._client.disconnect()
            deadline = time.monotonic() + 1.0
            while (sock := self._client.socket()) is not None and self._client.want_write():
                select.select([], [sock], [], 0.05)
                self._client.loop_write()
                if time.monotonic() > deadline:
                    break
        self.connected = False

    # --- connecting --------------------------------------------------------------------------

    def _reconnect(self, timeout: float) -> None:
        now = time.monotonic()
        if now < self._try_at:
            time.sleep(min(timeout, self._try_at - now))
            return
        properties = _properties(PacketTypes.CONNECT)
        properties.SessionExpiryInterval = SESSION_EXPIRY
        properties.ReceiveMaximum = self._receive_maximum
        try:
            self._client.connect(
                self._host,
                self._port,
                keepalive=KEEPALIVE,
                clean_start=False,
                properties=properties,
            )
        except OSError as error:
            self._wait_longer("broker_unreachable", str(error))

    def _wait_longer(self, event: str, cause: str) -> None:
        self._try_at = time.monotonic() + self._pause
        _log.warning(event, cause=cause, next_try_s=round(self._pause, 1))
        self._pause = min(self._pause * 2, LONGEST_PAUSE)

    def _on_socket_open(self, _client: Client, _data: object, sock: Any) -> None:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def _on_connect(
        self,
        client: Client,
        _data: object,
        flags: ConnectFlags,
        code: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        if code.is_failure:
            self._wait_longer("broker_refused", str(code))
            return
        self.connection += 1
        if flags.session_present:
            self._inbox.clear()  # the broker sends again whatever was not acknowledged
        client.subscribe([(topic, SubscribeOptions(qos=1)) for topic in self._topics])
        self.connected = True
        self._pause = FIRST_PAUSE
        _log.info("broker_connected", session_present=flags.session_present)

    def _on_subscribe(
        self, _client: Client, _data: object, _mid: int, codes: list[ReasonCode], _p: object
    ) -> None:
        for topic, code in zip(self._topics, codes, strict=False):
            if code.is_failure:
                _log.error("subscription_refused", topic=topic, cause=str(code))

    def _on_disconnect(
        self, _client: Client, _data: object, _flags: DisconnectFlags, code: ReasonCode, _p: object
    ) -> None:
        self.connected = False
        if self._try_at <= time.monotonic():
            self._wait_longer("broker_lost", str(code))

    # --- messages ----------------------------------------------------------------------------

    def _on_message(self, _client: Client, _data: object, message: MQTTMessage) -> None:
        try:
            topic = message.topic
        except UnicodeDecodeError:
            topic = "\N{REPLACEMENT CHARACTER}"
        self._inbox.append(
            Received(
                topic,
                bytes(message.payload),
                message.retain,
                message.mid,
                message.qos,
                self.connection,
                time.monotonic(),
            )
        )

    def _on_publish(
        self, _client: Client, _data: object, mid: int, code: ReasonCode, _p: object
    ) -> None:
        transaction = self._unconfirmed.pop(mid, None)
        if transaction is None:
            return
        if code.is_failure:
            _log.error("publish_refused", transaction=transaction, cause=str(code))
        self._confirmed.append(transaction)

    def _expires_in(self, seconds: int) -> Properties:
        properties = self._expiry.get(seconds)
        if properties is None:
            properties = _properties(PacketTypes.PUBLISH)
            properties.MessageExpiryInterval = seconds
            self._expiry[seconds] = properties
        return properties


def _properties(packet: int) -> Properties:
    return Properties(packet)  # type: ignore[no-untyped-call]  # paho leaves it untyped
