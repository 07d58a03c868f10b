"""Notices (D2) and who has seen them (D3).

::

    draft ──release──► scheduled ──publish_at passes──► published ──expires_at passes──► expired
      │                    │                                │
      └──discard──► gone   └─────────── withdraw ───────────┴──► withdrawn

Stored are ``draft``, ``released`` and ``withdrawn``; "scheduled", "published" and "expired" are read off
the clock, so that nothing has to happen at that moment and no restart can miss it.

A receipt, one a person and notice, is written when the notice first stands on a list that the person
opened, never at publication::

    (none) ──stood on a list──► delivered ──opened──► read ──"I have read and understood"──► confirmed

Read and confirmed name the ``revision`` of the text that it was. A change of the text that asks anew
raises ``asks_revision``; what lies below it does not count any more.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.core.db import Base, Moment
from portal.regions.models import Building, Region, Unit


class NoticeState(StrEnum):
    """What is stored; see :func:`portal.notices.queries.shown_state` for what people see."""

    DRAFT = "draft"
    RELEASED = "released"
    WITHDRAWN = "withdrawn"


class Priority(StrEnum):
    """How much it hurries."""

    NORMAL = "normal"
    URGENT = "urgent"


class FileKind(StrEnum):
    """What may be attached."""

    IMAGE = "image"
    PDF = "pdf"


class Notice(Base):
    """One notice. ``relation`` is a :class:`portal.residents.models.Relation` or empty for everybody.

    ``narrowed``: only the places in ``places`` are addressed, not the whole region. ``version`` counts
    every save (of two who save at once the second is told), ``revision`` the texts that readers know.
    ``reached`` and ``households`` are those of the moment of release, for lists; pages of one notice
    count anew. ``created_by`` and ``withdrawn_by`` are users' ids without a foreign key.
    """

    __tablename__ = "notices"
    __table_args__ = (
        Index("ix_notices_place", "region_id", "state", "publish_at"),
        Index("ix_notices_confirm", "state", "confirm_by"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    region_id: Mapped[int] = mapped_column(ForeignKey("regions.id"))
    narrowed: Mapped[bool] = mapped_column(default=False)
    relation: Mapped[str] = mapped_column(String(16), default="")
    public: Mapped[bool] = mapped_column(default=False)
    title: Mapped[str] = mapped_column(String(120))
    body: Mapped[str] = mapped_column(Text)
    priority: Mapped[str] = mapped_column(String(16), default=Priority.NORMAL)
    pinned: Mapped[bool] = mapped_column(default=False)
    confirm: Mapped[bool] = mapped_column(default=False)
    confirm_by: Mapped[datetime | None] = mapped_column(Moment)
    state: Mapped[str] = mapped_column(String(16), default=NoticeState.DRAFT)
    publish_at: Mapped[datetime | None] = mapped_column(Moment)
    expires_at: Mapped[datetime | None] = mapped_column(Moment)
    version: Mapped[int] = mapped_column(default=1)
    revision: Mapped[int] = mapped_column(default=1)
    asks_revision: Mapped[int] = mapped_column(default=1)
    reached: Mapped[int] = mapped_column(default=0)
    households: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(Moment)
    created_by: Mapped[int | None]
    changed_at: Mapped[datetime | None] = mapped_column(Moment)
    reminded_at: Mapped[datetime | None] = mapped_column(Moment)
    reminders: Mapped[int] = mapped_column(default=0)
    chase_ended_at: Mapped[datetime | None] = mapped_column(Moment)
    withdrawn_at: Mapped[datetime | None] = mapped_column(Moment)
    withdrawn_by: Mapped[int | None]
    withdrawn_reason: Mapped[str] = mapped_column(String(200), default="")

    region: Mapped[Region] = relationship()
    places: Mapped[list[NoticePlace]] = relationship(
        cascade="all, delete-orphan", order_by="NoticePlace.id"
    )
    files: Mapped[list[NoticeFile]] = relationship(
        cascade="all, delete-orphan", order_by="NoticeFile.id"
    )


class NoticePlace(Base):
    """A building, or a unit of one, that a narrowed notice goes to."""

    __tablename__ = "notice_places"

    id: Mapped[int] = mapped_column(primary_key=True)
    notice_id: Mapped[int] = mapped_column(ForeignKey("notices.id"), index=True)
    building_id: Mapped[int | None] = mapped_column(ForeignKey("buildings.id"), index=True)
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("units.id"), index=True)

    building: Mapped[Building | None] = relationship()
    unit: Mapped[Unit | None] = relationship()


class NoticeRevision(Base):
    """A text that readers could see; appended, never changed. ``by`` is a user's id."""

    __tablename__ = "notice_revisions"
    __table_args__ = (UniqueConstraint("notice_id", "number"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    notice_id: Mapped[int] = mapped_column(ForeignKey("notices.id"))
    number: Mapped[int]
    title: Mapped[str] = mapped_column(String(120))
    body: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(Moment)
    by: Mapped[int | None]


class NoticeFile(Base):
    """An attachment. Its content lies sealed in the data folder under the random ``key``."""

    __tablename__ = "notice_files"

    id: Mapped[int] = mapped_column(primary_key=True)
    notice_id: Mapped[int] = mapped_column(ForeignKey("notices.id"), index=True)
    kind: Mapped[str] = mapped_column(String(8))
    name: Mapped[str] = mapped_column(String(80))
    key: Mapped[str] = mapped_column(String(32), unique=True)
    size: Mapped[int]
    width: Mapped[int | None]
    height: Mapped[int | None]
    added_at: Mapped[datetime] = mapped_column(Moment)


class NoticeReceipt(Base):
    """How far a notice has come with one person."""

    __tablename__ = "notice_receipts"
    __table_args__ = (
        Index("ix_notice_receipts_read", "notice_id", "read_revision"),
        Index("ix_notice_receipts_confirmed", "notice_id", "confirmed_revision"),
        Index("ix_notice_receipts_resident", "resident_id"),
    )

    notice_id: Mapped[int] = mapped_column(ForeignKey("notices.id"), primary_key=True)
    resident_id: Mapped[int] = mapped_column(ForeignKey("residents.id"), primary_key=True)
    delivered_at: Mapped[datetime] = mapped_column(Moment)
    read_at: Mapped[datetime | None] = mapped_column(Moment)
    read_revision: Mapped[int | None]
    confirmed_at: Mapped[datetime | None] = mapped_column(Moment)
    confirmed_revision: Mapped[int | None]
