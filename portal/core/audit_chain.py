"""The chain over the audit: sealed by a job, verified by anybody who may read.

::

    entry (appended with its act) ──seal job──► seal: seq, previous, hash ──hourly──► checkpoint (signed, in a file)

A seal's hash covers the entry as it lies in the database, its place in the chain and the hash before, so
that changing, removing or slipping in an entry breaks every later link; what is cut off at the end is missed
by the signed checkpoint. Why a job and not the transaction of the act: ADR 0001 of this room.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import delete, func, insert, select, text
from sqlalchemy.orm import Session

from portal.core import audit
from portal.core.audit import AuditEntry, AuditSeal
from portal.core.clock import utc_now
from portal.core.crypto.digest import ALGORITHM, BYTES, digest
from portal.core.permissions import SYSTEM

GENESIS: Final = "0" * (2 * BYTES)
BATCH: Final = 500
"""Entries sealed in one transaction: some 20 ms, so that a worker's scans hardly wait."""
READ_AT_ONCE: Final = 1000
WINDOW: Final = 10_000
"""How many ids behind the newest sealed one are searched for entries that were committed late."""
SWEPT: Final = timedelta(days=2)
KEPT_AT_LEAST: Final = timedelta(days=183)
"""Six months (MLPS); the database's triggers refuse to delete anything younger."""
_LOCK: Final = 0x4C494E4C  # "LINL": one sealer at a time on PostgreSQL
_PREFIX: Final = b"linli audit 1\0"


def canonical(entry: AuditEntry) -> bytes:
    """The entry as it is hashed: JSON with sorted keys, the moment in microseconds of UTC."""
    content: dict[str, Any] = {
        "id": entry.id,
        "at": entry.at.astimezone(UTC).isoformat(timespec="microseconds"),
        "user_id": entry.user_id,
        "token_id": entry.token_id,
        "actor": entry.actor,
        "action": entry.action,
        "object_type": entry.object_type,
        "object_id": entry.object_id,
        "region_path": entry.region_path,
        "result": entry.result,
        "detail": entry.detail,
    }
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()


def link(seq: int, previous: str, entry: AuditEntry, algorithm: str = ALGORITHM) -> str:
    """The hash of one link, 64 hexadecimal digits."""
    content = _PREFIX + seq.to_bytes(8, "big") + bytes.fromhex(previous) + canonical(entry)
    return digest(content, algorithm).hex()


def seal(session: Session, now: datetime, *, limit: int = BATCH, sweep: bool = False) -> int:
    """Link entries that are in no chain yet; the caller's write transaction.

    On PostgreSQL one sealer works at a time (advisory lock), others do nothing; on SQLite the write lock
    sees to it.

    Args:
        sweep: search the entries of two days instead of the newest part of the table, for what was
            committed very late. Whatever is older and unsealed was slipped in: :func:`verify` counts it.

    Returns:
        How many were sealed; ``limit`` means that more may wait.
    """
    if session.get_bind().dialect.name == "postgresql" and not session.scalar(
        text("SELECT pg_try_advisory_xact_lock(:key)"), {"key": _LOCK}
    ):
        return 0
    last = session.scalars(select(AuditSeal).order_by(AuditSeal.seq.desc()).limit(1)).first()
    seq, previous = (last.seq, last.hash) if last else (0, GENESIS)
    waiting = (
        select(AuditEntry)
        .outerjoin(AuditSeal, AuditSeal.entry_id == AuditEntry.id)
        .where(AuditSeal.seq.is_(None))
        .order_by(AuditEntry.id)
        .limit(limit)
    )
    if sweep:
        waiting = waiting.where(AuditEntry.at >= now - SWEPT)
    elif last is not None:
        newest = session.scalar(select(func.max(AuditSeal.entry_id))) or 0
        waiting = waiting.where(AuditEntry.id > newest - WINDOW)
    rows = []
    for entry in session.scalars(waiting):
        seq += 1
        hashed = link(seq, previous, entry)
        rows.append(
            {
                "seq": seq,
                "entry_id": entry.id,
                "previous": previous,
                "hash": hashed,
                "algorithm": ALGORITHM,
                "sealed_at": now,
            }
        )
        previous = hashed
    if rows:
        session.execute(insert(AuditSeal), rows)
    return len(rows)


