"""Residents and a change of communities: they go where the dwelling they live in goes."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from portal.regions.models import Dwelling
from portal.residents.models import Residency, Resident


def blockers(
    _session: Session, _community_id: int, _buildings: Collection[int] | None
) -> list[Any]:
    """Nothing of a resident stands in the way."""
    return []


def follow(session: Session, source_id: int, target_id: int) -> dict[str, int]:
    """Residents of one community who live in a dwelling of the other now belong there."""
    lives_there = (
        select(Residency.resident_id)
        .join(Dwelling, Dwelling.id == Residency.dwelling_id)
        .where(Residency.until.is_(None), Dwelling.community_id == target_id)
    )
    gone = session.execute(
        update(Resident)
        .where(Resident.community_id == source_id, Resident.id.in_(lives_there))
        .values(community_id=target_id)
        .returning(Resident.id)
        .execution_options(synchronize_session=False)
    ).all()
    return {"residents": len(gone)}
