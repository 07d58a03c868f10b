# Generated from mqtt/contract by `linli contract generate`, do not edit.
"""The messages, each with a checking reader."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from enum import StrEnum
from typing import ClassVar, Final, Self

from . import reading as read
from .errors import Fault, MessageError
from .topics import MAX_PAYLOAD_BYTES


class Direction(StrEnum):
    """Which way a person goes through a gate."""

    IN = "in"
    OUT = "out"


class Status(StrEnum):
    """Payload of ``status``: plain text, retained, ``offline`` as the last will."""

    ONLINE = "online"
    OFFLINE = "offline"


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What every message shares; ``NAME`` is the last level of its topic."""

    NAME: ClassVar[str] = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event(Message):
    """Something happened at a device."""

    id: str
    at: datetime

    @classmethod
    def from_json(cls, data: Mapping[str, object]) -> Self:
        """Checked from a JSON object. Raises ``MessageError``."""
        return cls(
            id=read.text(data, "id", pattern=r"^[A-Za-z0-9_-]{8,64}$"),
            at=read.moment(data, "at"),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Command(Message):
    """Do something, once, before ``expires_at``."""

    transaction: str
    at: datetime
    expires_at: datetime

    @classmethod
    def from_json(cls, data: Mapping[str, object]) -> Self:
        """Checked from a JSON object. Raises ``MessageError``."""
        return cls(
            transaction=read.text(data, "transaction", pattern=r"^[A-Za-z0-9_-]{8,64}$"),
            at=read.moment(data, "at"),
            expires_at=read.moment(data, "expires_at"),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan(Event):
    """A reader read a code. ``body_temperature`` is set where the gate also measures."""

    NAME: ClassVar[str] = "scan"
    code: str
    direction: Direction = Direction.IN
    reader: str = "main"
    body_temperature: float | None = None

    @classmethod
    def from_json(cls, data: Mapping[str, object]) -> Self:
        """Checked from a JSON object. Raises ``MessageError``."""
        return cls(
            id=read.text(data, "id", pattern=r"^[A-Za-z0-9_-]{8,64}$"),
            at=read.moment(data, "at"),
            code=read.text(data, "code", low=1, high=1024),
            direction=Direction(read.text(data, "direction", words=("in", "out",), default="in")),
            reader=read.text(data, "reader", pattern=r"^[a-z0-9_]{1,32}$", default="main"),
            body_temperature=None if data.get("body_temperature") is None else read.number(data, "body_temperature", low=-60, high=150),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class OfflinePassage(Event):
    """A gate without network verified a pass itself and let someone through."""

    NAME: ClassVar[str] = "offline_passage"
    code: str
    direction: Direction = Direction.IN
    outcome: str
    reason: str
    revocation_age_s: int

    @classmethod
    def from_json(cls, data: Mapping[str, object]) -> Self:
        """Checked from a JSON object. Raises ``MessageError``."""
        return cls(
            id=read.text(data, "id", pattern=r"^[A-Za-z0-9_-]{8,64}$"),
            at=read.moment(data, "at"),
            code=read.text(data, "code", low=1, high=1024),
            direction=Direction(read.text(data, "direction", words=("in", "out",), default="in")),
            outcome=read.text(data, "outcome", words=("allow", "refuse",)),
            reason=read.text(data, "reason", pattern=r"^[a-z_]{1,32}$"),
            revocation_age_s=read.whole(data, "revocation_age_s", low=0),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Door(Event):
    """A door's contact changed, was held open too long, or was forced."""

    NAME: ClassVar[str] = "door"
    state: str
    transaction: str | None = None

    @classmethod
    def from_json(cls, data: Mapping[str, object]) -> Self:
        """Checked from a JSON object. Raises ``MessageError``."""
        return cls(
            id=read.text(data, "id", pattern=r"^[A-Za-z0-9_-]{8,64}$"),
            at=read.moment(data, "at"),
            state=read.text(data, "state", words=("closed", "forced", "held_open", "opened",)),
            transaction=None if data.get("transaction") is None else read.text(data, "transaction", pattern=r"^[A-Za-z0-9_-]{8,64}$"),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Tamper(Event):
    """The case was opened or closed."""

    NAME: ClassVar[str] = "tamper"
    active: bool

    @classmethod
    def from_json(cls, data: Mapping[str, object]) -> Self:
        """Checked from a JSON object. Raises ``MessageError``."""
        return cls(
            id=read.text(data, "id", pattern=r"^[A-Za-z0-9_-]{8,64}$"),
            at=read.moment(data, "at"),
            active=read.flag(data, "active"),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading(Event):
    """A body temperature was measured, in °C; joined to a scan by that event's id."""

    NAME: ClassVar[str] = "reading"
    body_temperature: float
    ambient_temperature: float
    distance_mm: int
    over_threshold: bool
    scan: str | None = None

    @classmethod
    def from_json(cls, data: Mapping[str, object]) -> Self:
        """Checked from a JSON object. Raises ``MessageError``."""
        return cls(
            id=read.text(data, "id", pattern=r"^[A-Za-z0-9_-]{8,64}$"),
            at=read.moment(data, "at"),
            body_temperature=read.number(data, "body_temperature", low=-60, high=150),
            ambient_temperature=read.number(data, "ambient_temperature", low=-60, high=150),
            distance_mm=read.whole(data, "distance_mm", low=0, high=10000),
            over_threshold=read.flag(data, "over_threshold"),
            scan=None if data.get("scan") is None else read.text(data, "scan", pattern=r"^[A-Za-z0-9_-]{8,64}$"),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CompartmentMoved(Event):
    """A locker's compartment opened, closed, or failed to."""

    NAME: ClassVar[str] = "compartment"
    compartment: int
    state: str
    occupied: bool | None = None
    transaction: str | None = None

    @classmethod
    def from_json(cls, data: Mapping[str, object]) -> Self:
        """Checked from a JSON object. Raises ``MessageError``."""
        return cls(
            id=read.text(data, "id", pattern=r"^[A-Za-z0-9_-]{8,64}$"),
            at=read.moment(data, "at"),
            compartment=read.whole(data, "compartment", low=1, high=999),
            state=read.text(data, "state", words=("closed", "jammed", "opened",)),
            occupied=None if data.get("occupied") is None else read.flag(data, "occupied"),
            transaction=None if data.get("transaction") is None else read.text(data, "transaction", pattern=r"^[A-Za-z0-9_-]{8,64}$"),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm(Event):
    """An alarm button was pressed, cancelled inside its window, or tested."""

    NAME: ClassVar[str] = "alarm"
    action: str
    battery: float | None = None
    presses: int = 1

    @classmethod
    def from_json(cls, data: Mapping[str, object]) -> Self:
        """Checked from a JSON object. Raises ``MessageError``."""
        return cls(
            id=read.text(data, "id", pattern=r"^[A-Za-z0-9_-]{8,64}$"),
            at=read.moment(data, "at"),
            action=read.text(data, "action", words=("cancelled", "pressed", "tested",)),
            battery=None if data.get("battery") is None else read.number(data, "battery", low=0, high=100),
            presses=read.whole(data, "presses", low=1, high=1000, default=1),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Boot(Event):
    """A device started."""

    NAME: ClassVar[str] = "boot"
    firmware: str
    cause: str = "unknown"

    @classmethod
    def from_json(cls, data: Mapping[str, object]) -> Self:
        """Checked from a JSON object. Raises ``MessageError``."""
        return cls(
            id=read.text(data, "id", pattern=r"^[A-Za-z0-9_-]{8,64}$"),
            at=read.moment(data, "at"),
            firmware=read.text(data, "firmware", high=200),
            cause=read.text(data, "cause", words=("power", "request", "unknown", "update", "watchdog",), default="unknown"),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Unlock(Command):
    """Open the door for ``pulse_ms``; ``event`` is the scan it answers."""

    NAME: ClassVar[str] = "unlock"
    pulse_ms: int = 3000
    event: str | None = None

    @classmethod
    def from_json(cls, data: Mapping[str, object]) -> Self:
        """Checked from a JSON object. Raises ``MessageError``."""
        return cls(
            transaction=read.text(data, "transaction", pattern=r"^[A-Za-z0-9_-]{8,64}$"),
            at=read.moment(data, "at"),
            expires_at=read.moment(data, "expires_at"),
            pulse_ms=read.whole(data, "pulse_ms", low=100, high=60000, default=3000),
            event=None if data.get("event") is None else read.text(data, "event", pattern=r"^[A-Za-z0-9_-]{8,64}$"),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Refuse(Command):
    """Tell the person at the gate no; ``reason`` is a code, never a text about the person."""

    NAME: ClassVar[str] = "refuse"
    event: str
    reason: str

    @classmethod
    def from_json(cls, data: Mapping[str, object]) -> Self:
        """Checked from a JSON object. Raises ``MessageError``."""
        return cls(
            transaction=read.text(data, "transaction", pattern=r"^[A-Za-z0-9_-]{8,64}$"),
            at=read.moment(data, "at"),
            expires_at=read.moment(data, "expires_at"),
            event=read.text(data, "event", pattern=r"^[A-Za-z0-9_-]{8,64}$"),
            reason=read.text(data, "reason", pattern=r"^[a-z_]{1,32}$"),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledge(Command):
    """The portal has committed these events; the device may forget them. Needs no result."""

    NAME: ClassVar[str] = "acknowledge"
    events: tuple[str, ...]

    @classmethod
    def from_json(cls, data: Mapping[str, object]) -> Self:
        """Checked from a JSON object. Raises ``MessageError``."""
        return cls(
            transaction=read.text(data, "transaction", pattern=r"^[A-Za-z0-9_-]{8,64}$"),
            at=read.moment(data, "at"),
            expires_at=read.moment(data, "expires_at"),
            events=read.texts(data, "events", pattern=r"^[A-Za-z0-9_-]{8,64}$", low=1, high=100),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenCompartment(Command):
    """Open one compartment of a locker."""

    NAME: ClassVar[str] = "open_compartment"
    compartment: int

    @classmethod
    def from_json(cls, data: Mapping[str, object]) -> Self:
        """Checked from a JSON object. Raises ``MessageError``."""
        return cls(
            transaction=read.text(data, "transaction", pattern=r"^[A-Za-z0-9_-]{8,64}$"),
            at=read.moment(data, "at"),
            expires_at=read.moment(data, "expires_at"),
            compartment=read.whole(data, "compartment", low=1, high=999),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmFeedback(Command):
    """Show the wearer what has become of the alarm."""

    NAME: ClassVar[str] = "alarm_feedback"
    event: str
    state: str

    @classmethod
    def from_json(cls, data: Mapping[str, object]) -> Self:
        """Checked from a JSON object. Raises ``MessageError``."""
        return cls(
            transaction=read.text(data, "transaction", pattern=r"^[A-Za-z0-9_-]{8,64}$"),
            at=read.moment(data, "at"),
            expires_at=read.moment(data, "expires_at"),
            event=read.text(data, "event", pattern=r"^[A-Za-z0-9_-]{8,64}$"),
            state=read.text(data, "state", words=("acknowledged", "closed", "received",)),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SetThreshold(Command):
    """Change the over-temperature threshold, in °C."""

    NAME: ClassVar[str] = "set_threshold"
    body_temperature: float

    @classmethod
    def from_json(cls, data: Mapping[str, object]) -> Self:
        """Checked from a JSON object. Raises ``MessageError``."""
        return cls(
            transaction=read.text(data, "transaction", pattern=r"^[A-Za-z0-9_-]{8,64}$"),
            at=read.moment(data, "at"),
            expires_at=read.moment(data, "expires_at"),
            body_temperature=read.number(data, "body_temperature", low=35.0, high=42.0),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Result(Message):
    """A device's answer to a command, on ``result/{command}``."""

    NAME: ClassVar[str] = "result"
    transaction: str
    at: datetime
    ok: bool
    reason: str = ""

    @classmethod
    def from_json(cls, data: Mapping[str, object]) -> Self:
        """Checked from a JSON object. Raises ``MessageError``."""
        return cls(
            transaction=read.text(data, "transaction", pattern=r"^[A-Za-z0-9_-]{8,64}$"),
            at=read.moment(data, "at"),
            ok=read.flag(data, "ok"),
            reason=read.text(data, "reason", pattern=r"^[a-z_]{0,32}$", default=""),
        )


EVENTS: Final[dict[str, type[Event]]] = {
    "scan": Scan,
    "offline_passage": OfflinePassage,
    "door": Door,
    "tamper": Tamper,
    "reading": Reading,
    "compartment": CompartmentMoved,
    "alarm": Alarm,
    "boot": Boot,
}
COMMANDS: Final[dict[str, type[Command]]] = {
    "unlock": Unlock,
    "refuse": Refuse,
    "acknowledge": Acknowledge,
    "open_compartment": OpenCompartment,
    "alarm_feedback": AlarmFeedback,
    "set_threshold": SetThreshold,
}
RESEND_SECONDS: Final = 3


def encode(message: Message) -> str:
    """A message as JSON."""
    return json.dumps(
        {field.name: _plain(getattr(message, field.name)) for field in fields(message)},
        ensure_ascii=False,
        separators=(",", ":"),
    )


def _plain(value: object) -> object:
    return value.isoformat().replace("+00:00", "Z") if isinstance(value, datetime) else value


def _no_constant(text: str) -> None:
    raise ValueError(f"{text} is not JSON")


def _object(payload: str | bytes) -> Mapping[str, object]:
    size = len(payload.encode()) if isinstance(payload, str) else len(payload)
    if size > MAX_PAYLOAD_BYTES:
        raise MessageError(Fault.SIZE, f"{size} bytes")
    try:
        data = json.loads(payload, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise MessageError(Fault.JSON, str(error)) from error
    if not isinstance(data, dict):
        raise MessageError(Fault.SHAPE, "not an object")
    return data


def decode_event(kind: str, payload: str | bytes) -> Event:
    """An event's payload; ``kind`` is the last level of its topic. Raises ``MessageError``."""
    found = EVENTS.get(kind)
    if found is None:
        raise MessageError(Fault.KIND, kind)
    return found.from_json(_object(payload))


def decode_command(name: str, payload: str | bytes) -> Command:
    """A command's payload. Raises ``MessageError``."""
    found = COMMANDS.get(name)
    if found is None:
        raise MessageError(Fault.KIND, name)
    return found.from_json(_object(payload))


def decode_result(name: str, payload: str | bytes) -> Result:
    """The answer to the command ``name``. Raises ``MessageError``."""
    if name not in COMMANDS:
        raise MessageError(Fault.KIND, name)
    return Result.from_json(_object(payload))
