"""Refusals at gates that are worth a look by staff.

Most refusals mend themselves: a code that has just expired, a scan that came too late. Worth a look is

* a code that nobody should have: its signature is wrong, its key or its pass is not on record;
* a pass that was withdrawn and is shown all the same; a person whom a gatekeeper turned away;
* the same pass refused :data:`REPEATED` times within :data:`REPEAT_WITHIN`, whatever the reason: somebody
  does not get in and does not know why, or tries things out.

What belongs together is one case: everything of one pass, or of one gate and reason where the code names
no pass that can be trusted. A case is known by its first refusal and stays the same while more come; what
comes after it was reviewed is a new one. After :data:`LOOK_BACK` nobody is asked any more.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import CursorResult, delete, select
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite
from sqlalchemy.orm import Session, joinedload

from portal.access.decision import Reason
from portal.access.models import Outcome, Passage, PassageReview
from portal.core import audit
from portal.core.errors import ConflictError
from portal.core.i18n import lazy
from portal.core.permissions import Actor, Permission, found, require
from portal.core.work import UNDO_WINDOW
from portal.regions.directory import within
from portal.regions.models import Dwelling, Region, Unit

LOOK_BACK: Final = timedelta(days=3)
REPEATED: Final = 3
REPEAT_WITHIN: Final = timedelta(minutes=10)
MOST_READ: Final = 2000
"""Refusals that are looked through at once, the newest of them."""
ALWAYS: Final = frozenset(
    {
        Reason.BAD_SIGNATURE,
        Reason.UNKNOWN_KEY,
        Reason.UNKNOWN_PASS,
        Reason.REVOKED,
        Reason.TURNED_AWAY,
    }
)
NEVER: Final = frozenset({Reason.STALE_SCAN, Reason.GATE_DISABLED})
"""The portal's or the gate's own trouble: does not count towards repetitions either."""


class Verdict(StrEnum):
    """What somebody made of a case."""

    FINE = "fine"
    FOLLOW_UP = "follow_up"


@dataclass(frozen=True, slots=True)
class Refusal:
    """What the rule needs to know of one refused passage."""

    id: int
    community_id: int
    gate_id: int
    pass_id: str | None
    reason: str
    at: datetime

    @property
    def key(self) -> tuple[object, ...]:
        """What belongs to one case has the same."""
        if self.pass_id is not None:
            return (self.community_id, self.pass_id)
        return (self.community_id, self.gate_id, self.reason)


@dataclass(frozen=True, slots=True)
class Case:
    """Refusals that belong together, oldest first; ``id`` is the first one's."""

    refusals: tuple[Refusal, ...]

    @property
    def id(self) -> int:
        """The first passage."""
        return self.refusals[0].id

    @property
    def at(self) -> datetime:
        """Since when."""
        return self.refusals[0].at

    @property
    def reason(self) -> str:
        """The reason that says most: one that is always worth a look, else the last."""
        for refusal in self.refusals:
            if refusal.reason in ALWAYS:
                return refusal.reason
        return self.refusals[-1].reason


def worth_a_look(refusals: Sequence[Refusal]) -> bool:
    """The rule, for refusals of one case in the order of time."""
    if any(r.reason in ALWAYS for r in refusals):
        return True
    counted = [r.at for r in refusals if r.reason not in NEVER and r.pass_id is not None]
    return any(
        last - first <= REPEAT_WITHIN
        for first, last in zip(counted, counted[REPEATED - 1 :], strict=False)
    )


def group(refusals: Iterable[Refusal], reviewed: Mapping[tuple[object, ...], int]) -> list[Case]:
    """Cases that wait, longest first.

    Args:
        reviewed: by key, the last passage that somebody has looked at.
    """
    by_key: dict[tuple[object, ...], list[Refusal]] = defaultdict(list)
    for refusal in sorted(refusals, key=lambda r: r.id):
        if refusal.id > reviewed.get(refusal.key, 0):
            by_key[refusal.key].append(refusal)
    cases = [Case(tuple(of_one)) for of_one in by_key.values() if worth_a_look(of_one)]
    return sorted(cases, key=lambda case: (case.at, case.id))


_COLUMNS: Final = (
    Passage.id,
    Passage.community_id,
    Passage.gate_id,
    Passage.pass_id,
    Passage.reason,
    Passage.decided_at,
)


def cases(session: Session, actor: Actor, now: datetime) -> list[Case]:
    """Cases that wait where the actor may review, longest first."""
    communities = session.scalars(
        select(Region.id).where(
            within(actor.paths(Permission.PASSAGE_REVIEW)), Region.key.is_not(None)
        )
    ).all()
    return _waiting(session, communities, now) if communities else []


