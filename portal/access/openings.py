"""What a door made of its command, noted at the passage that asked for it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final, cast

from sqlalchemy import Table, bindparam, update
from sqlalchemy.orm import Session

from mqtt.contract.messages import Door, Unlock
from portal.access.cache import Caches
from portal.access.models import Passage
from portal.devices.operations import CommandAnswer, ReceivedEvent

_passages = cast(Table, Passage.__table__)
_NOTE_RESULT: Final = (
    update(_passages)
    .where(
        _passages.c.transaction == bindparam("tx"),
        _passages.c.device_id == bindparam("of_device"),
        _passages.c.opened_at.is_(None),
        _passages.c.command_reason == "",
    )
    .values(opened_at=bindparam("opened"), command_reason=bindparam("said"))
)


def record_command_results(
    session: Session, results: Sequence[CommandAnswer], caches: Caches, now: datetime
) -> None:
    """Note at passages what the lock answered; only its own answer counts, and only the first.

    A lock whose clock is ahead has opened ``now`` at the latest.
    """
    asked = [r for r in results if r.name == Unlock.NAME]
    gates = caches.gates(session, (r.address for r in asked))
    rows = [
        {
            "tx": r.transaction,
            "of_device": gates[r.address].device_id,
            "opened": min(r.at, now) if r.ok else None,
            "said": "" if r.ok else (r.reason[:32] or "failed"),
        }
        for r in asked
        if r.address in gates
    ]
    if not rows:
        return
    session.connection().execute(_NOTE_RESULT, rows)


def record_openings(session: Session, events: Sequence[ReceivedEvent], caches: Caches) -> None:
    """Note at passages that their door was opened, by the door's own events.

    The lock's answer says the same sooner, but is not repeated when a broker is killed with it; the
    event is. What came first stays.
    """
    opened = [
        (e.address, e.event.transaction, min(e.event.at, e.received_at))
        for e in events
        if isinstance(e.event, Door) and e.event.state == "opened" and e.event.transaction
    ]
    gates = caches.gates(session, (address for address, *_ in opened)) if opened else {}
    rows = [
        {"tx": transaction, "of_device": gates[address].device_id, "opened": at, "said": ""}
        for address, transaction, at in opened
        if address in gates
    ]
    if rows:
        session.connection().execute(_NOTE_RESULT, rows)
