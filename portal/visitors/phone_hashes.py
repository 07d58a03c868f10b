"""Visitors' phone numbers made findable in rows that earlier releases wrote."""

from __future__ import annotations

from typing import Final

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from portal.core.protected import find_hash
from portal.visitors.models import Invitation

BATCH: Final = 500
"""Rows of one transaction: tens of milliseconds."""


def fill_phone_hashes(session: Session, limit: int = BATCH) -> int:
    """Hash the numbers of some rows without a hash; returns of how many."""
    rows = session.execute(
        select(Invitation.id, Invitation.visitor_phone)
        .where(Invitation.visitor_phone_hash.is_(None))
        .limit(limit)
    ).all()
    for row in rows:
        session.execute(
            update(Invitation)
            .where(Invitation.id == row.id, Invitation.visitor_phone_hash.is_(None))
            .values(visitor_phone_hash=find_hash(row.visitor_phone, "phone"))
            .execution_options(synchronize_session=False)
        )
    return len(rows)