def _waiting(session: Session, communities: Sequence[int], now: datetime) -> list[Case]:
    rows = session.execute(
        select(*_COLUMNS)
        .where(
            Passage.community_id.in_(communities),
            Passage.outcome == Outcome.REFUSE.value,
            Passage.decided_at > now - LOOK_BACK,
        )
        .order_by(Passage.decided_at.desc())
        .limit(MOST_READ)
    )
    refusals = [_refusal(row) for row in rows]
    if not refusals:
        return []
    reviewed: dict[tuple[object, ...], int] = {}
    reviews = session.execute(
        select(*_COLUMNS, PassageReview.last_passage_id)
        .join(PassageReview, PassageReview.passage_id == Passage.id)
        .where(
            PassageReview.community_id.in_(communities),
            PassageReview.reviewed_at > now - LOOK_BACK,
        )
    )
    for row in reviews:
        key = _refusal(row).key
        reviewed[key] = max(reviewed.get(key, 0), row.last_passage_id)
    return group(refusals, reviewed)


def _refusal(row: Any) -> Refusal:
    return Refusal(row.id, row.community_id, row.gate_id, row.pass_id, row.reason, row.decided_at)


def load(session: Session, actor: Actor, passage_id: int) -> Passage:
    """The first passage of a case, with gate and dwelling.

    Raises:
        NotFoundError, ForbiddenError: see :func:`portal.core.permissions.require`; it was let through.
    """
    home = joinedload(Passage.dwelling).joinedload(Dwelling.unit).joinedload(Unit.building)
    row = session.get(Passage, passage_id, options=[joinedload(Passage.gate), home])
    refused = found(row if row is not None and row.outcome == Outcome.REFUSE else None)
    require(actor, Permission.PASSAGE_REVIEW, _path(session, refused.community_id))
    return refused


def case_of(session: Session, passage: Passage, now: datetime) -> Case | None:
    """The waiting case that begins with this passage."""
    waiting = _waiting(session, [passage.community_id], now)
    return next((case for case in waiting if case.id == passage.id), None)


def review(
    session: Session, actor: Actor, passage_id: int, verdict: Verdict, note: str, now: datetime
) -> None:
    """Say what was made of a case.

    Raises:
        NotFoundError, ForbiddenError: see :func:`load`.
        ConflictError: somebody has looked at it already.
    """
    passage = load(session, actor, passage_id)
    case = case_of(session, passage, now)
    if case is None:
        raise _seen()
    sqlite = session.get_bind().dialect.name == "sqlite"
    insert = insert_sqlite if sqlite else insert_postgresql
    added = session.scalar(
        insert(PassageReview)
        .values(
            passage_id=case.id,
            last_passage_id=case.refusals[-1].id,
            community_id=passage.community_id,
            verdict=verdict.value,
            note=note.strip(),
            reviewed_at=now,
            reviewed_by=actor.user_id,
        )
        .on_conflict_do_nothing()
        .returning(PassageReview.passage_id)
    )
    if added is None:
        raise _seen()
    _told(session, actor, passage, f"passage.review_{verdict.value}", refusals=len(case.refusals))


def undo(session: Session, actor: Actor, passage_id: int, now: datetime) -> None:
    """Let a case wait again.

    Raises:
        NotFoundError, ForbiddenError: see :func:`load`.
        ConflictError: ``undo_late``; ``changed``, it is not the actor's review.
    """
    passage = load(session, actor, passage_id)
    gone = session.execute(
        delete(PassageReview).where(
            PassageReview.passage_id == passage_id,
            PassageReview.reviewed_by == actor.user_id,
            PassageReview.reviewed_at >= now - UNDO_WINDOW,
        )
    )
    assert isinstance(gone, CursorResult)  # noqa: S101 - narrows the type for mypy
    if gone.rowcount != 1:
        raise ConflictError("undo_late", lazy("It is too late to take this back."))
    _told(session, actor, passage, "passage.review_undo")


def _seen() -> ConflictError:
    return ConflictError("already_decided", lazy("Somebody else has looked at this already."))


def _path(session: Session, community_id: int) -> str:
    return session.scalar(select(Region.path).where(Region.id == community_id)) or "/"


def _told(session: Session, actor: Actor, passage: Passage, action: str, **detail: Any) -> None:
    path = _path(session, passage.community_id)
    audit.record(session, actor, action, ("passage", passage.id), path=path, **detail)
