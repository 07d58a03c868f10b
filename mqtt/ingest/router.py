"""From a message to a point: what is stored, what is ignored, what is put aside.

========================  ==========================================================
``…/state``               a point, ``component/object`` in the measure's unit
``…/status``              a point of ``status/online``: 1 online, 0 offline
event, command, result    ignored, whatever they hold: the worker checks those
state, status, empty      ignored: a retained message was deleted
anything else             ``MessageError`` with its fault
========================  ==========================================================
"""

from __future__ import annotations

from collections import OrderedDict
from functools import lru_cache
from typing import Final

from mqtt.contract.codec import Fault, MessageError
from mqtt.contract.messages import Status
from mqtt.contract.telemetry import parse_scalar
from mqtt.contract.topics import MAX_PAYLOAD_BYTES, Channel, Topic, TopicError, parse
from mqtt.telemetry.model import STATUS_MEASURE, Point, from_ms

IGNORED: Final = frozenset({Channel.EVENT, Channel.COMMAND, Channel.RESULT})
MAX_SERIES: Final = 100_000
"""How many topics are remembered; beyond it the longest silent go."""
BACKWARDS_MS: Final = 5_000
"""A clock set back by more than this is believed."""
_PRESENCE: Final = {Status.ONLINE.value.encode(): 1.0, Status.OFFLINE.value.encode(): 0.0}

_parse = lru_cache(maxsize=MAX_SERIES)(parse)


class ArrivalClock:
    """When a message arrived, in milliseconds since 1970, never twice the same for one topic.

    A scalar carries no time of its own, so its time is its arrival. Two messages of one series within
    a millisecond (a backlog after an outage) would be one point in the store; the later one is set
    to the next free millisecond.
    """

    def __init__(self, max_series: int = MAX_SERIES) -> None:
        self._last: OrderedDict[str, int] = OrderedDict()
        self._max = max_series

    def stamp(self, topic: str, now_ms: int) -> int:
        """The time for a message that arrived now on this topic."""
        last = self._last.pop(topic, None)
        at = now_ms
        if last is not None and last - BACKWARDS_MS < now_ms <= last:
            at = last + 1
        self._last[topic] = at
        if len(self._last) > self._max:
            self._last.popitem(last=False)
        return at


def _address(text: str) -> Topic:
    try:
        return _parse(text)
    except TopicError as error:
        raise MessageError(Fault.TOPIC, str(error)) from error


def read(topic: str, payload: bytes, clock: ArrivalClock, now_ms: int) -> Point | None:
    """The point a message stands for, or None when it is not for the store.

    Raises:
        MessageError: the message breaks the contract; nothing else is raised, whatever the bytes.
    """
    parsed = _address(topic)
    if parsed.channel in IGNORED:
        return None
    if len(payload) > MAX_PAYLOAD_BYTES:
        raise MessageError(Fault.SIZE, f"{len(payload)} bytes")
    if not payload:
        return None
    if parsed.channel is Channel.STATUS:
        presence = _PRESENCE.get(payload)
        if presence is None:
            raise MessageError(Fault.SHAPE, "neither online nor offline")
        key, value = STATUS_MEASURE, presence
    else:
        measure, value = parse_scalar(parsed, payload)
        key = measure.key
    at = from_ms(clock.stamp(topic, now_ms))
    return Point(parsed.address.community, parsed.address.device, key, at, value)
