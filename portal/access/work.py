"""Refusals worth a look, in the workbench; and passages that a decision has led to: see :mod:`portal.core.work`."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from flask import url_for
from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.access import refusals
from portal.access.models import Gate, Outcome, Passage, PassageReview
from portal.access.reasons import sentence
from portal.access.refusals import Case, Verdict
from portal.core import formats
from portal.core.errors import ConflictError, DomainError
from portal.core.i18n import lazy, ngettext
from portal.core.permissions import Actor, Permission
from portal.core.work import Choice, Consequence, Note, WorkDetail, WorkItem

_CHOICES: Final = (
    Choice(Verdict.FINE, lazy("Seen, fine"), "main", Note.OPTIONAL),
    Choice(Verdict.FOLLOW_UP, lazy("Seen, follow up"), "", Note.REQUIRED),
)
_SAYS: Final[dict[str, Any]] = {
    Verdict.FINE: lazy("Somebody has looked at it: fine."),
    Verdict.FOLLOW_UP: lazy("Somebody has looked at it and follows it up."),
}


class RefusalSource:
    """Cases of refusals that are worth a look."""

    kind = "access.refusal"
    label = lazy("Refusals at gates")
    icon = "gate"
    permission = Permission.PASSAGE_REVIEW

    def waiting(self, session: Session, actor: Actor, now: datetime, limit: int) -> list[WorkItem]:
        """Longest first."""
        cases = refusals.cases(session, actor, now)[:limit]
        ids = {case.refusals[0].gate_id for case in cases}
        names = {
            row.id: row.name
            for row in session.execute(select(Gate.id, Gate.name).where(Gate.id.in_(ids)))
        }
        return [_item(case, names[case.refusals[0].gate_id]) for case in cases]

    def count(self, session: Session, actor: Actor, now: datetime) -> int:
        """How many."""
        return len(refusals.cases(session, actor, now))

    def detail(self, session: Session, actor: Actor, item_id: int, now: datetime) -> WorkDetail:
        """One case: where, whose pass (by dwelling), how often, why."""
        passage = refusals.load(session, actor, item_id)
        case = refusals.case_of(session, passage, now)
        review = session.get(PassageReview, item_id)
        facts: list[tuple[Any, Any]] = [
            (lazy("Gate"), passage.gate.name),
            (lazy("Dwelling"), passage.dwelling.label if passage.dwelling else lazy("unknown")),
            (lazy("First"), formats.moment_seconds(passage.decided_at)),
        ]
        if case is None:
            reason = passage.reason
        else:
            reason = case.reason
            if len(case.refusals) > 1:
                facts.append((lazy("Last"), formats.moment_seconds(case.refusals[-1].at)))
                facts.append((lazy("How often"), formats.number(len(case.refusals))))
        facts.append((lazy("Reason"), sentence(reason)))
        says: Any = None
        if review is not None:
            says = _SAYS.get(review.verdict)
            if review.note:
                facts.append((lazy("Note"), review.note))
        item = _item(case or Case((_alone(passage),)), passage.gate.name)
        return WorkDetail(item, facts, _CHOICES if case is not None else (), says)

    def decide(
        self, session: Session, actor: Actor, item_id: int, choice: str, note: str, now: datetime
    ) -> None:
        """Note that it was seen."""
        if choice not in set(Verdict):
            raise DomainError("unknown_choice", lazy("Choose one of the buttons."))
        refusals.review(session, actor, item_id, Verdict(choice), note, now)

    def undo(self, session: Session, actor: Actor, item_id: int, now: datetime) -> None:
        """Let it wait again."""
        refusals.undo(session, actor, item_id, now)


def _alone(passage: Passage) -> refusals.Refusal:
    return refusals.Refusal(
        passage.id,
        passage.community_id,
        passage.gate_id,
        passage.pass_id,
        passage.reason,
        passage.decided_at,
    )


def _item(case: Case, gate: str) -> WorkItem:
    times = len(case.refusals)
    often = ngettext("%(num)s time", "%(num)s times", times)
    return WorkItem(
        kind=RefusalSource.kind,
        id=case.id,
        region_id=case.refusals[0].community_id,
        title=sentence(case.reason),
        about=f"{gate} · {often}",
        at=case.at,
        href=url_for("access.log", gate=case.refusals[0].gate_id, before=case.refusals[-1].id + 1),
    )


def nobody_went_in(
    session: Session, actor: Actor, item_id: int, since: datetime, now: datetime
) -> None:
    """An approval that somebody has gone through a gate with is not taken back.

    Raises:
        ConflictError: ``used``.
    """
    used = select(Passage.id).where(
        Passage.resident_id == item_id,
        Passage.outcome == Outcome.ALLOW.value,
        Passage.decided_at >= since,
    )
    if session.scalar(used.limit(1)) is not None:
        raise ConflictError(
            "used", lazy("The pass has been used already. This cannot be taken back.")
        )


SOURCES: Final = (RefusalSource(),)
CONSEQUENCES: Final[dict[str, Consequence]] = {"residents.registration": nobody_went_in}
