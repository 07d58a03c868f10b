"""The embedded store: one SQLite file in WAL mode, read by other processes while one writes.

Points lie in the order (hour, series, time) without a row id, so that a batch lands on few pages and
a chart reads one short run an hour; the newest value of each series stands in the series table.
(Measured against other layouts: 5 to 7 times the write rate of (series, time), last values in 2 ms.)

``synchronous=FULL``: a commit is on the disk before ``write`` returns, because the caller then
acknowledges the messages and nobody else has them. Batches make the fsync cheap.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from mqtt.telemetry.model import (
    STATUS_MEASURE,
    Bucket,
    LastValue,
    Point,
    Series,
    Window,
    from_ms,
    to_ms,
)
from mqtt.telemetry.store import (
    RAW_LIMIT,
    Advice,
    Closing,
    StoreRejected,
    StoreReport,
    StoreUnavailable,
)

SCHEMA_VERSION: Final = 1
HOUR_MS: Final = 3_600_000
BUSY_MS: Final = 5_000
"""How long a connection waits for another process's lock."""
_APPLICATION_ID: Final = 0x4C4C5431  # "LLT1"

_SCHEMA: Final = (
    """CREATE TABLE IF NOT EXISTS series (
        id INTEGER PRIMARY KEY,
        community TEXT NOT NULL,
        device TEXT NOT NULL,
        measure TEXT NOT NULL,
        last_time INTEGER NOT NULL,
        last_value REAL NOT NULL,
        UNIQUE (community, device, measure)
    )""",
    """CREATE TABLE IF NOT EXISTS point (
        hour INTEGER NOT NULL,
        series INTEGER NOT NULL,
        time INTEGER NOT NULL,
        value REAL NOT NULL,
        PRIMARY KEY (hour, series, time)
    ) WITHOUT ROWID""",
    "CREATE TABLE IF NOT EXISTS probe (id INTEGER PRIMARY KEY CHECK (id = 1), time INTEGER NOT NULL)",
)
_HOURS: Final = """WITH RECURSIVE hours(hour) AS (
    SELECT ?1 WHERE ?1 <= ?2 UNION ALL SELECT hour + 1 FROM hours WHERE hour < ?2)"""
_BUCKETS: Final = (
    _HOURS  # noqa: S608 - constants only
    + """ SELECT point.time - point.time % ?6 AS at, avg(value), min(value), max(value), count(*)
    FROM hours CROSS JOIN point ON point.hour = hours.hour AND point.series = ?3
    WHERE point.time >= ?4 AND point.time < ?5 GROUP BY at ORDER BY at"""
)
_RAW: Final = (
    _HOURS  # noqa: S608 - constants only
    + """ SELECT point.time, value
    FROM hours CROSS JOIN point ON point.hour = hours.hour AND point.series = ?3
    WHERE point.time >= ?4 AND point.time < ?5 ORDER BY point.time LIMIT ?6"""
)
_DAMAGED: Final = {sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT}


class _NewerSchemaError(sqlite3.DatabaseError):
    """The file was written by a later release."""


def _primary(error: sqlite3.Error) -> int:
    """SQLite's primary result code; the extended ones carry it in the low byte."""
    return getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF


def _advice(error: sqlite3.Error) -> Advice:
    if isinstance(error, _NewerSchemaError):
        return Advice.NEWER_SCHEMA
    code = _primary(error)
    if code in _DAMAGED:
        return Advice.DAMAGED
    if code == sqlite3.SQLITE_FULL:
        return Advice.DISK_FULL
    if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH):
        return Advice.READ_ONLY
    if code == sqlite3.SQLITE_CANTOPEN:
        return Advice.UNREACHABLE
    return Advice.FAILED


