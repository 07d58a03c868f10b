"""What a batch of scans needs from the database, read in sets; plain values, no decisions."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from mqtt.contract.codec import Fault
from mqtt.contract.messages import OfflinePassage, Scan
from mqtt.contract.topics import DeviceAddress
from portal.access.decision import PassFacts
from portal.access.models import Outcome, Passage
from portal.core.outbox import OutboxMessage, OutboxState, Outgoing
from portal.passes.models import Pass

EventKey = tuple[int, str]
"""Device row and event id."""
ReplayKey = tuple[int, str]
"""Gate row and code id."""


@dataclass(frozen=True, slots=True)
class ReceivedScan:
    """A scan and the device that sent it."""

    address: DeviceAddress
    scan: Scan


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
            (the same event stands in the batch twice) or nobody does (``fault``).
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


def handled(session: Session, keys: Collection[EventKey], now: datetime) -> dict[EventKey, Handled]:
    """Which of these events have been handled, and what was answered."""
    if not keys:
        return {}
    rows = session.execute(
        select(
            Passage.device_id,
            Passage.event_id,
            Passage.outcome,
            Passage.reason,
            OutboxMessage.transaction,
            OutboxMessage.community,
            OutboxMessage.device,
            OutboxMessage.name,
            OutboxMessage.payload,
            OutboxMessage.state,
            OutboxMessage.expires_at,
        )
        .outerjoin(OutboxMessage, OutboxMessage.transaction == Passage.transaction)
        .where(tuple_(Passage.device_id, Passage.event_id).in_(list(keys)))
    )
    found: dict[EventKey, Handled] = {}
    for row in rows:
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


def passes(session: Session, ids: Collection[str]) -> dict[str, tuple[PassFacts, Holder]]:
    """These passes by id."""
    if not ids:
        return {}
    rows = session.execute(
        select(
            Pass.id,
            Pass.community_id,
            Pass.kind,
            Pass.building_id,
            Pass.scope,
            Pass.not_before,
            Pass.not_after,
            Pass.max_uses,
            Pass.uses,
            Pass.revoked_at,
            Pass.resident_id,
            Pass.dwelling_id,
        ).where(Pass.id.in_(list(ids)))
    )
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
        for row in rows
    }


def replays(session: Session, keys: Collection[ReplayKey]) -> set[ReplayKey]:
    """Which of these codes have opened these gates before."""
    if not keys:
        return set()
    rows = session.execute(
        select(Passage.gate_id, Passage.token_id).where(
            tuple_(Passage.gate_id, Passage.token_id).in_(list(keys))
        )
    )
    return {(row.gate_id, row.token_id) for row in rows}
