"""Who may sign in to the broker and what each may touch: one account a device, one a service.

A device gets exactly its own subtree: it writes status, telemetry, events and results, and reads its
commands. No account but the administrator's may read or write the whole tree, and the worker cannot
write what only devices say. Topic filters come from :mod:`mqtt.contract.topics`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from mqtt.contract.topics import Channel, DeviceAddress, everything, subscription

USERNAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@/+-]{0,79}")
"""Names that fit mosquitto's files: no colon, no blank, no comment sign, no control character."""
_HASH = re.compile(r"\$[67]\$[A-Za-z0-9+/=$]+")
_FILTER = re.compile(r"[^\x00-\x1f\x7f]{1,200}")


class Access(StrEnum):
    """What a rule allows, in mosquitto's words."""

    READ = "read"
    WRITE = "write"
    READWRITE = "readwrite"


@dataclass(frozen=True, slots=True)
class Rule:
    """One allowance: an access on a topic filter."""

    access: Access
    topic: str


@dataclass(frozen=True, slots=True)
class BrokerAccount:
    """One account.

    ``password_hash`` is mosquitto's (``$7$…``). ``password`` is set where it is known: a broker that
    keeps no hashes (iotcore) can let in only those.

    Raises:
        ValueError: a field would not survive mosquitto's files.
    """

    username: str
    password_hash: str = field(repr=False)
    rules: tuple[Rule, ...]
    password: str | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if not USERNAME.fullmatch(self.username):
            raise ValueError(f"not a broker user name: {self.username!r}")
        if not _HASH.fullmatch(self.password_hash):
            raise ValueError(f"not a password hash of the broker for {self.username!r}")
        for rule in self.rules:
            if not _FILTER.fullmatch(rule.topic):
                raise ValueError(f"not a topic filter for {self.username!r}")


class Service(StrEnum):
    """Processes with an account of their own. The administrator's is for benches and inspection."""

    WORKER = "worker"
    INGEST = "ingest"
    ADMIN = "admin"


def device_rules(address: DeviceAddress) -> tuple[Rule, ...]:
    """What a device may do: its own subtree, each channel in its one direction."""
    own = {"community": address.community, "device": address.device}
    written = (Channel.STATUS, Channel.STATE, Channel.EVENT, Channel.RESULT)
    return (
        *(Rule(Access.WRITE, subscription(channel, **own)) for channel in written),
        Rule(Access.READ, subscription(Channel.COMMAND, **own)),
    )


SERVICE_RULES: Final[dict[Service, tuple[Rule, ...]]] = {
    Service.WORKER: (
        Rule(Access.READ, subscription(Channel.EVENT)),
        Rule(Access.READ, subscription(Channel.RESULT)),
        Rule(Access.READ, subscription(Channel.STATUS)),
        Rule(Access.WRITE, subscription(Channel.COMMAND)),
    ),
    Service.INGEST: (Rule(Access.READ, everything()),),
    Service.ADMIN: (Rule(Access.READWRITE, everything()), Rule(Access.READ, "$SYS/#")),
}
"""The worker cannot forge what devices say; ingest writes nothing."""