class EmbeddedStore(Closing):
    """See ``TelemetryStore``. The file is made at first use; its folder must exist or be creatable.

    Args:
        path: the database file.
        max_bytes: refuse to grow beyond this (``StoreUnavailable``); 0 means the disk's own end.
    """

    def __init__(self, path: Path, *, max_bytes: int = 0) -> None:
        self.path = path
        self._max_bytes = max_bytes
        self._lock = threading.RLock()
        self._connection: sqlite3.Connection | None = None
        self._owner = 0
        self._ids: dict[tuple[str, str, str], int] = {}

    # --- the connection ------------------------------------------------------------------------

    def _open(self) -> sqlite3.Connection:
        """The connection of this process; a forked child opens its own."""
        if self._connection is not None and self._owner == os.getpid():
            return self._connection
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreUnavailable(f"telemetry store: {error.strerror}") from error
        connection = sqlite3.connect(
            self.path, isolation_level=None, check_same_thread=False, timeout=BUSY_MS / 1000
        )
        try:
            self._prepare(connection)
        except sqlite3.Error:
            connection.close()
            raise
        self._connection, self._owner = connection, os.getpid()
        self._ids = {}
        return connection

    def _prepare(self, connection: sqlite3.Connection) -> None:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version > SCHEMA_VERSION:
            raise _NewerSchemaError(f"the file has schema {version}, this release {SCHEMA_VERSION}")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA cache_size = -32768")
        if self._max_bytes:
            (page,) = connection.execute("PRAGMA page_size").fetchone()
            connection.execute(f"PRAGMA max_page_count = {max(1, self._max_bytes // page)}")
        if version < SCHEMA_VERSION:
            connection.execute("BEGIN IMMEDIATE")
            for statement in _SCHEMA:
                connection.execute(statement)
            connection.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
            connection.execute("COMMIT")

    @contextlib.contextmanager
    def _use(self) -> Iterator[sqlite3.Connection]:
        """The connection, one thread at a time, with SQLite's errors told apart."""
        with self._lock:
            try:
                yield self._open()
            except (sqlite3.IntegrityError, sqlite3.DataError, OverflowError) as error:
                raise StoreRejected(f"telemetry store: {error}") from error
            except sqlite3.Error as error:
                if _primary(error) in (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN):
                    self.close()  # the file may have been replaced: start afresh next time
                raise StoreUnavailable(f"telemetry store: {error}") from error

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._use() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                self._ids = {}  # ids handed out here are undone
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise

    def close(self) -> None:
        """See ``TelemetryStore``."""
        with self._lock:
            if self._connection is not None and self._owner == os.getpid():
                with contextlib.suppress(sqlite3.Error):
                    self._connection.close()
            self._connection = None

    # --- writing -------------------------------------------------------------------------------

    def write(self, points: Sequence[Point]) -> None:
        """See ``TelemetryStore``; the whole batch or nothing. A point written again with another
        value replaces the first."""
        if not points:
            return
        with self._transaction() as connection:
            rows = []
            newest: dict[int, tuple[int, float]] = {}
            for point in points:
                time = to_ms(point.at)
                value = float(point.value)
                series = self._series_id(connection, point, time, value)
                rows.append((time // HOUR_MS, series, time, value))
                if series not in newest or newest[series][0] <= time:
                    newest[series] = (time, value)
            connection.executemany("INSERT OR REPLACE INTO point VALUES (?, ?, ?, ?)", rows)
            connection.executemany(
                "UPDATE series SET last_time = ?1, last_value = ?2 WHERE id = ?3 AND last_time <= ?1",
                [(time, value, series) for series, (time, value) in newest.items()],
            )

    def _series_id(
        self, connection: sqlite3.Connection, point: Point, time: int, value: float
    ) -> int:
        key = (point.community, point.device, point.measure_key)
        known = self._ids.get(key)
        if known is not None:
            return known
        try:
            series = point.series
        except ValueError as error:
            raise StoreRejected(str(error)) from error
        connection.execute(
            "INSERT INTO series (community, device, measure, last_time, last_value)"
            " VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
            (*key, time, value),
        )
        found = self._find(connection, series)
        if found is None:
            raise StoreUnavailable("telemetry store: a series vanished")
        self._ids[key] = found
        return found

    def prune(self, before: datetime) -> int:
        """Forget whole hours older than ``before``, one transaction an hour so that writers get in
        between. Freed pages are used again; the last values stay."""
        limit = to_ms(before) // HOUR_MS
        gone = 0
        while True:
            with self._transaction() as connection:
                (hour,) = connection.execute("SELECT min(hour) FROM point").fetchone()
                if hour is None or hour >= limit:
                    return gone
                gone += connection.execute("DELETE FROM point WHERE hour = ?", (hour,)).rowcount

    # --- reading -------------------------------------------------------------------------------

    @staticmethod
    def _find(connection: sqlite3.Connection, series: Series) -> int | None:
        row = connection.execute(
            "SELECT id FROM series WHERE community = ? AND device = ? AND measure = ?",
            (series.community, series.device, series.measure_key),
        ).fetchone()
        return None if row is None else int(row[0])

    @staticmethod
    def _hours(connection: sqlite3.Connection, start: int, end: int) -> tuple[int, int]:
        """The hours of ``[start, end)`` that hold data; an empty span when there are none."""
        first, last = connection.execute(
            "SELECT (SELECT min(hour) FROM point), (SELECT max(hour) FROM point)"
        ).fetchone()
        if first is None or end <= start:
            return 0, -1
        return max(first, start // HOUR_MS), min(last, (end - 1) // HOUR_MS)

    def query(
        self,
        community: str,
        device: str,
        measure: str,
        start: datetime,
        end: datetime,
        step: timedelta,
    ) -> list[Bucket]:
        """See ``TelemetryStore``."""
        window = Window.covering(start, end, step)
        wanted = Series(community, device, measure)
        with self._use() as connection:
            series = self._find(connection, wanted)
            if series is None:
                return []
            hours = self._hours(connection, window.start, window.end)
            rows = connection.execute(
                _BUCKETS, (*hours, series, window.start, window.end, window.step)
            ).fetchall()
        return [Bucket(from_ms(at), mean, low, high, n) for at, mean, low, high, n in rows]

    def raw(
        self,
        community: str,
        device: str,
        measure: str,
        start: datetime,
        end: datetime,
        limit: int = RAW_LIMIT,
    ) -> list[Point]:
        """See ``TelemetryStore``."""
        span = to_ms(start), to_ms(end)
        wanted = Series(community, device, measure)
        with self._use() as connection:
            series = self._find(connection, wanted)
            if series is None:
                return []
            hours = self._hours(connection, *span)
            rows = connection.execute(_RAW, (*hours, series, *span, max(0, limit))).fetchall()
        return [Point(community, device, measure, from_ms(time), value) for time, value in rows]

    def last(self, community: str, device: str) -> dict[str, LastValue]:
        """See ``TelemetryStore``."""
        Series(community, device, STATUS_MEASURE)
        with self._use() as connection:
            rows = connection.execute(
                "SELECT measure, last_time, last_value FROM series"
                " WHERE community = ? AND device = ? ORDER BY measure",
                (community, device),
            ).fetchall()
        return {measure: LastValue(from_ms(time), value) for measure, time, value in rows}

    def check(self) -> StoreReport:
        """See ``TelemetryStore``; the probe is one row that is replaced."""
        name, version = "sqlite", sqlite3.sqlite_version
        try:
            with self._use() as connection:
                connection.execute("SELECT count(*) FROM (SELECT 1 FROM point LIMIT 1)").fetchone()
        except (StoreUnavailable, StoreRejected) as error:
            return StoreReport(name, version, False, False, self._explain(error), str(error))
        try:
            with self._transaction() as connection:
                connection.execute("INSERT OR REPLACE INTO probe VALUES (1, unixepoch() * 1000)")
        except (StoreUnavailable, StoreRejected) as error:
            return StoreReport(name, version, False, True, self._explain(error), str(error))
        return StoreReport(name, version, True, True)

    @staticmethod
    def _explain(error: Exception) -> Advice:
        cause = error.__cause__
        return _advice(cause) if isinstance(cause, sqlite3.Error) else Advice.UNREACHABLE
