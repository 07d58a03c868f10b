"""Reading the queue: what waits for an actor over all sources, who is at it, what was decided just now."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.accounts.models import User
from portal.core.errors import DomainError
from portal.core.live import Snapshot
from portal.core.permissions import Actor, Permission
from portal.core.work import UNDO_WINDOW, WorkDetail, WorkItem, WorkSource
from portal.regions.models import Region
from portal.workbench.models import WorkClaim, WorkDecision
from portal.workbench.sources import of_actor, source_of

MOST: Final = 100
"""Items of one kind in the list, those that wait longest; the counts know of all."""
JUST_NOW: Final = 8
"""Decisions that can be taken back, on the page."""


class Whose(StrEnum):
    """Which items are shown."""

    ALL = "all"
    FREE = "free"
    MINE = "mine"


@dataclass(frozen=True, slots=True)
class Claim:
    """Who is at an item until when; ``name`` is the user name."""

    user_id: int
    name: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Entry:
    """One item of the list with what belongs to it."""

    item: WorkItem
    source: WorkSource
    claim: Claim | None

    @property
    def key(self) -> str:
        """``kind:id``, what a page knows it by."""
        return f"{self.item.kind}:{self.item.id}"

    @property
    def together(self) -> bool:
        """Whether it can be ticked, to be decided with others of its kind."""
        return bool(getattr(self.source, "together", True)) and not self.item.urgent


@dataclass(frozen=True, slots=True)
class Filter:
    """What to show. Names are looked for in the browser: what is typed stands in no address."""

    kind: str | None = None
    whose: Whose = Whose.ALL

    def shows(self, entry: Entry, actor: Actor) -> bool:
        """Whether an entry passes."""
        if self.kind is not None and entry.item.kind != self.kind:
            return False
        if self.whose is Whose.FREE and entry.claim is not None:
            return False
        return self.whose is not Whose.MINE or (
            entry.claim is not None and entry.claim.user_id == actor.user_id
        )


@dataclass(frozen=True, slots=True)
class Queue:
    """Everything that waits for an actor: entries in the order of work, counts by kind."""

    entries: Sequence[Entry]
    counts: Mapping[str, int]
    sources: Sequence[WorkSource]

    @property
    def total(self) -> int:
        """How many wait."""
        return sum(self.counts.values())

    @property
    def mark(self) -> str:
        """Differs when the list, a claim or a count does."""
        said = [(e.key, e.claim and e.claim.user_id) for e in self.entries]
        text = repr((said, sorted(self.counts.items())))
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def queue(session: Session, actor: Actor, now: datetime) -> Queue:
    """What waits: those in need first, then who waits longest."""
    sources = of_actor(actor)
    found: list[tuple[WorkItem, WorkSource]] = []
    counts: dict[str, int] = {}
    for source in sources:
        items = source.waiting(session, actor, now, MOST)
        found += [(item, source) for item in items]
        full = len(items) >= MOST
        counts[source.kind] = source.count(session, actor, now) if full else len(items)
    claims = claims_of(session, [item for item, _ in found], now)
    entries = [Entry(i, s, claims.get((i.kind, i.id))) for i, s in found]
    entries.sort(key=lambda e: (not e.item.urgent, e.item.at, e.item.kind, e.item.id))
    return Queue(entries, counts, sources)


def total(session: Session, actor: Actor, now: datetime) -> int:
    """How many wait for the actor."""
    return sum(source.count(session, actor, now) for source in of_actor(actor))


def claims_of(
    session: Session, items: Sequence[WorkItem], now: datetime
) -> dict[tuple[str, int], Claim]:
    """Who is at these items, by kind and id."""
    regions = {item.region_id for item in items}
    if not regions:
        return {}
    rows = session.execute(
        select(WorkClaim.kind, WorkClaim.item_id, User.id, User.username, WorkClaim.expires_at)
        .join(User, User.id == WorkClaim.user_id)
        .where(WorkClaim.region_id.in_(regions), WorkClaim.expires_at > now)
    )
    return {(r.kind, r.item_id): Claim(r.id, r.username or "", r.expires_at) for r in rows}


@dataclass(frozen=True, slots=True)
class Shown:
    """One item for the pane beside the list, and what the actor may do about its claim."""

    detail: WorkDetail
    source: WorkSource
    claim: Claim | None
    mine: bool
    may_take_over: bool

    @property
    def blocked(self) -> bool:
        """Whether somebody else is at it."""
        return self.claim is not None and not self.mine


def item(session: Session, actor: Actor, kind: str, item_id: int, now: datetime) -> Shown:
    """One item, waiting or decided.

    Raises:
        NotFoundError, ForbiddenError: see the source.
    """
    source = source_of(kind)
    detail = source.detail(session, actor, item_id, now)
    claim = claims_of(session, [detail.item], now).get((kind, item_id)) if detail.choices else None
    path = session.scalar(select(Region.path).where(Region.id == detail.item.region_id)) or "/"
    return Shown(
        detail,
        source,
        claim,
        mine=claim is not None and claim.user_id == actor.user_id,
        may_take_over=actor.may(Permission.WORK_TAKE_OVER, path),
    )


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision that can be taken back, and how what it was about stands now."""

    decision: WorkDecision
    detail: WorkDetail
    source: WorkSource
    until: datetime


def decided_just_now(session: Session, actor: Actor, now: datetime) -> list[Decided]:
    """The actor's own decisions that can still be taken back, newest first."""
    rows = session.scalars(
        select(WorkDecision)
        .where(
            WorkDecision.user_id == actor.user_id,
            WorkDecision.decided_at > now - UNDO_WINDOW,
            WorkDecision.undone_at.is_(None),
            WorkDecision.undoable.is_(True),
        )
        .order_by(WorkDecision.decided_at.desc(), WorkDecision.id.desc())
        .limit(JUST_NOW)
    ).all()
    shown: list[Decided] = []
    for row in rows:
        try:
            source = source_of(row.kind)
            detail = source.detail(session, actor, row.item_id, now)
        except DomainError:  # gone since, or no longer the actor's: nothing to take back
            continue
        shown.append(Decided(row, detail, source, row.decided_at + UNDO_WINDOW))
    return shown


def snapshot(session: Session, actor: Actor, now: datetime) -> Snapshot:
    """What a live page should show: counts, and which items there are with whoever is at them."""
    found = queue(session, actor, now)
    data: dict[str, Any] = {
        "total": found.total,
        "counts": dict(found.counts),
        "items": [[e.key, e.claim.user_id if e.claim else 0] for e in found.entries],
    }
    return Snapshot(found.mark, data)
