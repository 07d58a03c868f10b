"""Passes and the keys that sign them (A4, B5).

A pass is a right to go through gates; a code on a screen is a short-lived signed statement of it. The
row holds the use count and the revocation, the code neither.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.core.db import Base, Moment
from portal.core.protected import Encrypted
from portal.regions.models import Region


class PassKind(StrEnum):
    """Whose pass it is."""

    RESIDENT = "resident"
    VISITOR = "visitor"
    STAFF = "staff"
    COURIER = "courier"
    CARD = "card"


class Pass(Base):
    """A pass. ``id`` is 32 hex digits (128 random bits); ``max_uses`` 0 means unlimited.

    ``scope`` lists gate ids; empty means every gate of the community that the holder's building opens.
    ``building_id`` is the dwelling's building, kept here so that a decision needs one row.
    """

    __tablename__ = "passes"
    __table_args__ = (
        CheckConstraint("max_uses = 0 OR uses <= max_uses", name="uses"),
        Index("ix_passes_resident", "resident_id"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    community_id: Mapped[int] = mapped_column(ForeignKey("regions.id"), index=True)
    kind: Mapped[str] = mapped_column(String(16))
    resident_id: Mapped[int | None] = mapped_column(ForeignKey("residents.id"))
    dwelling_id: Mapped[int | None] = mapped_column(ForeignKey("dwellings.id"))
    building_id: Mapped[int | None] = mapped_column(ForeignKey("buildings.id"))
    scope: Mapped[list[int]] = mapped_column(JSON, default=list)
    not_before: Mapped[datetime] = mapped_column(Moment)
    not_after: Mapped[datetime] = mapped_column(Moment)
    max_uses: Mapped[int] = mapped_column(default=0)
    uses: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(Moment)
    revoked_at: Mapped[datetime | None] = mapped_column(Moment)
    revoked_reason: Mapped[str] = mapped_column(String(32), default="")

    community: Mapped[Region] = relationship()


class SigningKeyRow(Base):
    """A key pair; the private half is encrypted. Several may be valid at once (rotation)."""

    __tablename__ = "signing_keys"

    kid: Mapped[str] = mapped_column(String(16), primary_key=True)
    public: Mapped[str] = mapped_column(String(64))
    private: Mapped[str] = mapped_column(Encrypted("signing_keys.private"))
    not_before: Mapped[datetime] = mapped_column(Moment)
    not_after: Mapped[datetime] = mapped_column(Moment)
    created_at: Mapped[datetime] = mapped_column(Moment)
