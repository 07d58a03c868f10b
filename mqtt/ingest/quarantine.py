"""Bad messages, kept aside for a person to look at: one bounded SQLite file, mode 0600.

A message is bad for ever, so it is acknowledged once it is in here. Counts by fault outlive the rows
they counted. Several processes may put and read at the same time. No personal data comes this way:
ingest looks at telemetry only, and events are the worker's.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from mqtt.telemetry.model import from_ms, to_ms

PAYLOAD_BYTES: Final = 4096
"""More of a payload than this is not kept."""
TOPIC_LENGTH: Final = 512
DETAIL_LENGTH: Final = 500
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS message (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    topic TEXT NOT NULL,
    fault TEXT NOT NULL,
    detail TEXT NOT NULL,
    size INTEGER NOT NULL,
    payload BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS total (fault TEXT PRIMARY KEY, count INTEGER NOT NULL) WITHOUT ROWID;
"""


class QuarantineError(Exception):
    """The file cannot be read or written now."""


@dataclass(frozen=True, slots=True)
class BadMessage:
    """A message put aside. ``payload`` holds at most ``PAYLOAD_BYTES`` of its ``size`` bytes."""

    at: datetime
    topic: str
    fault: str
    detail: str
    payload: bytes
    size: int

    @classmethod
    def of(cls, at: datetime, topic: str, fault: str, detail: str, payload: bytes) -> BadMessage:
        """A message cut to what is kept."""
        return cls(
            at,
            _clean(topic, TOPIC_LENGTH),
            _clean(fault, 64),
            _clean(detail, DETAIL_LENGTH),
            bytes(payload[:PAYLOAD_BYTES]),
            len(payload),
        )


def _clean(text: str, length: int) -> str:
    """Text that SQLite takes: no lone surrogates."""
    return text[:length].encode("utf-8", "replace").decode("utf-8")


class Quarantine:
    """See the module. The file is made by the first ``put``; reading a missing file finds nothing.

    Args:
        path: the database file.
        max_rows: how many messages are kept; the oldest go first.
    """

    def __init__(self, path: Path, max_rows: int = 10_000) -> None:
        self.path = path
        self._max_rows = max_rows
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None

    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            os.close(os.open(self.path, os.O_CREAT | os.O_RDWR, 0o600))
            connection = sqlite3.connect(
                self.path, isolation_level=None, check_same_thread=False, timeout=5
            )
            try:
                connection.execute("PRAGMA journal_mode = WAL")
                connection.execute("PRAGMA synchronous = FULL")
                connection.executescript(_SCHEMA)
            except sqlite3.Error:
                connection.close()
                raise
            self._connection = connection
        return self._connection

    @contextlib.contextmanager
    def _use(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            try:
                yield self._open()
            except (sqlite3.Error, OSError) as error:
                raise QuarantineError(f"quarantine: {error}") from error

    def put(self, messages: Sequence[BadMessage]) -> None:
        """Keep these, count them, and let the oldest beyond ``max_rows`` go. All or nothing.

        Raises:
            QuarantineError: the file cannot be written.
        """
        if not messages:
            return
        with self._use() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                connection.executemany(
                    "INSERT INTO message (at, topic, fault, detail, size, payload)"
                    " VALUES (?, ?, ?, ?, ?, ?)",
                    [
                        (to_ms(bad.at), bad.topic, bad.fault, bad.detail, bad.size, bad.payload)
                        for bad in messages[-self._max_rows :]
                    ],
                )
                connection.executemany(
                    "INSERT INTO total VALUES (?, 1) ON CONFLICT DO UPDATE SET count = count + 1",
                    [(bad.fault,) for bad in messages],
                )
                connection.execute(
                    "DELETE FROM message WHERE id <= (SELECT max(id) FROM message) - ?",
                    (self._max_rows,),
                )
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise

    def count_by_fault(self) -> dict[str, int]:
        """How many messages were ever put aside, by fault. Raises ``QuarantineError``."""
        if not self.path.exists():
            return {}
        with self._use() as connection:
            rows = connection.execute("SELECT fault, count FROM total ORDER BY fault").fetchall()
        return dict(rows)

    def list(self, limit: int = 100, fault: str | None = None) -> list[BadMessage]:
        """The newest first, of one fault if given. Raises ``QuarantineError``."""
        if not self.path.exists():
            return []
        with self._use() as connection:
            rows = connection.execute(
                "SELECT at, topic, fault, detail, payload, size FROM message"
                " WHERE ?1 IS NULL OR fault = ?1 ORDER BY id DESC LIMIT ?2",
                (fault, max(0, limit)),
            ).fetchall()
        return [BadMessage(from_ms(at), *rest) for at, *rest in rows]

    def clear(self) -> None:
        """Forget all messages and counts: a person has looked. Raises ``QuarantineError``."""
        if not self.path.exists():
            return
        with self._use() as connection:
            connection.executescript("BEGIN; DELETE FROM message; DELETE FROM total; COMMIT;")

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None
