"""Gates and passages (B1, B5).

A gate is what a door lock device guards. A passage is one decision at a gate, allowed or refused,
written before any door moves::

    scan ──decide──► refused
              ├────► allowed ──unlock──► opened_at | command_reason (the lock's answer)
              └────► allowed by hand (somebody of the staff stands there; no door is asked)

A refusal that is worth a look (:mod:`portal.access.refusals`) waits until somebody has reviewed it.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import Float, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.core.db import Base, Moment
from portal.devices.models import Device
from portal.regions.models import Building, Dwelling, Region


class GateKind(StrEnum):
    """Where a gate stands."""

    COMMUNITY = "community"
    BUILDING = "building"


class Gate(Base):
    """A gate of a community, worked by one door lock device.

    A building gate opens for who lives in that building; a community gate for every valid pass.
    """

    __tablename__ = "gates"

    id: Mapped[int] = mapped_column(primary_key=True)
    community_id: Mapped[int] = mapped_column(ForeignKey("regions.id"), index=True)
    device_id: Mapped[int] = mapped_column(ForeignKey("devices.id"), unique=True)
    building_id: Mapped[int | None] = mapped_column(ForeignKey("buildings.id"))
    kind: Mapped[str] = mapped_column(String(16))
    name: Mapped[str] = mapped_column(String(80))
    pulse_ms: Mapped[int] = mapped_column(default=3000)
    enabled: Mapped[bool] = mapped_column(default=True)

    community: Mapped[Region] = relationship()
    device: Mapped[Device] = relationship()
    building: Mapped[Building | None] = relationship()


class Outcome(StrEnum):
    """What was decided."""

    ALLOW = "allow"
    REFUSE = "refuse"


class Passage(Base):
    """One decision. ``token_id`` is set for codes that may be used once per gate (replay).

    ``by_hand`` is the id of the user who let somebody in or turned them away, ``None`` when a gate read
    the code; without a foreign key, for it outlives the account.
    """

    __tablename__ = "passages"
    __table_args__ = (
        UniqueConstraint("device_id", "event_id"),
        Index("ix_passages_log", "community_id", "id"),
        Index("ix_passages_gate", "gate_id", "id"),
        Index("ix_passages_resident", "resident_id", "id"),
        Index("ix_passages_transaction", "transaction"),
        Index(
            "ix_passages_refused",
            "community_id",
            "decided_at",
            postgresql_where=text("outcome = 'refuse'"),
            sqlite_where=text("outcome = 'refuse'"),
        ),
        Index(
            "uq_passages_replay",
            "gate_id",
            "token_id",
            unique=True,
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    event_id: Mapped[str] = mapped_column(String(64))
    device_id: Mapped[int] = mapped_column(ForeignKey("devices.id"))
    gate_id: Mapped[int] = mapped_column(ForeignKey("gates.id"))
    community_id: Mapped[int] = mapped_column(ForeignKey("regions.id"))
    pass_id: Mapped[str | None] = mapped_column(String(32))
    pass_kind: Mapped[str | None] = mapped_column(String(16))
    resident_id: Mapped[int | None] = mapped_column(ForeignKey("residents.id"))
    dwelling_id: Mapped[int | None] = mapped_column(ForeignKey("dwellings.id"))
    token_id: Mapped[str | None] = mapped_column(String(32))
    direction: Mapped[str] = mapped_column(String(4))
    scanned_at: Mapped[datetime] = mapped_column(Moment)
    decided_at: Mapped[datetime] = mapped_column(Moment)
    outcome: Mapped[str] = mapped_column(String(8))
    reason: Mapped[str] = mapped_column(String(32))
    rules: Mapped[int] = mapped_column(default=1)
    offline: Mapped[bool] = mapped_column(default=False)
    body_temperature: Mapped[float | None] = mapped_column(Float)
    transaction: Mapped[str | None] = mapped_column(String(64))
    opened_at: Mapped[datetime | None] = mapped_column(Moment)
    command_reason: Mapped[str] = mapped_column(String(32), default="")
    by_hand: Mapped[int | None]

    gate: Mapped[Gate] = relationship()
    dwelling: Mapped[Dwelling | None] = relationship()


class PassageReview(Base):
    """What somebody of the staff made of a refusal, and of those like it up to ``last_passage_id``.

    ``verdict`` see :class:`portal.access.refusals.Verdict`; ``reviewed_by`` is a user's id without a
    foreign key.
    """

    __tablename__ = "passage_reviews"
    __table_args__ = (Index("ix_passage_reviews_recent", "community_id", "reviewed_at"),)

    passage_id: Mapped[int] = mapped_column(ForeignKey("passages.id"), primary_key=True)
    last_passage_id: Mapped[int]
    community_id: Mapped[int] = mapped_column(ForeignKey("regions.id"))
    verdict: Mapped[str] = mapped_column(String(16))
    note: Mapped[str] = mapped_column(String(200), default="")
    reviewed_at: Mapped[datetime] = mapped_column(Moment)
    reviewed_by: Mapped[int | None]

    passage: Mapped[Passage] = relationship()
