"""What a batch of scans needs from the database, read in sets; plain values, no decisions."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeVar, cast

from sqlalchemy import Connection, Table, bindparam, select, tuple_

from mqtt.contract.codec import Fault
from mqtt.contract.messages import OfflinePassage, Scan
from mqtt.contract.topics import DeviceAddress
from portal.access.decision import PassFacts
from portal.access.models import Outcome, Passage
from portal.core.outbox import OutboxMessage, OutboxState, Outgoing
from portal.passes.models import Pass

# Statements are built once: building one costs more than running it.
_passages = cast(Table, Passage.__table__).c
_outbox = cast(Table, OutboxMessage.__table__).c
_passes = cast(Table, Pass.__table__).c
_HANDLED: Final = (
    select(
        _passages.device_id,
        _passages.event_id,
        _passages.outcome,
        _passages.reason,
        _outbox.transaction,
        _outbox.community,
        _outbox.device,
        _outbox.name,
        _outbox.payload,
        _outbox.state,
        _outbox.expires_at,
    )
    .select_from(
        cast(Table, Passage.__table__).outerjoin(
            cast(Table, OutboxMessage.__table__), _outbox.transaction == _passages.transaction
        )
    )
    .where(tuple_(_passages.device_id, _passages.event_id).in_(bindparam("keys", expanding=True)))
)
_PASSES: Final = select(
    _passes.id,
    _passes.community_id,
    _passes.kind,
    _passes.building_id,
    _passes.scope,
    _passes.not_before,
    _passes.not_after,
    _passes.max_uses,
    _passes.uses,
    _passes.revoked_at,
    _passes.resident_id,
    _passes.dwelling_id,
).where(_passes.id.in_(bindparam("ids", expanding=True)))
_REPLAYS: Final = select(_passages.gate_id, _passages.token_id).where(
    tuple_(_passages.gate_id, _passages.token_id).in_(bindparam("keys", expanding=True))
)

T = TypeVar("T")
EventKey = tuple[int, str]
"""Device row and event id."""
ReplayKey = tuple[int, str]
"""Gate row and code id."""


@dataclass(frozen=True, slots=True)
class ByHand:
    """Whoever of the staff decides at the gate, and whether they turn the person away."""

    user_id: int
    turned_away: bool


@dataclass(frozen=True, slots=True)
class ReceivedScan:
    """A scan and the device that sent it; ``by_hand`` when staff read the code beside that device.

    Then the code is judged as of the moment it was read, and no door is asked to open.
    """

    address: DeviceAddress
    scan: Scan
    by_hand: ByHand | None = None


@dataclass(frozen=True, slots=True)
class ReceivedOfflinePassage:
    """A decision that a gate made by itself, and the gate."""

    address: DeviceAddress
    event: OfflinePassage


@dataclass(frozen=True, slots=True)
class Answer:
    """What becomes of one received event.

    Attributes:
        outgoing: what to publish after the commit; ``None`` when somebody else gets the answer
            (the same event stands in the batch twice) or nobody does (``fault``, by hand).
        fault: set when there is no such gate; nothing was written then.
        repeated: the event had been handled before.
    """

    address: DeviceAddress
    event_id: str
    outgoing: Outgoing | None = None
    outcome: Outcome | None = None
    reason: str = ""
    fault: Fault | None = None
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class Handled:
    """An event that has its passage already; ``outgoing`` is its answer while that may still act."""

    outcome: Outcome
    reason: str
    outgoing: Outgoing | None


@dataclass(frozen=True, slots=True)
class Holder:
    """Whom a passage is written down for."""

    resident_id: int | None
    dwelling_id: int | None


def handled(
    connection: Connection, keys: Collection[EventKey], now: datetime
) -> dict[EventKey, Handled]:
    """Which of these events have been handled, and what was answered."""
    if not keys:
        return {}
    found: dict[EventKey, Handled] = {}
    for row in connection.execute(_HANDLED, {"keys": _padded(keys)}):
        acts = (
            row.transaction is not None
            and row.state in (OutboxState.PENDING, OutboxState.PUBLISHED)
            and row.expires_at > now
        )
        outgoing = (
            Outgoing(
                row.transaction,
                DeviceAddress(row.community, row.device).command(row.name),
                row.payload,
                row.expires_at,
            )
            if acts
            else None
        )
        found[row.device_id, row.event_id] = Handled(Outcome(row.outcome), row.reason, outgoing)
    return found


def passes(connection: Connection, ids: Collection[str]) -> dict[str, tuple[PassFacts, Holder]]:
    """These passes by id."""
    if not ids:
        return {}
    return {
        row.id: (
            PassFacts(
                id=row.id,
                community_id=row.community_id,
                kind=row.kind,
                building_id=row.building_id,
                scope=tuple(row.scope),
                not_before=row.not_before,
                not_after=row.not_after,
                max_uses=row.max_uses,
                uses=row.uses,
                revoked=row.revoked_at is not None,
            ),
            Holder(row.resident_id, row.dwelling_id),
        )
        for row in connection.execute(_PASSES, {"ids": _padded(ids)})
    }


def replays(connection: Connection, keys: Collection[ReplayKey]) -> set[ReplayKey]:
    """Which of these codes have opened these gates before."""
    if not keys:
        return set()
    rows = connection.execute(_REPLAYS, {"keys": _padded(keys)})
    return {(row.gate_id, row.token_id) for row in rows}


def _padded(keys: Collection[T]) -> list[T]:
    """The keys, some of them twice, up to a power of two: few forms of a statement, each prepared once."""
    listed = list(keys)
    size = 1 << (len(listed) - 1).bit_length()
    return listed + [listed[-1]] * (size - len(listed))
