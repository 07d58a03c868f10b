"""From batches to the store; to the spool while the store is away; to the quarantine if refused.

Order: while anything waits in the spool, new batches go behind it. The store is tried again after a wait
that doubles up to a bound. A batch the store refuses for good is halved until the bad points stand
alone; those are put aside, the others stored.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Final

import structlog

from mqtt.contract.topics import DeviceAddress
from mqtt.ingest.metrics import IngestMetrics
from mqtt.ingest.quarantine import BadMessage, Quarantine, QuarantineError
from mqtt.ingest.spool import Spool, SpoolFullError
from mqtt.telemetry.model import STATUS_MEASURE, Point
from mqtt.telemetry.store import StoreRejected, StoreUnavailable, TelemetryStore

REFUSED: Final = "refused_by_store"
"""The fault of a point that the store rejected."""
log = structlog.get_logger("mqtt.ingest")


def _topic(point: Point) -> str:
    """Where the point came from."""
    try:
        address = DeviceAddress(point.community, point.device)
    except ValueError:
        return f"{point.community}/{point.device}/{point.measure_key}"
    if point.measure_key == STATUS_MEASURE:
        return address.status
    component, _, name = point.measure_key.partition("/")
    return address.state(component, name)


class Delivery:
    """See the module; used by one thread.

    Args:
        store, spool, quarantine, metrics: where things go.
        retry_seconds: first and longest wait before the store is tried again.
        monotonic: the clock for waits, in seconds.
    """

    def __init__(
        self,
        store: TelemetryStore,
        spool: Spool,
        quarantine: Quarantine,
        metrics: IngestMetrics,
        retry_seconds: tuple[float, float] = (0.5, 30.0),
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._spool = spool
        self._quarantine = quarantine
        self._metrics = metrics
        self._first, self._longest = retry_seconds
        self._monotonic = monotonic
        self._wait = 0.0
        self._not_before = 0.0
        self.spool_full = False
        self.stored = 0
        self.rejected = 0

    @property
    def store_up(self) -> bool:
        """Whether the store took what it was last given."""
        return not self._wait

    @property
    def backlog(self) -> bool:
        """Whether something waits in the spool."""
        return not self._spool.empty

    def pause(self) -> float:
        """Seconds until the store may be tried again; 0 now."""
        return max(0.0, self._not_before - self._monotonic()) if self._wait else 0.0

    # --- in ------------------------------------------------------------------------------------

    def deliver(self, points: Sequence[Point]) -> bool:
        """Make these safe, in the store or on the disk. False: no room anywhere, keep them."""
        if not points:
            return True
        if self._spool.empty and not self.pause() and self._write(points):
            return True
        try:
            self._spool.append(points)
        except SpoolFullError as error:
            if not self.spool_full:
                log.warning("spool_full", detail=str(error))
            self.spool_full = True
            return False
        self.spool_full = False
        return True

    def put_aside(self, messages: Sequence[BadMessage]) -> None:
        """Keep bad messages. Without room they are only counted: nobody can make them good."""
        self.rejected += len(messages)
        try:
            self._quarantine.put(messages)
        except QuarantineError as error:
            log.warning("quarantine_failed", detail=str(error), count=len(messages))

    def drain(self, seconds: float) -> None:
        """Move batches from spool to store, oldest first, for about so long."""
        deadline = self._monotonic() + seconds
        while self.backlog and not self.pause():
            points = self._oldest()
            if points is None:
                continue
            if not self._write(points):
                return
            self._spool.drop()
            self.spool_full = False
            if self._spool.empty:
                log.info("spool_drained")
            if self._monotonic() >= deadline:
                return

    def _oldest(self) -> list[Point] | None:
        """The spool's oldest batch; None when it was unreadable and has been passed over."""
        try:
            return self._spool.peek()
        except ValueError as error:
            log.warning("spooled_batch_unreadable", detail=str(error))
            self._spool.drop()
        except OSError as error:
            lost = self._spool.set_aside()
            log.warning("spool_segment_unreadable", detail=str(error), batches=lost)
        return None

    # --- the store -----------------------------------------------------------------------------

    def _write(self, points: Sequence[Point]) -> bool:
        """Whether the store is done with this batch; what it refused has been put aside."""
        began = self._monotonic()
        refused: list[tuple[Point, str]] = []
        try:
            self._halve(points, refused)
        except StoreUnavailable as error:
            self._failed(str(error))
            return False
        except Exception:
            log.exception("store_failed")  # a bug or a store gone mad: nothing may be lost by it
            self._failed("unexpected error")
            return False
        if self._wait:
            log.info("store_back")
        self._wait = 0.0
        self._count(points, refused, self._monotonic() - began)
        return True

    def _halve(self, points: Sequence[Point], refused: list[tuple[Point, str]]) -> None:
        try:
            self._store.write(points)
        except StoreRejected as error:
            if len(points) == 1:
                refused.append((points[0], str(error)))
                return
            middle = len(points) // 2
            self._halve(points[:middle], refused)
            self._halve(points[middle:], refused)

    def _failed(self, detail: str) -> None:
        if not self._wait:
            log.warning("store_away", detail=detail)
        self._wait = min(self._longest, self._wait * 2) if self._wait else self._first
        self._not_before = self._monotonic() + self._wait
        self._metrics.store_up.set(0)

    def _count(
        self, points: Sequence[Point], refused: list[tuple[Point, str]], seconds: float
    ) -> None:
        now = datetime.now(UTC)
        good = len(points) - len(refused)
        self.stored += good
        self._metrics.store_up.set(1)
        self._metrics.stored.inc(good)
        self._metrics.batch_seconds.observe(seconds)
        self._metrics.lag.set((now - min(point.at for point in points)).total_seconds())
        if refused:
            self._metrics.rejected.labels(REFUSED).inc(len(refused))
            self.put_aside(
                [
                    BadMessage.of(point.at, _topic(point), REFUSED, why, repr(point.value).encode())
                    for point, why in refused
                ]
            )
