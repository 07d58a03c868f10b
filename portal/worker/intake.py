"""Messages taken apart: what each one asks for, or what is wrong with it. No I/O."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from mqtt.contract import codec, topics
from mqtt.contract.codec import Fault, MessageError
from mqtt.contract.messages import Event, OfflinePassage, Scan, Status
from mqtt.contract.topics import MAX_PAYLOAD_BYTES, Channel, TopicError
from portal.access.scans import ReceivedOfflinePassage, ReceivedScan
from portal.core.bus import Received
from portal.devices.operations import CommandAnswer, ReceivedEvent, ReceivedStatus

Item = ReceivedScan | ReceivedOfflinePassage | ReceivedEvent | ReceivedStatus | CommandAnswer

GROUP: Final = "worker"
TOPICS: Final = (
    topics.subscription(Channel.EVENT, group=GROUP),
    topics.subscription(Channel.RESULT, group=GROUP),
    # Not shared: a broker sends retained messages to plain subscriptions only. Every worker hears
    # every status; noting it twice changes nothing.
    topics.subscription(Channel.STATUS),
)


POISON: Final = "unprocessable"
"""The fault of a message that is well formed and that the database refuses again and again."""


@dataclass(frozen=True, slots=True)
class Bad:
    """A message that cannot be accepted; ``fault`` is one of the contract's or :data:`POISON`."""

    message: Received
    fault: str
    detail: str


@dataclass(slots=True)
class Sorted:
    """Messages by what has to be done; each list in order of arrival."""

    scans: list[tuple[Received, ReceivedScan]] = field(default_factory=list)
    others: list[tuple[Received, Item]] = field(default_factory=list)
    bad: list[Bad] = field(default_factory=list)


def sort(messages: Iterable[Received], now: datetime) -> Sorted:
    """Decode messages; whatever is wrong with one is said, never raised."""
    result = Sorted()
    for message in messages:
        try:
            item = _read(message, now)
        except TopicError as error:
            result.bad.append(Bad(message, Fault.TOPIC, str(error)))
        except MessageError as error:
            result.bad.append(Bad(message, error.fault, error.detail))
        else:
            if isinstance(item, ReceivedScan):
                result.scans.append((message, item))
            else:
                result.others.append((message, item))
    return result


def _read(message: Received, now: datetime) -> Item:
    topic = topics.parse(message.topic)
    if len(message.payload) > MAX_PAYLOAD_BYTES:
        raise MessageError(Fault.SIZE, f"{len(message.payload)} bytes")
    if topic.channel is Channel.EVENT:
        return _event(topic, codec.decode_event(topic.name, message.payload, now), now)
    if topic.channel is Channel.RESULT:
        result = codec.decode_result(topic.name, message.payload)
        return CommandAnswer(
            topic.address, topic.name, result.transaction, result.ok, result.reason, result.at
        )
    if topic.channel is Channel.STATUS:
        try:
            return ReceivedStatus(topic.address, Status(message.payload.decode("ascii")), now)
        except ValueError:  # of which a failed decode is one
            raise MessageError(Fault.SHAPE, "neither online nor offline") from None
    raise MessageError(Fault.TOPIC, f"not for the portal: {topic.channel}")


def _event(topic: topics.Topic, event: Event, now: datetime) -> Item:
    if isinstance(event, Scan):
        return ReceivedScan(topic.address, event)
    if isinstance(event, OfflinePassage):
        return ReceivedOfflinePassage(topic.address, event)
    return ReceivedEvent(topic.address, event, now)
