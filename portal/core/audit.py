"""Who did what, when, to which object, with which result. Ids and codes only, never personal data.

Entries are appended in the transaction of the act itself and never touched again; the database refuses it
(triggers, see migration 0010). A job seals them afterwards into a chain of hashes, see
:mod:`portal.core.audit_chain` and ADR 0001 of this room.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, Index, String
from sqlalchemy.orm import Mapped, Session, mapped_column

from portal.core.clock import utc_now
from portal.core.db import Base, Moment
from portal.core.permissions import Actor


class AuditEntry(Base):
    """One act. Appended, never changed."""

    __tablename__ = "audit_entries"
    __table_args__ = (
        Index("ix_audit_object", "object_type", "object_id"),
        Index("ix_audit_action", "action", "id"),
        Index("ix_audit_user", "user_id", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(Moment, index=True)
    user_id: Mapped[int | None]
    token_id: Mapped[int | None]
    actor: Mapped[str] = mapped_column(String(80))
    action: Mapped[str] = mapped_column(String(64))
    object_type: Mapped[str] = mapped_column(String(32))
    object_id: Mapped[str] = mapped_column(String(64))
    region_path: Mapped[str] = mapped_column(String(120), default="")
    result: Mapped[str] = mapped_column(String(16), default="ok")
    detail: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)


class AuditSeal(Base):
    """The link of one entry in the chain: ``hash`` is over the entry and the hash of the seal before."""

    __tablename__ = "audit_seals"

    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    entry_id: Mapped[int] = mapped_column(unique=True)
    previous: Mapped[str] = mapped_column(String(64))
    hash: Mapped[str] = mapped_column(String(64))
    algorithm: Mapped[str] = mapped_column(String(16))
    sealed_at: Mapped[datetime] = mapped_column(Moment)


def record(
    session: Session,
    actor: Actor,
    action: str,
    target: tuple[str, object],
    *,
    path: str = "",
    result: str = "ok",
    **detail: Any,
) -> None:
    """Write an entry in the transaction of the act itself.

    Args:
        action: ``resource.verb``, such as ``resident.approve``.
        target: kind and id of the object.
        path: region path, for who may read the entry.
        result: ``ok``, or why it was refused.
        detail: codes and counts; never names, numbers or addresses.
    """
    session.add(
        AuditEntry(
            at=utc_now(),
            user_id=actor.user_id,
            token_id=actor.token_id,
            actor=actor.label,
            action=action,
            object_type=target[0],
            object_id=str(target[1]),
            region_path=path,
            result=result,
            detail=detail,
        )
    )
