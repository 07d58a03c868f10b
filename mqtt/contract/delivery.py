"""How each channel travels: quality of service and retention, the same for every device."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from mqtt.contract.messages import COMMANDS, Acknowledge
from mqtt.contract.topics import Channel


@dataclass(frozen=True, slots=True)
class Delivery:
    """MQTT's quality of service (0 or 1) and whether the broker keeps the last value."""

    qos: int
    retain: bool


DELIVERY: Final[dict[Channel, Delivery]] = {
    Channel.STATUS: Delivery(qos=1, retain=True),
    Channel.STATE: Delivery(qos=0, retain=True),
    Channel.EVENT: Delivery(qos=1, retain=False),
    Channel.COMMAND: Delivery(qos=1, retain=False),
    Channel.RESULT: Delivery(qos=1, retain=False),
}
"""State is ESPHome's own: retained, without acknowledgement, because the next value replaces it.
A command is never retained: a lock must not open again when it reconnects."""

ANSWERED: Final[tuple[str, ...]] = tuple(name for name in COMMANDS if name != Acknowledge.NAME)
"""Commands a device answers with a result; an acknowledgement is itself the last word."""
