"""Who is at which item, and what was decided here a moment ago. The items themselves are the features'.

Claims and decisions move as drawn in :mod:`portal.core.work`. A claim that is past its end counts as none;
the next claim takes its row.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from portal.core.db import Base, Moment


class WorkClaim(Base):
    """Somebody is at an item; there is one claim of it at most."""

    __tablename__ = "work_claims"
    __table_args__ = (UniqueConstraint("kind", "item_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(32))
    item_id: Mapped[int]
    region_id: Mapped[int] = mapped_column(ForeignKey("regions.id"))
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    claimed_at: Mapped[datetime] = mapped_column(Moment)
    expires_at: Mapped[datetime] = mapped_column(Moment)


class WorkDecision(Base):
    """A decision made in the workbench, so that whoever made it can take it back for a while."""

    __tablename__ = "work_decisions"
    __table_args__ = (Index("ix_work_decisions_own", "user_id", "decided_at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(32))
    item_id: Mapped[int]
    region_id: Mapped[int] = mapped_column(ForeignKey("regions.id"))
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    choice: Mapped[str] = mapped_column(String(24))
    undoable: Mapped[bool]
    decided_at: Mapped[datetime] = mapped_column(Moment)
    undone_at: Mapped[datetime | None] = mapped_column(Moment)
