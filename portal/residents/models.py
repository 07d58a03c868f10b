"""Residents and where they live (A3, A8).

::

    pending ──approve──► approved
       │
       └────refuse─────► refused ──register again──► pending
"""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import Date, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship, validates

from portal.core.db import Base, Moment
from portal.core.identifiers.names import name_key
from portal.core.protected import Encrypted, find_hash
from portal.regions.models import Dwelling, Region


class ResidentState(StrEnum):
    """What a worker has decided."""

    PENDING = "pending"
    APPROVED = "approved"
    REFUSED = "refused"


class Relation(StrEnum):
    """How a resident belongs to a dwelling."""

    OWNER = "owner"
    TENANT = "tenant"
    FAMILY = "family"
    EMPLOYEE = "employee"


class DocumentType(StrEnum):
    """Identity documents that are accepted."""

    RESIDENT_ID = "resident_id"
    PASSPORT = "passport"
    HONGKONG_MACAO = "hongkong_macao"
    TAIWAN = "taiwan"


def name_hash(name: str) -> str:
    """What ``residents.name_hash`` holds: the same for all ways of writing the same name."""
    return find_hash(name_key(name), "name")


class Resident(Base):
    """A person registered in a community. Name, phone and document are encrypted.

    ``name_hash`` follows the name by itself; it is ``None`` in rows of releases before it, until
    :func:`portal.residents.name_hashes.fill_name_hashes` has been there.

    ``decided_by`` is a user's id without a foreign key: it outlives the account.
    """

    __tablename__ = "residents"
    __table_args__ = (
        Index("ix_residents_queue", "community_id", "state"),
        Index("ix_residents_phone", "community_id", "phone_hash"),
        Index("ix_residents_document", "document_hash"),
        Index("ix_residents_find_phone", "phone_hash"),
        Index("ix_residents_name", "name_hash"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    community_id: Mapped[int] = mapped_column(ForeignKey("regions.id"))
    state: Mapped[str] = mapped_column(String(16), default=ResidentState.PENDING)
    name: Mapped[str] = mapped_column(Encrypted("residents.name"))
    name_hash: Mapped[str | None] = mapped_column(String(64))
    phone: Mapped[str] = mapped_column(Encrypted("residents.phone"))
    phone_hash: Mapped[str] = mapped_column(String(64))
    document_type: Mapped[str] = mapped_column(String(16))
    document_number: Mapped[str] = mapped_column(Encrypted("residents.document_number"))
    document_hash: Mapped[str] = mapped_column(String(64))
    registered_at: Mapped[datetime] = mapped_column(Moment)
    decided_at: Mapped[datetime | None] = mapped_column(Moment)
    decided_by: Mapped[int | None]
    decision_note: Mapped[str] = mapped_column(String(200), default="")

    community: Mapped[Region] = relationship()
    residencies: Mapped[list[Residency]] = relationship(back_populates="resident")

    @validates("name")
    def _hash_name(self, _key: str, name: str) -> str:
        self.name_hash = name_hash(name)
        return name

    @property
    def residency(self) -> Residency | None:
        """Where they live now."""
        return next((r for r in self.residencies if r.until is None), None)


class Residency(Base):
    """A resident lives in a dwelling from a day until a day, or still."""

    __tablename__ = "residencies"

    id: Mapped[int] = mapped_column(primary_key=True)
    resident_id: Mapped[int] = mapped_column(ForeignKey("residents.id"), index=True)
    dwelling_id: Mapped[int] = mapped_column(ForeignKey("dwellings.id"), index=True)
    relation: Mapped[str] = mapped_column(String(16))
    since: Mapped[date] = mapped_column(Date)
    until: Mapped[date | None] = mapped_column(Date)

    resident: Mapped[Resident] = relationship(back_populates="residencies")
    dwelling: Mapped[Dwelling] = relationship()
