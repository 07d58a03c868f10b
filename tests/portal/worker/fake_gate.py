"""A tiny gate on a real broker: shows codes, remembers commands, answers them as a lock would."""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

from paho.mqtt.client import Client, MQTTMessage, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion

from mqtt.contract.codec import decode_command, encode
from mqtt.contract.messages import Acknowledge, Command, Event, Refuse, Result, Unlock
from mqtt.contract.topics import Channel, DeviceAddress, subscription
from portal.core.clock import utc_now
from tests.services.wait import wait_until


class FakeGate:
    """One device; ``commands`` in order of arrival. Answers unlock commands when ``answers`` is set."""

    def __init__(self, port: int, address: DeviceAddress, *, answers: bool = False) -> None:
        self.address = address
        self.commands: list[Command] = []
        self.answers = answers
        self._ready = threading.Event()
        self._client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTv5)
        self._client.max_inflight_messages = 10_000
        self._client.on_connect = lambda client, *_: client.subscribe(
            subscription(Channel.COMMAND, community=address.community, device=address.device),
            qos=1,
        )
        self._client.on_subscribe = lambda *_: self._ready.set()
        self._client.on_message = self._on_message
        self._client.connect("127.0.0.1", port)

    def __enter__(self) -> Self:
        self._client.loop_start()
        assert self._ready.wait(10)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def send(self, event: Event) -> None:
        """Publish an event."""
        self.publish(self.address.event(event.NAME), encode(event))

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """Publish anything."""
        self._client.publish(topic, payload, qos=1, retain=retain)

    def answer_to(self, event_id: str) -> Command | None:
        """The last command that answers this event."""
        for command in reversed(list(self.commands)):
            if isinstance(command, Unlock | Refuse) and command.event == event_id:
                return command
            if isinstance(command, Acknowledge) and event_id in command.events:
                return command
        return None

    def _on_message(self, client: Client, _data: object, message: MQTTMessage) -> None:
        name = message.topic.rsplit("/", 1)[1]
        command = decode_command(name, message.payload)
        self.commands.append(command)
        if self.answers and not isinstance(command, Acknowledge):
            result = Result(transaction=command.transaction, at=utc_now(), ok=True)
            client.publish(self.address.result(name), encode(result), qos=1)


def until(turn: Callable[[], None], condition: Callable[[], object], timeout: float = 15.0) -> None:
    """Let a worker go round until something is so."""

    def step() -> object:
        turn()
        return condition()

    wait_until(step, timeout, interval=0.001)
