"""What travels: frozen typed messages, each with an example. JSON, UTF-8, at most 64 KiB.

Every event carries ``id`` (chosen by the device, unique for ever: handling it twice changes nothing)
and ``at`` (aware UTC, RFC 3339). Every command carries ``transaction`` and ``expires_at``: a device
does not carry out an expired command and answers a repeated transaction with its first answer, without
acting again. Unknown fields are ignored by a reader, so that the contract can grow by addition.

A device's clock may be wrong. Whether an answer to a scan still counts, it judges by the person: an
``unlock`` or ``refuse`` whose ``event`` is a scan it still waits for, :data:`PATIENCE_SECONDS` at most
by its own steady clock, is in time whatever ``expires_at`` says; for a scan it no longer waits for it
opens nothing. Commands that answer no event are judged by ``expires_at``.

Delivery, end to end::

    device                          portal
      | event (kept on the device)    |
      |------------------------------>|  one operation, one transaction
      |   unlock | refuse | acknowledge (names the event's id)
      |<------------------------------|
      | dropped from the device's queue
      | otherwise repeated with the same id, at least every RESEND_SECONDS

An event that the portal cannot accept (wrong fields, a time more than a week old or minutes ahead) is
put aside there and acknowledged as well, as long as its id can be read: to repeat it would not mend it.
A broker that loses its queue therefore loses no event.

A compartment's event names the transaction of the command that opened it, where one did. A locker that has
started reports each compartment once as it is, without a transaction: after a power cut the portal learns
what was laid in or taken out meanwhile.
"""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, ClassVar, Final, Literal

import msgspec

RESEND_SECONDS: Final = 3
"""A device repeats an unanswered event after this many seconds."""
PATIENCE_SECONDS: Final = 20
"""A person waits so long before a gate; an unlock that comes later opens nothing."""

Identifier = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_-]{8,64}$")]
"""An event's or transaction's id; a UUID in any common spelling fits."""
Celsius = Annotated[float, msgspec.Meta(ge=-60, le=150)]
Percent = Annotated[float, msgspec.Meta(ge=0, le=100)]
Text = Annotated[str, msgspec.Meta(max_length=200)]
Compartment = Annotated[int, msgspec.Meta(ge=1, le=999)]
Moment = Annotated[datetime, msgspec.Meta(tz=True)]

EXAMPLE_MOMENT: Final = datetime(2026, 3, 2, 8, 0, 0, tzinfo=UTC)
EXAMPLE_EXPIRY: Final = datetime(2026, 3, 2, 8, 0, 10, tzinfo=UTC)


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """What every message shares; ``NAME`` is the last level of its topic."""

    NAME: ClassVar[str] = ""
    TITLE: ClassVar[str] = ""


class Event(Message, frozen=True, kw_only=True):
    """Something happened at a device."""

    id: Identifier
    at: Moment


class Command(Message, frozen=True, kw_only=True):
    """Do something, once, before ``expires_at``."""

    transaction: Identifier
    at: Moment
    expires_at: Moment


class Direction(StrEnum):
    """Which way a person goes through a gate."""

    IN = "in"
    OUT = "out"


# --- events ------------------------------------------------------------------------------------


class Scan(Event, frozen=True, kw_only=True):
    """A reader read a code. ``body_temperature`` is set where the gate also measures."""

    NAME = "scan"
    TITLE = "A code was read"
    code: Annotated[str, msgspec.Meta(min_length=1, max_length=1024)]
    direction: Direction = Direction.IN
    reader: Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9_]{1,32}$")] = "main"
    body_temperature: Celsius | None = None


class OfflinePassage(Event, frozen=True, kw_only=True):
    """A gate without network verified a pass itself and let someone through."""

    NAME = "offline_passage"
    TITLE = "A gate decided by itself while offline"
    code: Annotated[str, msgspec.Meta(min_length=1, max_length=1024)]
    direction: Direction = Direction.IN
    outcome: Literal["allow", "refuse"]
    reason: Annotated[str, msgspec.Meta(pattern=r"^[a-z_]{1,32}$")]
    revocation_age_s: Annotated[int, msgspec.Meta(ge=0)]


class Door(Event, frozen=True, kw_only=True):
    """A door's contact changed, was held open too long, or was forced."""

    NAME = "door"
    TITLE = "A door moved"
    state: Literal["opened", "closed", "held_open", "forced"]
    transaction: Identifier | None = None


