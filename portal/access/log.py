"""Reading passages: the live log of staff, and a resident's own.

Rows are found by id alone (keyset): newest first, "older" goes on below the last id seen, "newer" above
the first. No count is ever taken, so that a log of millions of rows opens as fast as an empty one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from sqlalchemy import Select, select
from sqlalchemy.orm import Session, joinedload

from portal.access.models import Gate, Outcome, Passage
from portal.core.permissions import Actor, Permission
from portal.regions.directory import within
from portal.regions.models import Dwelling, Region, Unit

PAGE: Final = 50
"""Rows on one page and in one answer to a poll."""
OWN: Final = 20
"""How many of their passages a resident sees."""
ANSWER_WAIT: Final = timedelta(seconds=15)
"""How long a door may take to answer before the log says that it did not."""


@dataclass(frozen=True, slots=True)
class Filter:
    """What to show; ``None`` means all."""

    gate_id: int | None = None
    outcome: Outcome | None = None


class Answer(StrEnum):
    """What the lock made of the unlock command."""

    NONE = "none"
    """Nothing was asked of it: the passage was refused, or the gate had decided by itself."""
    WAITING = "waiting"
    OPENED = "opened"
    FAILED = "failed"
    SILENT = "silent"


def answer(passage: Passage, now: datetime) -> Answer:
    """What became of the unlock command at ``now``."""
    if passage.opened_at is not None:
        return Answer.OPENED
    if passage.command_reason:
        return Answer.FAILED
    if passage.outcome != Outcome.ALLOW or passage.transaction is None:
        return Answer.NONE
    return Answer.WAITING if now - passage.decided_at < ANSWER_WAIT else Answer.SILENT


def answer_ms(passage: Passage) -> int | None:
    """Milliseconds from the decision to the open door; ``None`` when it has not opened."""
    if passage.opened_at is None:
        return None
    return max(0, (passage.opened_at - passage.decided_at) // timedelta(milliseconds=1))


def page(
    session: Session,
    actor: Actor,
    chosen: Filter,
    *,
    before: int = 0,
    after: int = 0,
    limit: int = PAGE,
) -> list[Passage]:
    """Passages in the actor's regions, newest first, one more than ``limit`` when there are more.

    Args:
        before: only ids below this one (older); 0 for no bound.
        after: only ids above this one (newer).
    """
    statement = _visible(session, actor)
    if chosen.gate_id is not None:
        statement = statement.where(Passage.gate_id == chosen.gate_id)
    if chosen.outcome is not None:
        statement = statement.where(Passage.outcome == chosen.outcome)
    if before:
        statement = statement.where(Passage.id < before)
    if after:
        statement = statement.where(Passage.id > after)
    return list(session.scalars(statement.order_by(Passage.id.desc()).limit(limit + 1)))


def some(session: Session, actor: Actor, ids: Iterable[int]) -> list[Passage]:
    """Those of these passages that the actor may see."""
    wanted = list(ids)[: 2 * PAGE]
    if not wanted:
        return []
    return list(session.scalars(_visible(session, actor).where(Passage.id.in_(wanted))))


def gates(session: Session, actor: Actor) -> Sequence[Gate]:
    """Gates whose passages the actor may see, by community and name."""
    return session.scalars(
        select(Gate)
        .options(joinedload(Gate.community))
        .where(Gate.community_id.in_(_communities(session, actor)))
        .order_by(Gate.community_id, Gate.kind, Gate.name)
    ).all()


def own(session: Session, actor: Actor, limit: int = OWN) -> Sequence[Passage]:
    """The resident's own passages, newest first."""
    if actor.resident_id is None:
        return []
    return session.scalars(
        select(Passage)
        .options(joinedload(Passage.gate))
        .where(Passage.resident_id == actor.resident_id)
        .order_by(Passage.id.desc())
        .limit(limit)
    ).all()


def _visible(session: Session, actor: Actor) -> Select[Passage]:
    home = joinedload(Passage.dwelling).joinedload(Dwelling.unit).joinedload(Unit.building)
    return (
        select(Passage)
        .options(joinedload(Passage.gate), home)
        .where(Passage.community_id.in_(_communities(session, actor)))
    )


def _communities(session: Session, actor: Actor) -> Sequence[int]:
    """Ids rather than a join: the log's index begins with the community."""
    return session.scalars(
        select(Region.id).where(
            within(actor.paths(Permission.PASSAGE_LIST)), Region.key.is_not(None)
        )
    ).all()
