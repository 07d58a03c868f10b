"""Consent: versioned texts by purpose, and who agreed to which, when and how (S3)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from portal.core.db import Base, Moment


class ConsentText(Base):
    """One version of one purpose's text in one language."""

    __tablename__ = "consent_texts"
    __table_args__ = (UniqueConstraint("purpose", "version", "language"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    purpose: Mapped[str] = mapped_column(String(32))
    version: Mapped[int]
    language: Mapped[str] = mapped_column(String(16))
    title: Mapped[str] = mapped_column(String(120))
    body: Mapped[str] = mapped_column(Text)
    sha256: Mapped[str] = mapped_column(String(64))
    published_at: Mapped[datetime] = mapped_column(Moment)


class Consent(Base):
    """A person agreed to a text."""

    __tablename__ = "consents"
    __table_args__ = (Index("ix_consents_subject", "resident_id", "purpose"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    resident_id: Mapped[int] = mapped_column(ForeignKey("residents.id"))
    text_id: Mapped[int] = mapped_column(ForeignKey("consent_texts.id"))
    purpose: Mapped[str] = mapped_column(String(32))
    version: Mapped[int]
    channel: Mapped[str] = mapped_column(String(16))
    given_at: Mapped[datetime] = mapped_column(Moment)
    withdrawn_at: Mapped[datetime | None] = mapped_column(Moment)
