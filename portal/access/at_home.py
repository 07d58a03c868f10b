"""The last passages of a dwelling, for its page: see :mod:`portal.core.dwelling_page`."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from portal.access.models import Outcome, Passage
from portal.access.reasons import sentence
from portal.core.dwelling_page import Place, Rank, Row, Section
from portal.core.i18n import lazy
from portal.core.permissions import Actor, Permission
from portal.passes.models import PassKind
from portal.residents.models import Residency

LAST: Final = 8
"""Passages that the page shows."""


def section(session: Session, actor: Actor, place: Place, now: datetime) -> Section | None:
    """Passages of those who live there and of their visitors, newest first; no names."""
    if not actor.may(Permission.PASSAGE_LIST, place.path):
        return None
    # By the residents, because the log has an index of each resident's passages.
    residents = session.scalars(
        select(Residency.resident_id).where(
            Residency.dwelling_id == place.dwelling_id, Residency.until.is_(None)
        )
    ).all()
    rows = session.scalars(
        select(Passage)
        .options(joinedload(Passage.gate))
        .where(Passage.resident_id.in_(residents), Passage.dwelling_id == place.dwelling_id)
        .order_by(Passage.id.desc())
        .limit(LAST)
    ).all()
    return Section(
        title=lazy("Last passages"),
        icon="gate",
        rank=Rank.PASSAGES,
        rows=[_row(row) for row in rows],
        nothing=lazy("No passages yet."),
    )


def _row(passage: Passage) -> Row:
    allowed = passage.outcome == Outcome.ALLOW
    words = [lazy("Visitor")] if passage.pass_kind == PassKind.VISITOR else []
    if not allowed:
        words.append(sentence(passage.reason))
    return Row(
        name=passage.gate.name,
        about=" · ".join(map(str, words)) or None,
        state=(lazy("Let through"), "good") if allowed else (lazy("Not let through"), "bad"),
        at=passage.decided_at,
    )
