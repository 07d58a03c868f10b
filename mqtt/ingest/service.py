"""The ingest process: one thread receives (``intake``), one delivers (``delivery``).

    broker ──► intake ──► inbox ──► batch ──► store ──► acknowledge
                                      │ store away
                                      └─────► spool ──► acknowledge, store later

Bounds: the broker sends at most ``receive_maximum`` QoS 1 messages ahead of the acknowledgement
(mosquitto 2.0.11 was seen to send more; packet ids end at 65,535), QoS 0 messages wait up to a fixed number and are dropped (counted) beyond it, the spool has a size. With the
spool full nothing is acknowledged any more and messages wait at the broker.

An event or command on its way to somebody else also comes by here, as the subscription is for the
whole tree: unknown topics are to be counted. It is ignored unread.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from queue import Empty
from types import FrameType
from typing import Final

import structlog
from prometheus_client import CollectorRegistry

from mqtt.ingest.delivery import Delivery
from mqtt.ingest.health import PERIOD_SECONDS, Health, write_health
from mqtt.ingest.intake import Arrived, Intake
from mqtt.ingest.metrics import IngestMetrics, MetricsServer
from mqtt.ingest.quarantine import Quarantine
from mqtt.ingest.settings import IngestSettings
from mqtt.ingest.spool import Spool
from mqtt.telemetry import StoreUnavailable, TelemetryStore, open_store

POLL_SECONDS: Final = 0.25
"""How soon a stop is noticed when nothing arrives."""
IDLE_SECONDS: Final = 0.01
"""A batch is closed when nothing more has come for this long: it may be all the broker's own window
allows, which would make waiting for a full batch slow."""
DRAIN_SECONDS: Final = 0.2
"""How long the spool is drained before new messages are looked at."""
PRUNE_SECONDS: Final = 3600.0
log = structlog.get_logger("mqtt.ingest")


class IngestService:
    """See the module. Owns spool, quarantine and connection; the store is the caller's.

    Args:
        settings: everything else.
        store: where points go.
        registry: where metrics are registered; one service a registry.

    Raises:
        SpoolLockedError: another ingest uses the same data folder.
        OSError: the data folder cannot be used.
    """

    def __init__(
        self,
        settings: IngestSettings,
        store: TelemetryStore,
        registry: CollectorRegistry | None = None,
    ) -> None:
        self._settings = settings
        self._store = store
        self._registry = registry or CollectorRegistry()
        self.metrics = IngestMetrics(self._registry)
        self.spool = Spool(settings.spool_dir, settings.spool_max_bytes)
        self.quarantine = Quarantine(settings.quarantine_path, settings.quarantine_rows)
        self.delivery = Delivery(
            store, self.spool, self.quarantine, self.metrics, settings.retry_seconds
        )
        self.intake = Intake(
            settings.broker,
            settings.receive_maximum,
            self.metrics,
            stalled=lambda: self.delivery.spool_full,
        )
        self.metrics_port: int | None = None
        self._next_health = 0.0
        self._next_prune = 0.0

    # --- running -------------------------------------------------------------------------------

    def run_forever(self, stop: threading.Event) -> None:
        """Work until ``stop`` is set, then store what has arrived and disconnect.

        Neither a missing broker nor a missing store ends it. Call it once.
        """
        recovery = self.spool.recovery
        log.info(
            "ingest_started",
            spooled=recovery.records,
            torn_bytes=recovery.torn_bytes,
            damaged=recovery.damaged,
        )
        with ExitStack() as stack:
            stack.callback(self.quarantine.close)
            stack.callback(self.spool.close)
            if self._settings.metrics_port is not None:
                server = MetricsServer(self._registry, self._settings.metrics_port)
                self.metrics_port = stack.enter_context(server).port
            stack.callback(self._report, stopped=True)
            stack.callback(self.intake.stop)
            self.intake.start()
            while not stop.is_set():
                self._turn(stop)
            self._finish()
        log.info("ingest_stopped")

    def _turn(self, stop: threading.Event) -> None:
        draining = self.delivery.backlog and not self.delivery.pause()
        batch = self._collect(0.0 if draining else POLL_SECONDS)
        if batch:
            self._settle(batch, stop)
        self.delivery.drain(DRAIN_SECONDS)
        self._housekeeping()

    def _collect(self, patience: float) -> list[Arrived]:
        """What is waiting, at most one batch; waits up to ``patience`` seconds for the first."""
        inbox = self.intake.inbox
        size = self._settings.batch_size
        try:
            batch = [inbox.get(timeout=patience) if patience else inbox.get_nowait()]
        except Empty:
            return []
        deadline = time.monotonic() + self._settings.batch_seconds
        while len(batch) < size:
            try:
                batch.append(inbox.get_nowait())
                continue
            except Empty:
                wait = min(IDLE_SECONDS, deadline - time.monotonic())
            if wait <= 0:
                break
            try:
                batch.append(inbox.get(timeout=wait))
            except Empty:
                break
        return batch

    def _settle(self, batch: list[Arrived], stop: threading.Event) -> bool:
        """Deliver and acknowledge; with the spool full, hold on until there is room or a stop."""
        self.delivery.put_aside([arrived.bad for arrived in batch if arrived.bad is not None])
        points = [arrived.point for arrived in batch if arrived.point is not None]
        while not self.delivery.deliver(points):
            if stop.wait(min(POLL_SECONDS, self.delivery.pause() or POLL_SECONDS)):
                return False
            self.delivery.drain(DRAIN_SECONDS)
            self._housekeeping()
        self.intake.acknowledge(batch)
        return True

    def _finish(self) -> None:
        """Store what has been received; new QoS 1 messages are left to the broker."""
        self.intake.refuse()
        stopped = threading.Event()
        stopped.set()
        deadline = time.monotonic() + self._settings.drain_seconds
        while time.monotonic() < deadline:
            batch = self._collect(0.0)
            if not batch or not self._settle(batch, stopped):
                break

    # --- telling -------------------------------------------------------------------------------

    def _housekeeping(self) -> None:
        now = time.monotonic()
        if now >= self._next_health:
            self._next_health = now + PERIOD_SECONDS
            self._report()
        if self._settings.retention is not None and now >= self._next_prune:
            self._next_prune = now + PRUNE_SECONDS
            try:
                gone = self._store.prune(datetime.now(UTC) - self._settings.retention)
            except StoreUnavailable as error:
                log.warning("prune_failed", detail=str(error))
            else:
                log.info("pruned", points=gone)

    def health(self, *, stopped: bool = False) -> Health:
        """How it is now."""
        return Health(
            at=datetime.now(UTC),
            pid=os.getpid(),
            connected=self.intake.connected,
            subscribed=self.intake.subscribed,
            store_up=self.delivery.store_up,
            spool_batches=self.spool.records,
            spool_bytes=self.spool.size_bytes,
            spool_full=self.delivery.spool_full,
            waiting=self.intake.inbox.qsize(),
            received=self.intake.received,
            stored=self.delivery.stored,
            rejected=self.delivery.rejected,
            dropped=self.intake.dropped,
            stopped=stopped,
        )

    def _report(self, *, stopped: bool = False) -> None:
        health = self.health(stopped=stopped)
        self.metrics.spool_bytes.set(health.spool_bytes)
        self.metrics.spool_batches.set(health.spool_batches)
        self.metrics.waiting.set(health.waiting)
        try:
            write_health(self._settings.health_path, health)
        except OSError as error:
            log.warning("health_not_written", detail=str(error))


@contextmanager
def _stop_on_signal(stop: threading.Event) -> Iterator[None]:
    """SIGTERM and SIGINT set ``stop`` while this lasts; only the main thread can ask for that."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def handler(number: int, frame: FrameType | None) -> None:
        stop.set()

    former = {number: signal.signal(number, handler) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, previous in former.items():
            signal.signal(number, previous)


def run(settings: IngestSettings) -> None:
    """The process: open the store, ingest until SIGTERM or SIGINT, drain, return.

    Raises:
        StoreUrlError: the store's URL is wrong.
        SpoolLockedError: another ingest uses the same data folder.
        OSError: the data folder or the metrics port cannot be used.
    """
    stop = threading.Event()
    with _stop_on_signal(stop), open_store(settings.store_url) as store:
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        IngestService(settings, store).run_forever(stop)
