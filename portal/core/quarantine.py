"""Messages the worker could not accept: counted by fault, a bounded number kept for inspection."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, cast

from sqlalchemy import LargeBinary, String, Table, Text, delete, func, select
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite
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


_messages = cast(Table, QuarantinedMessage.__table__)
_faults = cast(Table, FaultCount.__table__)


@dataclass(frozen=True, slots=True)
class PutAside:
    """One bad message on its way into the table."""

    topic: str
    fault: str
    detail: str
    payload: bytes


def put(
    session: Session, *, at: datetime, topic: str, fault: str, detail: str, payload: bytes
) -> None:
    """Keep one message aside and count it; the oldest beyond ``KEEP`` is dropped."""
    put_many(session, [PutAside(topic, fault, detail, payload)], at)


def put_many(session: Session, messages: Sequence[PutAside], at: datetime) -> None:
    """Keep messages aside and count them in four statements, however many they are.

    Several processes may count at once. Text is cut, and freed of what PostgreSQL refuses (NUL).
    """
    if not messages:
        return
    connection = session.connection()
    insert = insert_sqlite if connection.dialect.name == "sqlite" else insert_postgresql
    counter = insert(_faults)
    faults = Counter(message.fault for message in messages)
    for fault, number in sorted(faults.items()):
        connection.execute(
            counter.values(fault=fault, count=number).on_conflict_do_update(
                index_elements=["fault"], set_={"count": _faults.c.count + number}
            )
        )
    connection.execute(
        _messages.insert(),
        [
            {
                "at": at,
                "topic": _plain(message.topic, 300),
                "fault": message.fault,
                "detail": _plain(message.detail, 500),
                "payload": message.payload[:PAYLOAD_BYTES],
            }
            for message in messages
        ],
    )
    newest = connection.scalar(select(func.max(_messages.c.id))) or 0
    connection.execute(delete(_messages).where(_messages.c.id <= newest - KEEP))


def _plain(text: str, most: int) -> str:
    readable = text.encode("utf-8", "replace").decode("utf-8")
    return readable.replace("\0", "\N{REPLACEMENT CHARACTER}")[:most]


def counts(session: Session) -> dict[str, int]:
    """Number of bad messages by fault, ever."""
    rows = session.execute(
        select(FaultCount.fault, FaultCount.count.label("count_")).order_by(FaultCount.fault)
    )
    return {row.fault: row.count_ for row in rows}


def kept(session: Session) -> int:
    """How many are kept for inspection now."""
    return session.scalar(select(func.count()).select_from(QuarantinedMessage)) or 0
