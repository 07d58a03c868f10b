"""Stands for the portal on a real broker: answers scans by their code, acknowledges the rest."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion

from mqtt.contract.check import check
from mqtt.contract.codec import encode
from mqtt.contract.messages import COMMANDS
from mqtt.contract.topics import Channel, DeviceAddress, everything

ALLOWED = "LL1:ALLOWED"
REFUSED = "LL1:REFUSED"


class AnsweringPortal:
    """``heard`` is every message in order; while ``mute`` it answers nothing."""

    def __init__(self, port: int, username: str = "", password: str = "") -> None:
        self.mute = False
        self.heard: list[tuple[str, bytes]] = []
        self.faults: list[str] = []
        self.connected = threading.Event()
        self._client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
        if username:
            self._client.username_pw_set(username, password)
        self._client.on_connect = lambda client, *_: client.subscribe(everything(), qos=1)
        self._client.on_subscribe = lambda *_: self.connected.set()
        self._client.on_message = self._on_message
        self._client.reconnect_delay_set(1, 1)
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()

    def _on_message(self, _client: paho.Client, _data: Any, message: paho.MQTTMessage) -> None:
        payload = bytes(message.payload)
        self.heard.append((message.topic, payload))
        try:
            topic = check(message.topic, payload, datetime.now(UTC))
        except ValueError as error:
            self.faults.append(str(error))
            return
        if topic.channel is not Channel.EVENT or self.mute:
            return
        event = json.loads(payload)
        if topic.name != "scan":
            self.command(topic.address, "acknowledge", events=(event["id"],))
        elif event["code"] == ALLOWED:
            self.command(topic.address, "unlock", event=event["id"])
        elif event["code"] == REFUSED:
            self.command(topic.address, "refuse", event=event["id"], reason="revoked")

    def command(self, address: DeviceAddress, name: str, **fields: Any) -> str:
        """Publish a command; returns its transaction."""
        now = datetime.now(UTC)
        fields.setdefault("transaction", uuid4().hex)
        message = COMMANDS[name](at=now, expires_at=now + timedelta(seconds=10), **fields)
        self._client.publish(address.command(name), encode(message), qos=1)
        return str(fields["transaction"])

    def events(self, kind: str, device: str = "") -> list[dict[str, Any]]:
        """Events of a kind so far, repeats included."""
        tail = f"{device}/event/{kind}" if device else f"/event/{kind}"
        return [json.loads(data) for topic, data in list(self.heard) if topic.endswith(tail)]

    def last(self, topic: str) -> bytes | None:
        """The newest payload on a topic."""
        return next((data for name, data in reversed(list(self.heard)) if name == topic), None)

    def stop(self) -> None:
        """Disconnect and end its thread."""
        self._client.disconnect()
        self._client.loop_stop()


@contextmanager
def answering_portal(port: int, **options: str) -> Iterator[AnsweringPortal]:
    """A connected and subscribed portal."""
    portal = AnsweringPortal(port, **options)
    try:
        assert portal.connected.wait(10)
        yield portal
    finally:
        portal.stop()
