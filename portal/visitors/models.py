"""Invitations (B5).

::

    pending ──approve──► approved ──scan──► used
       │  │                 │
       │  └──refuse──► refused
       └──cancel──► cancelled ◄── cancel ┘        (expired: approved and past valid_until)
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship, validates

from portal.core.db import Base, Moment
from portal.core.protected import Encrypted, find_hash
from portal.passes.models import Pass
from portal.regions.models import Dwelling, Region
from portal.residents.models import Resident


class InvitationState(StrEnum):
    """Where an invitation is; "used" and "expired" are read off the pass."""

    PENDING = "pending"
    APPROVED = "approved"
    REFUSED = "refused"
    CANCELLED = "cancelled"


class Invitation(Base):
    """A resident asks a visitor in. The link's token is kept encrypted and found by its hash.

    ``visitor_phone_hash`` follows the number by itself; it is ``None`` in rows of releases before it, until
    :func:`portal.visitors.phone_hashes.fill_phone_hashes` has been there.
    """

    __tablename__ = "invitations"
    __table_args__ = (
        Index("ix_invitations_queue", "community_id", "state"),
        Index("ix_invitations_phone", "visitor_phone_hash"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    community_id: Mapped[int] = mapped_column(ForeignKey("regions.id"))
    resident_id: Mapped[int] = mapped_column(ForeignKey("residents.id"), index=True)
    dwelling_id: Mapped[int] = mapped_column(ForeignKey("dwellings.id"))
    visitor_name: Mapped[str] = mapped_column(Encrypted("invitations.visitor_name"))
    visitor_phone: Mapped[str] = mapped_column(Encrypted("invitations.visitor_phone"))
    visitor_phone_hash: Mapped[str | None] = mapped_column(String(64))
    purpose: Mapped[str] = mapped_column(String(16))
    valid_from: Mapped[datetime] = mapped_column(Moment)
    valid_until: Mapped[datetime] = mapped_column(Moment)
    state: Mapped[str] = mapped_column(String(16), default=InvitationState.PENDING)
    link_token: Mapped[str] = mapped_column(Encrypted("invitations.link_token"))
    link_hash: Mapped[str] = mapped_column(String(64), unique=True)
    pass_id: Mapped[str | None] = mapped_column(ForeignKey("passes.id"), unique=True)
    created_at: Mapped[datetime] = mapped_column(Moment)
    decided_at: Mapped[datetime | None] = mapped_column(Moment)
    decided_by: Mapped[int | None]
    decision_note: Mapped[str] = mapped_column(String(200), default="")

    community: Mapped[Region] = relationship()
    resident: Mapped[Resident] = relationship()
    dwelling: Mapped[Dwelling] = relationship()
    entry_pass: Mapped[Pass | None] = relationship()

    @validates("visitor_phone")
    def _hash_phone(self, _key: str, phone: str) -> str:
        self.visitor_phone_hash = find_hash(phone, "phone")
        return phone
