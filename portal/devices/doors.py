"""A person opens a door from afar, with a reason that stays in the audit (H1)."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from sqlalchemy.orm import Session

from mqtt.contract.messages import Unlock
from portal.core import audit
from portal.core.errors import DomainError
from portal.core.i18n import lazy
from portal.core.outbox import Outgoing, new_transaction
from portal.core.permissions import Actor, Permission
from portal.devices import queries
from portal.devices.operations import command

PULSE_MS: Final = 3000
"""How long the bolt is held back."""


class OpeningReason(StrEnum):
    """Why a door is opened. Codes, for the audit holds no free text that could name a person."""

    VISITOR = "visitor"
    LOCKED_OUT = "locked_out"
    DELIVERY = "delivery"
    EMERGENCY = "emergency"
    MAINTENANCE = "maintenance"


REASON_NAMES: Final[dict[OpeningReason, Any]] = {
    OpeningReason.VISITOR: lazy("A visitor stands at the door and was checked"),
    OpeningReason.LOCKED_OUT: lazy("A resident without a phone was recognised"),
    OpeningReason.DELIVERY: lazy("Delivery, accompanied"),
    OpeningReason.EMERGENCY: lazy("Emergency"),
    OpeningReason.MAINTENANCE: lazy("Maintenance or test"),
}


def open_door(
    session: Session,
    actor: Actor,
    device_id: int,
    reason: str,
    now: datetime,
    *,
    seconds: int,
) -> Outgoing:
    """Ask a lock to open once; the command leaves with the outbox.

    Args:
        reason: an :class:`OpeningReason`.
        seconds: how long the command may act.

    Raises:
        DomainError: no reason, or one that is not known.
        NotFoundError, ForbiddenError: see :func:`portal.core.permissions.require`.
        ConflictError: this device has no door, or is retired.
    """
    device = queries.device(session, actor, device_id, Permission.DEVICE_COMMAND)
    if reason not in set(OpeningReason):
        raise DomainError("reason_missing", lazy("Choose why you open the door."), field="reason")
    message = Unlock(
        transaction=new_transaction(),
        at=now,
        expires_at=now + timedelta(seconds=seconds),
        pulse_ms=PULSE_MS,
    )
    outgoing = command(session, actor, device, message, now)
    audit.record(
        session,
        actor,
        "device.open_door",
        ("device", device.id),
        path=device.community.path,
        reason=reason,
        transaction=message.transaction,
    )
    return outgoing
