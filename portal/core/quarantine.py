"""Messages the worker could not accept: counted by fault, a bounded number kept for inspection."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from sqlalchemy import LargeBinary, String, Text, delete, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from portal.core.db import Base, Moment

KEEP: Final = 10_000
PAYLOAD_BYTES: Final = 4096
"""How much of a payload is kept."""


class QuarantinedMessage(Base):
    """One bad message."""

    __tablename__ = "quarantined_messages"

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(Moment)
    topic: Mapped[str] = mapped_column(Text)
    fault: Mapped[str] = mapped_column(String(32), index=True)
    detail: Mapped[str] = mapped_column(Text)
    payload: Mapped[bytes] = mapped_column(LargeBinary)


class FaultCount(Base):
    """How often each fault has been seen since the installation began."""

    __tablename__ = "fault_counts"

    fault: Mapped[str] = mapped_column(String(32), primary_key=True)
    count: Mapped[int] = mapped_column(default=0)


def put(
    session: Session, *, at: datetime, topic: str, fault: str, detail: str, payload: bytes
) -> None:
    """Keep one message aside and count it; the oldest beyond ``KEEP`` is dropped."""
    counter = session.get(FaultCount, fault)
    if counter is None:
        session.add(FaultCount(fault=fault, count=1))
    else:
        counter.count = FaultCount.count + 1
    row = QuarantinedMessage(
        at=at,
        topic=topic[:300],
        fault=fault,
        detail=detail[:500],
        payload=payload[:PAYLOAD_BYTES],
    )
    session.add(row)
    session.flush()
    session.execute(delete(QuarantinedMessage).where(QuarantinedMessage.id <= row.id - KEEP))


def counts(session: Session) -> dict[str, int]:
    """Number of bad messages by fault, ever."""
    rows = session.execute(
        select(FaultCount.fault, FaultCount.count.label("count_")).order_by(FaultCount.fault)
    )
    return {row.fault: row.count_ for row in rows}


def kept(session: Session) -> int:
    """How many are kept for inspection now."""
    return session.scalar(select(func.count()).select_from(QuarantinedMessage)) or 0
