"""One payload against the contract, whatever its channel: for tests, tools and the command line."""

from __future__ import annotations

from datetime import datetime

from mqtt.contract.codec import (
    Fault,
    MessageError,
    decode_command,
    decode_event,
    decode_result,
)
from mqtt.contract.messages import Status
from mqtt.contract.telemetry import parse_scalar
from mqtt.contract.topics import Channel, Topic, TopicError, parse

_CLOCK_FAULTS = (Fault.STALE, Fault.FUTURE)


def check(topic: str, payload: bytes, now: datetime | None = None) -> Topic:
    """Whether ``payload`` may travel on ``topic``.

    Args:
        topic: the whole topic.
        payload: the bytes as published.
        now: aware UTC; when given, an event's age counts as well as its shape.

    Returns:
        The topic taken apart.

    Raises:
        MessageError: the topic or the payload breaks the contract.
    """
    try:
        parsed = parse(topic)
    except TopicError as error:
        raise MessageError(Fault.TOPIC, str(error)) from error
    if parsed.channel is Channel.STATUS:
        if payload not in (b"online", b"offline"):
            raise MessageError(Fault.SHAPE, f"status is one of {', '.join(Status)}")
    elif parsed.channel is Channel.STATE:
        parse_scalar(parsed, payload)
    elif parsed.channel is Channel.COMMAND:
        decode_command(parsed.name, payload)
    elif parsed.channel is Channel.RESULT:
        decode_result(parsed.name, payload)
    else:
        _check_event(parsed.name, payload, now)
    return parsed


def _check_event(kind: str, payload: bytes, now: datetime | None) -> None:
    moment = now or datetime.fromisoformat("2000-01-01T00:00:00+00:00")
    try:
        decode_event(kind, payload, moment)
    except MessageError as error:
        if now is None and error.fault in _CLOCK_FAULTS:
            return
        raise