@dataclass(frozen=True, slots=True)
class Broken:
    """Where the chain does not hold: the place, the entry it is about, and what is wrong with it."""

    seq: int
    entry_id: int | None
    reason: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a verification found. ``broken`` is the first fault; ``None`` when the chain holds."""

    sealed: int
    unsealed: int
    first_seq: int
    last_seq: int
    last_hash: str
    broken: Broken | None


def _links(session: Session) -> Iterator[tuple[AuditSeal, AuditEntry | None]]:
    after = -1
    while True:
        rows = session.execute(
            select(AuditSeal, AuditEntry)
            .outerjoin(AuditEntry, AuditEntry.id == AuditSeal.entry_id)
            .where(AuditSeal.seq > after)
            .order_by(AuditSeal.seq)
            .limit(READ_AT_ONCE)
        ).all()
        for row in rows:
            yield row[0], row[1]
        if len(rows) < READ_AT_ONCE:
            return
        after = rows[-1][0].seq


def verify(session: Session, now: datetime) -> Verdict:
    """Recompute the whole chain, a thousand links at a time.

    Entries that were written in the last minutes need not be sealed yet; older ones without a seal were
    slipped in, or the job does not run: they are counted in ``unsealed``.
    """
    count, first, previous, at_seq = 0, 0, "", 0
    broken: Broken | None = None
    anchor: tuple[int, str] | None = None
    purges: set[tuple[int, str]] = set()
    for row, entry in _links(session):
        if count == 0:
            first = row.seq
            if row.seq == 1:
                previous = GENESIS
            else:
                anchor, previous = (row.seq - 1, row.previous), row.previous
            at_seq = row.seq - 1
        count += 1
        broken = _fault(row, entry, at_seq + 1, previous)
        if broken is not None:
            break
        assert entry is not None  # noqa: S101 - _fault saw to it
        if entry.action == PURGE:
            purges.add((int(entry.detail["last_seq"]), str(entry.detail["last_hash"])))
        at_seq, previous = row.seq, row.hash
    if broken is None and anchor is not None and anchor not in purges:
        broken = Broken(anchor[0], None, "head_missing")
    late = now - timedelta(minutes=10)
    unsealed = session.scalar(
        select(func.count())
        .select_from(AuditEntry)
        .outerjoin(AuditSeal, AuditSeal.entry_id == AuditEntry.id)
        .where(AuditSeal.seq.is_(None), AuditEntry.at < late)
    )
    return Verdict(count, unsealed or 0, first, at_seq, previous, broken)


def _fault(row: AuditSeal, entry: AuditEntry | None, expected: int, previous: str) -> Broken | None:
    if row.seq != expected:
        return Broken(expected, None, "seal_missing")
    if entry is None:
        return Broken(row.seq, row.entry_id, "entry_missing")
    if row.previous != previous:
        return Broken(row.seq, row.entry_id, "link_changed")
    try:
        right = link(row.seq, previous, entry, row.algorithm)
    except ValueError:
        return Broken(row.seq, row.entry_id, "algorithm_unknown")
    if right != row.hash:
        return Broken(row.seq, row.entry_id, "entry_changed")
    return None


PURGE: Final = "audit.purge"


def purge(session: Session, now: datetime, keep: timedelta, *, limit: int = 5000) -> int:
    """Forget sealed entries older than ``keep``, from the head of the chain on, and say so in the audit.

    The entry about it holds number and hash of the last link that went, so that the shorter chain can still
    be verified from its head.

    Raises:
        ValueError: ``keep`` is shorter than six months.
    """
    if keep < KEPT_AT_LEAST:
        raise ValueError("the audit is kept for six months at least")
    limit_at = min(now, utc_now()) - keep
    rows = session.execute(
        select(
            AuditSeal.seq, AuditSeal.entry_id, AuditSeal.hash, AuditEntry.at, AuditSeal.sealed_at
        )
        .join(AuditEntry, AuditEntry.id == AuditSeal.entry_id)
        .order_by(AuditSeal.seq)
        .limit(limit)
    ).all()
    gone = []
    for row in rows:
        if row.at >= limit_at or row.sealed_at >= limit_at:
            break
        gone.append(row)
    if not gone:
        return 0
    first, last = gone[0], gone[-1]
    session.execute(
        delete(AuditEntry).where(
            AuditEntry.id.in_(
                select(AuditSeal.entry_id).where(AuditSeal.seq.between(first.seq, last.seq))
            )
        )
    )
    session.execute(delete(AuditSeal).where(AuditSeal.seq.between(first.seq, last.seq)))
    audit.record(
        session,
        SYSTEM,
        PURGE,
        ("audit", last.seq),
        first_seq=first.seq,
        last_seq=last.seq,
        last_hash=last.hash,
        entries=len(gone),
    )
    return len(gone)
