"""Bytes to messages and back. Wrong bytes raise one error with a machine reason; nothing else escapes."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final, TypeVar

import msgspec

from mqtt.contract.messages import (
    COMMANDS,
    EVENTS,
    Command,
    Event,
    Identifier,
    Message,
    Result,
)
from mqtt.contract.topics import MAX_PAYLOAD_BYTES

MAX_AGE: Final = timedelta(days=7)
"""An event older than this is stale: a device keeps its queue for a week."""
MAX_AHEAD: Final = timedelta(minutes=5)
"""A device's clock may be this far ahead."""


class Fault(StrEnum):
    """Why a message was put aside."""

    TOPIC = "unknown_topic"
    KIND = "unknown_kind"
    SIZE = "oversized"
    JSON = "malformed_json"
    SHAPE = "wrong_shape"
    STALE = "stale"
    FUTURE = "future"
    DEVICE = "unknown_device"


class MessageError(ValueError):
    """A payload that this contract does not allow; ``fault`` says which rule it broke."""

    def __init__(self, fault: Fault, detail: str) -> None:
        super().__init__(f"{fault}: {detail}")
        self.fault = fault
        self.detail = detail


class _Identified(msgspec.Struct, frozen=True):
    """Any object that says which event it is."""

    id: Identifier


M = TypeVar("M", bound=Message)

_encoder = msgspec.json.Encoder()
_kinds: list[type[Message]] = [*EVENTS.values(), *COMMANDS.values(), Result]
_decoders: dict[type[Message], msgspec.json.Decoder[Any]] = {
    kind: msgspec.json.Decoder(kind) for kind in _kinds
}
_identified = msgspec.json.Decoder(_Identified)


def encode(message: Message) -> bytes:
    """A message as JSON, UTF-8."""
    return _encoder.encode(message)


def _decode(kind: type[M], payload: bytes) -> M:
    if len(payload) > MAX_PAYLOAD_BYTES:
        raise MessageError(Fault.SIZE, f"{len(payload)} bytes")
    try:
        message: M = _decoders[kind].decode(payload)
    except msgspec.ValidationError as error:
        raise MessageError(Fault.SHAPE, str(error)) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise MessageError(Fault.JSON, str(error)) from error
    return message


def decode_event(kind: str, payload: bytes, now: datetime) -> Event:
    """An event's payload, checked for shape and time.

    Args:
        kind: the last level of the topic.
        payload: the bytes received.
        now: aware UTC; events older than ``MAX_AGE`` or more than ``MAX_AHEAD`` ahead are refused.

    Raises:
        MessageError: the kind is unknown or the payload breaks the contract.
    """
    struct = EVENTS.get(kind)
    if struct is None:
        raise MessageError(Fault.KIND, kind)
    event = _decode(struct, payload)
    if event.at < now - MAX_AGE:
        raise MessageError(Fault.STALE, event.at.isoformat())
    if event.at > now + MAX_AHEAD:
        raise MessageError(Fault.FUTURE, event.at.isoformat())
    return event


def event_id(payload: bytes) -> str | None:
    """The id in an event's payload, however wrong the rest of it is; None when there is none.

    By it a device can be told that repeating a refused event is of no use.
    """
    if len(payload) > MAX_PAYLOAD_BYTES:
        return None
    try:
        return _identified.decode(payload).id
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def decode_command(name: str, payload: bytes) -> Command:
    """A command's payload. Raises ``MessageError``."""
    struct = COMMANDS.get(name)
    if struct is None:
        raise MessageError(Fault.KIND, name)
    return _decode(struct, payload)


def decode_result(name: str, payload: bytes) -> Result:
    """A result's payload; ``name`` is the command it answers. Raises ``MessageError``."""
    if name not in COMMANDS:
        raise MessageError(Fault.KIND, name)
    return _decode(Result, payload)
