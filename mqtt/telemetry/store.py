"""The one interface of every telemetry store, and how a store is opened by its URL."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from types import TracebackType
from typing import Protocol, Self

from mqtt.telemetry.model import Bucket, LastValue, Point

RAW_LIMIT = 10_000
"""How many points ``raw`` returns unless told otherwise."""


class StoreUnavailable(Exception):  # noqa: N818 - named by what the caller does about it
    """The store cannot take or give data now (away, busy, full, not allowed). Try again later."""


class StoreRejected(Exception):  # noqa: N818
    """The store will never take this batch. Trying again is of no use.

    Some of the batch may have been stored: InfluxDB keeps the good lines of a batch it rejects.
    """


class Advice(StrEnum):
    """What a person should do about a store; the sentence is written where it is shown."""

    OK = "ok"
    UNREACHABLE = "unreachable"
    """Nothing answers: is it running, are host and port right?"""
    UNAUTHORISED = "unauthorised"
    """It refuses the credentials of the URL."""
    MISSING_DATABASE = "missing_database"
    """The database, bucket or organisation of the URL does not exist: create it."""
    READ_ONLY = "read_only"
    """It can be read but not written."""
    DISK_FULL = "disk_full"
    """No room left: free space or shorten the retention."""
    DAMAGED = "damaged"
    """The file is not a telemetry store or is corrupt: restore a backup."""
    NEWER_SCHEMA = "newer_schema"
    """The file was written by a later release: upgrade."""
    NO_DEDUPLICATION = "no_deduplication"
    """VictoriaMetrics runs without ``-dedup.minScrapeInterval=1ms``: repeated writes count twice."""
    FAILED = "failed"
    """It answers, but not as it should: look at its log."""


@dataclass(frozen=True, slots=True)
class StoreReport:
    """The state of a store. ``detail`` never holds a secret."""

    name: str
    version: str
    writable: bool
    readable: bool
    advice: Advice = Advice.OK
    detail: str = ""

    @property
    def ok(self) -> bool:
        """Whether it can be used and nothing needs doing."""
        return self.writable and self.readable and self.advice is Advice.OK


class TelemetryStore(Protocol):
    """Points in, charts out. One object may be used by several threads.

    Every method raises ``StoreUnavailable`` when the store cannot be used now, and ``ValueError`` for
    arguments that make no sense (invalid keys, a time without zone).
    """

    def write(self, points: Sequence[Point]) -> None:
        """Store a batch; it is durable when this returns. Writing it again changes nothing.

        The embedded store takes a batch whole or not at all. For the others a failure may leave a
        part of it behind, which a repetition completes.

        Raises:
            StoreUnavailable: try the same batch again later.
            StoreRejected: never try it again.
        """

    def query(
        self,
        community: str,
        device: str,
        measure: str,
        start: datetime,
        end: datetime,
        step: timedelta,
    ) -> list[Bucket]:
        """Means, extremes and counts in buckets of ``step``, oldest first, empty buckets left out.

        Buckets begin at multiples of ``step`` since 1970 UTC; every bucket that touches
        ``[start, end)`` is returned whole.
        """

    def raw(
        self,
        community: str,
        device: str,
        measure: str,
        start: datetime,
        end: datetime,
        limit: int = RAW_LIMIT,
    ) -> list[Point]:
        """The points in ``[start, end)``, oldest first, at most ``limit`` of them."""

    def last(self, community: str, device: str) -> dict[str, LastValue]:
        """The newest value of each of a device's measures, by measure key."""

    def prune(self, before: datetime) -> int:
        """Forget points older than this; returns how many went.

        A server keeps its own retention policy; there this does nothing and returns 0.
        """

    def check(self) -> StoreReport:
        """Try reading and writing (one point in a series of its own). Never raises."""

    def close(self) -> None:
        """Let go of connections and files. Doing it twice is harmless."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


class Closing:
    """``with`` for a store: closes it at the end."""

    def close(self) -> None:
        """Overridden by the store."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
