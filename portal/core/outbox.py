"""The outbox: what has to leave, written in the transaction that decided it.

::

    pending ──publish──► published ──result──► done | failed
       │                     │
       └──── expires_at ─────┴──────────────► expired

A row is published by the worker right after the commit; rows left pending by a killed worker are
published at its next start unless they have expired. Devices act once per ``transaction``, so that
publishing twice is harmless. Core knows topics only as text made by the contract.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, cast

from sqlalchemy import (
    CursorResult,
    Index,
    LargeBinary,
    String,
    Table,
    bindparam,
    delete,
    select,
    update,
)
from sqlalchemy.orm import Mapped, Session, mapped_column

from mqtt.contract.codec import encode
from mqtt.contract.messages import Command
from mqtt.contract.topics import DeviceAddress
from portal.core.db import Base, Moment, won


class OutboxState(StrEnum):
    """Where a row is in its life."""

    PENDING = "pending"
    PUBLISHED = "published"
    DONE = "done"
    FAILED = "failed"
    EXPIRED = "expired"


class OutboxMessage(Base):
    """One command on its way to a device."""

    __tablename__ = "outbox"
    __table_args__ = (Index("ix_outbox_open", "state", "expires_at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    transaction: Mapped[str] = mapped_column(String(64), unique=True)
    community: Mapped[str] = mapped_column(String(32))
    device: Mapped[str] = mapped_column(String(32))
    name: Mapped[str] = mapped_column(String(32))
    payload: Mapped[bytes] = mapped_column(LargeBinary)
    state: Mapped[str] = mapped_column(String(16), default=OutboxState.PENDING)
    created_at: Mapped[datetime] = mapped_column(Moment)
    expires_at: Mapped[datetime] = mapped_column(Moment)
    published_at: Mapped[datetime | None] = mapped_column(Moment)
    settled_at: Mapped[datetime | None] = mapped_column(Moment)
    reason: Mapped[str] = mapped_column(String(32), default="")


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A command ready to be published: plain values, free of the database session."""

    transaction: str
    topic: str
    payload: bytes
    expires_at: datetime


def new_transaction() -> str:
    """A fresh transaction id: 32 hex digits, 128 random bits."""
    return secrets.token_hex(16)


def row_values(address: DeviceAddress, command: Command, now: datetime) -> dict[str, object]:
    """Column values of an outbox row, for bulk inserts on the hot path."""
    return {
        "transaction": command.transaction,
        "community": address.community,
        "device": address.device,
        "name": command.NAME,
        "payload": encode(command),
        "state": OutboxState.PENDING,
        "created_at": now,
        "expires_at": command.expires_at,
        "reason": "",
    }


def enqueue(session: Session, address: DeviceAddress, command: Command, now: datetime) -> Outgoing:
    """Write a command into the outbox of this transaction."""
    session.add(OutboxMessage(**row_values(address, command, now)))
    return Outgoing(
        command.transaction, address.command(command.NAME), encode(command), command.expires_at
    )


def unpublished(
    session: Session, now: datetime, limit: int = 500, *, older_than: timedelta = timedelta(0)
) -> list[Outgoing]:
    """Pending commands that have not expired, oldest first.

    Args:
        older_than: leave out younger ones: whoever wrote them is publishing them just now.
    """
    rows = session.scalars(
        select(OutboxMessage)
        .where(
            OutboxMessage.state == OutboxState.PENDING,
            OutboxMessage.expires_at > now,
            OutboxMessage.created_at <= now - older_than,
        )
        .order_by(OutboxMessage.id)
        .limit(limit)
    )
    return [as_outgoing(row) for row in rows]


def as_outgoing(row: OutboxMessage) -> Outgoing:
    """A row as plain values."""
    address = DeviceAddress(row.community, row.device)
    return Outgoing(row.transaction, address.command(row.name), row.payload, row.expires_at)


def mark_published(session: Session, transactions: Iterable[str], now: datetime) -> None:
    """The broker has taken them."""
    session.execute(
        update(OutboxMessage)
        .where(
            OutboxMessage.transaction.in_(list(transactions)),
            OutboxMessage.state == OutboxState.PENDING,
        )
        .values(state=OutboxState.PUBLISHED, published_at=now)
    )


def settle(session: Session, transaction: str, *, ok: bool, reason: str, at: datetime) -> bool:
    """Record a device's answer; only the first one counts.

    Returns:
        Whether this answer settled the command.
    """
    return won(
        session,
        update(OutboxMessage)
        .where(
            OutboxMessage.transaction == transaction,
            OutboxMessage.state.in_(
                [OutboxState.PENDING, OutboxState.PUBLISHED, OutboxState.EXPIRED]
            ),
            OutboxMessage.settled_at.is_(None),
        )
        .values(state=OutboxState.DONE if ok else OutboxState.FAILED, settled_at=at, reason=reason),
    )


@dataclass(frozen=True, slots=True)
class Settlement:
    """A device's answer to one command, and the device that gave it."""

    transaction: str
    address: DeviceAddress
    ok: bool
    reason: str
    at: datetime


_rows = cast(Table, OutboxMessage.__table__)
_SETTLE: Final = (
    update(_rows)
    .where(
        _rows.c.transaction == bindparam("tx"),
        _rows.c.community == bindparam("of_community"),
        _rows.c.device == bindparam("of_device"),
        _rows.c.settled_at.is_(None),  # pending, published or expired
    )
    .values(state=bindparam("new_state"), settled_at=bindparam("moment"), reason=bindparam("said"))
)


def settle_many(session: Session, settlements: Sequence[Settlement]) -> None:
    """Record answers in one go; a device settles its own commands only, and only once."""
    if not settlements:
        return
    session.connection().execute(
        _SETTLE,
        [
            {
                "tx": s.transaction,
                "of_community": s.address.community,
                "of_device": s.address.device,
                "new_state": str(OutboxState.DONE if s.ok else OutboxState.FAILED),
                "moment": s.at,
                "said": s.reason[:32],
            }
            for s in settlements
        ],
    )


def expire(session: Session, now: datetime) -> int:
    """Close what nobody answered in time; returns how many."""
    result = session.execute(
        update(OutboxMessage)
        .where(
            OutboxMessage.state.in_([OutboxState.PENDING, OutboxState.PUBLISHED]),
            OutboxMessage.expires_at <= now,
        )
        .values(state=OutboxState.EXPIRED)
    )
    assert isinstance(result, CursorResult)  # noqa: S101 - narrows the type for mypy
    return result.rowcount


def purge(session: Session, now: datetime, keep: timedelta = timedelta(days=30)) -> None:
    """Forget settled and expired commands after a while."""
    closed: Sequence[str] = (OutboxState.DONE, OutboxState.FAILED, OutboxState.EXPIRED)
    session.execute(
        delete(OutboxMessage).where(
            OutboxMessage.state.in_(closed), OutboxMessage.created_at < now - keep
        )
    )
