"""Vehicles that residents register (B6).

::

               ┌────undo, within UNDO_WINDOW────┐
               ▼                                │
    pending ──┬──verify──► verified ────────────┤
              ├──refuse──► refused ─────────────┘
              │               │
              └──remove──► removed ◄──remove── verified, refused

A verified vehicle whose resident has moved away counts for nothing; it is removed when its plate is
verified for another dwelling. Of one community, a plate is verified for one dwelling at most: the partial index holds that even when
two decide at once.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.core.db import Base, Moment
from portal.core.identifiers.plate import PlateClass
from portal.core.protected import Encrypted
from portal.regions.models import Dwelling, Region
from portal.residents.models import Resident


class VehicleState(StrEnum):
    """Where a registration is."""

    PENDING = "pending"
    VERIFIED = "verified"
    REFUSED = "refused"
    REMOVED = "removed"


class VehicleKind(StrEnum):
    """What it is."""

    CAR = "car"
    VAN = "van"
    LORRY = "lorry"
    MOTORCYCLE = "motorcycle"
    OTHER = "other"


class Belongs(StrEnum):
    """Whose it is: of the resident who registers it, or of somebody else in the household."""

    OWN = "own"
    HOUSEHOLD = "household"


class Vehicle(Base):
    """A vehicle of a dwelling. The plate is encrypted and found by its keyed hash.

    ``plate_class`` is a :class:`~portal.core.identifiers.plate.PlateClass`; ``decided_by`` is a user's id
    without a foreign key: it outlives the account.
    """

    __tablename__ = "vehicles"
    __table_args__ = (
        Index("ix_vehicles_queue", "community_id", "state"),
        Index("ix_vehicles_plate", "plate_hash"),
        Index(
            "uq_vehicles_verified",
            "community_id",
            "plate_hash",
            unique=True,
            sqlite_where=text("state = 'verified'"),
            postgresql_where=text("state = 'verified'"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    community_id: Mapped[int] = mapped_column(ForeignKey("regions.id"))
    dwelling_id: Mapped[int] = mapped_column(ForeignKey("dwellings.id"), index=True)
    resident_id: Mapped[int] = mapped_column(ForeignKey("residents.id"), index=True)
    plate: Mapped[str] = mapped_column(Encrypted("vehicles.plate"))
    plate_hash: Mapped[str] = mapped_column(String(64))
    plate_class: Mapped[str] = mapped_column(String(16))
    kind: Mapped[str] = mapped_column(String(16))
    brand: Mapped[str] = mapped_column(String(30), default="")
    colour: Mapped[str] = mapped_column(String(16), default="")
    belongs: Mapped[str] = mapped_column(String(16))
    state: Mapped[str] = mapped_column(String(16), default=VehicleState.PENDING)
    registered_at: Mapped[datetime] = mapped_column(Moment)
    decided_at: Mapped[datetime | None] = mapped_column(Moment)
    decided_by: Mapped[int | None]
    decision_note: Mapped[str] = mapped_column(String(200), default="")
    removed_at: Mapped[datetime | None] = mapped_column(Moment)

    community: Mapped[Region] = relationship()
    dwelling: Mapped[Dwelling] = relationship()
    resident: Mapped[Resident] = relationship()

    @property
    def by_hand_only(self) -> bool:
        """Whether no barrier may ever open for it by itself: military, armed police, emergency (GA 36)."""
        return self.plate_class == PlateClass.MANUAL