class Tamper(Event, frozen=True, kw_only=True):
    """The case was opened or closed."""

    NAME = "tamper"
    TITLE = "A case was opened"
    active: bool


class Reading(Event, frozen=True, kw_only=True):
    """A body temperature was measured, in °C; joined to a scan by that event's id."""

    NAME = "reading"
    TITLE = "A body temperature was measured"
    body_temperature: Celsius
    ambient_temperature: Celsius
    distance_mm: Annotated[int, msgspec.Meta(ge=0, le=10_000)]
    over_threshold: bool
    scan: Identifier | None = None


class CompartmentMoved(Event, frozen=True, kw_only=True):
    """A locker's compartment opened, closed, or failed to."""

    NAME = "compartment"
    TITLE = "A compartment's door moved"
    compartment: Compartment
    state: Literal["opened", "closed", "jammed"]
    occupied: bool | None = None
    transaction: Identifier | None = None


class Alarm(Event, frozen=True, kw_only=True):
    """An alarm button was pressed, cancelled inside its window, or tested."""

    NAME = "alarm"
    TITLE = "An alarm button was used"
    action: Literal["pressed", "cancelled", "tested"]
    battery: Percent | None = None
    presses: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 1


class Boot(Event, frozen=True, kw_only=True):
    """A device started."""

    NAME = "boot"
    TITLE = "A device started"
    firmware: Text
    cause: Literal["power", "watchdog", "update", "request", "unknown"] = "unknown"


# --- commands ----------------------------------------------------------------------------------


class Unlock(Command, frozen=True, kw_only=True):
    """Open the door for ``pulse_ms``; ``event`` is the scan it answers."""

    NAME = "unlock"
    TITLE = "Open a door"
    pulse_ms: Annotated[int, msgspec.Meta(ge=100, le=60_000)] = 3000
    event: Identifier | None = None


class Refuse(Command, frozen=True, kw_only=True):
    """Tell the person at the gate no; ``reason`` is a code, never a text about the person."""

    NAME = "refuse"
    TITLE = "Refuse at a gate"
    event: Identifier
    reason: Annotated[str, msgspec.Meta(pattern=r"^[a-z_]{1,32}$")]


class Acknowledge(Command, frozen=True, kw_only=True):
    """The portal has committed these events; the device may forget them. Needs no result."""

    NAME = "acknowledge"
    TITLE = "Events are safe"
    events: Annotated[tuple[Identifier, ...], msgspec.Meta(min_length=1, max_length=100)]


class OpenCompartment(Command, frozen=True, kw_only=True):
    """Open one compartment of a locker."""

    NAME = "open_compartment"
    TITLE = "Open a compartment"
    compartment: Compartment


class AlarmFeedback(Command, frozen=True, kw_only=True):
    """Show the wearer what has become of the alarm."""

    NAME = "alarm_feedback"
    TITLE = "Tell the wearer"
    event: Identifier
    state: Literal["received", "acknowledged", "closed"]


class SetThreshold(Command, frozen=True, kw_only=True):
    """Change the over-temperature threshold, in °C."""

    NAME = "set_threshold"
    TITLE = "Set the temperature threshold"
    body_temperature: Annotated[float, msgspec.Meta(ge=35.0, le=42.0)]


class Result(Message, frozen=True, kw_only=True):
    """A device's answer to a command, on ``result/{command}``."""

    NAME = "result"
    TITLE = "A command was carried out or not"
    transaction: Identifier
    at: Moment
    ok: bool
    reason: Annotated[str, msgspec.Meta(pattern=r"^[a-z_]{0,32}$")] = ""


class Status(StrEnum):
    """Payload of ``status``: plain text, retained, ``offline`` as the last will."""

    ONLINE = "online"
    OFFLINE = "offline"


EVENTS: Final[dict[str, type[Event]]] = {
    kind.NAME: kind
    for kind in (Scan, OfflinePassage, Door, Tamper, Reading, CompartmentMoved, Alarm, Boot)
}
COMMANDS: Final[dict[str, type[Command]]] = {
    kind.NAME: kind
    for kind in (Unlock, Refuse, Acknowledge, OpenCompartment, AlarmFeedback, SetThreshold)
}
