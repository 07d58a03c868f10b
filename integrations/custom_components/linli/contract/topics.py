# Generated from mqtt/contract by `linli contract generate`, do not edit.
"""Topics: how they are built and read. No topic literal stands anywhere else.

Shape (architecture, "The contract exists once")::

    linli/v1/{community}/{device}/status
    linli/v1/{community}/{device}/{component}/{object}/state
    linli/v1/{community}/{device}/event/{kind}
    linli/v1/{community}/{device}/command/{name}
    linli/v1/{community}/{device}/result/{name}

``community`` and ``device`` are keys of 1–32 characters out of ``a-z 0-9 _ -``, chosen at enrolment and
never personal. The root's version rises only on a breaking change.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

ROOT: Final = "linli/v1"
MAX_PAYLOAD_BYTES: Final = 65_536
"""A payload above this is refused unread (64 KiB)."""

KEY_PATTERN: Final = r"[a-z0-9][a-z0-9_-]{0,31}"
_KEY = re.compile(KEY_PATTERN)
_TOPIC = re.compile(
    rf"linli/v1/(?P<community>{KEY_PATTERN})/(?P<device>{KEY_PATTERN})/"
    r"(?:(?P<status>status)"
    r"|(?P<channel>event|command|result)/(?P<name>[a-z][a-z0-9_]{0,31})"
    r"|(?P<component>[a-z][a-z_]{0,31})/(?P<object>[a-z0-9][a-z0-9_-]{0,63})/state)"
)


class Channel(StrEnum):
    """What a topic carries."""

    STATUS = "status"
    STATE = "state"
    EVENT = "event"
    COMMAND = "command"
    RESULT = "result"


class TopicError(ValueError):
    """The text is not a topic of this contract, or a key is not a valid key."""


@dataclass(frozen=True, slots=True)
class DeviceAddress:
    """Where a device lives: community key and device key.

    Raises:
        TopicError: a key does not match ``KEY_PATTERN``.
    """

    community: str
    device: str

    def __post_init__(self) -> None:
        for key in (self.community, self.device):
            if not _KEY.fullmatch(key):
                raise TopicError(f"not a valid key: {key!r}")

    def __str__(self) -> str:
        return f"{self.community}/{self.device}"

    @property
    def prefix(self) -> str:
        """The device's own subtree, without a trailing slash; ESPHome's ``topic_prefix``."""
        return f"{ROOT}/{self.community}/{self.device}"

    @property
    def status(self) -> str:
        """``online`` or ``offline``, retained; the device's last will."""
        return f"{self.prefix}/status"

    def state(self, component: str, name: str) -> str:
        """Scalar telemetry in ESPHome's own layout."""
        return f"{self.prefix}/{component}/{name}/state"

    def event(self, kind: str) -> str:
        """JSON from the device, QoS 1."""
        return f"{self.prefix}/event/{kind}"

    def command(self, name: str) -> str:
        """JSON to the device, QoS 1, not retained."""
        return f"{self.prefix}/command/{name}"

    def result(self, name: str) -> str:
        """The device's answer to a command, QoS 1."""
        return f"{self.prefix}/result/{name}"


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic taken apart. ``name`` is the event kind, command name or telemetry object."""

    address: DeviceAddress
    channel: Channel
    name: str = ""
    component: str = ""


def parse(text: str) -> Topic:
    """Take a topic apart.

    Raises:
        TopicError: the text is not a topic of this contract.
    """
    match = _TOPIC.fullmatch(text)
    if match is None:
        raise TopicError(f"not a topic of {ROOT}: {text[:120]!r}")
    address = DeviceAddress(match["community"], match["device"])
    if match["status"]:
        return Topic(address, Channel.STATUS)
    if match["channel"]:
        return Topic(address, Channel(match["channel"]), name=match["name"])
    return Topic(address, Channel.STATE, name=match["object"], component=match["component"])


def subscription(
    channel: Channel, *, community: str = "+", device: str = "+", group: str | None = None
) -> str:
    """A topic filter for one channel, as a shared subscription when ``group`` is given (MQTT 5)."""
    tail = {
        Channel.STATUS: "status",
        Channel.STATE: "+/+/state",
        Channel.EVENT: "event/+",
        Channel.COMMAND: "command/+",
        Channel.RESULT: "result/+",
    }[channel]
    plain = f"{ROOT}/{community}/{device}/{tail}"
    return f"$share/{group}/{plain}" if group else plain


def everything(*, group: str | None = None) -> str:
    """A filter for the whole tree, for consumers that also count what is unknown."""
    return f"$share/{group}/{ROOT}/#" if group else f"{ROOT}/#"
