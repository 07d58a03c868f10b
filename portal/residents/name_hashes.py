"""Names of residents made findable in rows that earlier releases wrote."""

from __future__ import annotations

from typing import Final

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from portal.residents.models import Resident, name_hash

BATCH: Final = 500
"""Rows of one transaction: tens of milliseconds."""


def fill_name_hashes(session: Session, limit: int = BATCH) -> int:
    """Hash the names of some rows without a hash; returns of how many.

    A name that changes in the same moment keeps the hash that its change brought.
    """
    rows = session.execute(
        select(Resident.id, Resident.name).where(Resident.name_hash.is_(None)).limit(limit)
    ).all()
    for row in rows:
        session.execute(
            update(Resident)
            .where(Resident.id == row.id, Resident.name_hash.is_(None))
            .values(name_hash=name_hash(row.name))
            .execution_options(synchronize_session=False)
        )
    return len(rows)
