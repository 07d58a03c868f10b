"""The worker's loop and its process."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta
from types import FrameType
from typing import Final

import structlog
from prometheus_client import CollectorRegistry, start_http_server
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from mqtt.broker.accounts import Service
from mqtt.broker.credentials import broker_access
from mqtt.contract.messages import RESEND_SECONDS
from portal.config import Config
from portal.core import outbox, quarantine
from portal.core.bus import Bus, Received
from portal.core.db import Database
from portal.core.keys import install_keys
from portal.core.outbox import Outgoing
from portal.devices.operations import CommandAnswer
from portal.services import Services
from portal.worker.batteries import reading_batteries
from portal.worker.handling import Effects, Handler, dismissals
from portal.worker.health import PERIOD_SECONDS, Health, health_path, write_health
from portal.worker.intake import TOPICS, Bad, Item, sort
from portal.worker.jobs import Jobs
from portal.worker.metrics import WorkerMetrics
from portal.worker.transactions import StoppingError, Transactions

log = structlog.get_logger(__name__)

LOOPBACK: Final = "127.0.0.1"
BATCH: Final = 128
"""Most scans in one commit."""
RECEIVE_MAXIMUM: Final = 1024
"""Messages the broker may send ahead of our acknowledgements."""
LATER_SECONDS: Final = 0.05
"""How long what is no scan may wait for company."""
LATER_SIZE: Final = 256
MARK_SECONDS: Final = 0.25
"""How long sent commands may wait to be marked as published."""
MARKS_AT_ONCE: Final = 500
OTHERS_SECONDS: Final = 0.25
"""How often the outbox is searched for commands of other processes."""
OTHERS_AGE: Final = timedelta(milliseconds=300)
IDLE_SECONDS: Final = 0.1
DRAIN_SECONDS: Final = 5.0


class Worker:
    """One worker; everything happens on the thread that calls :meth:`run_forever`.

    Args:
        services: configuration, database and clock.
        bus: the connection to the broker, subscribed to :data:`portal.worker.intake.TOPICS`.
        registry: where metrics are registered; one worker a registry.
        name: which of several workers this is, for its health file.
    """

    def __init__(
        self,
        services: Services,
        bus: Bus,
        registry: CollectorRegistry | None = None,
        name: str = "1",
    ) -> None:
        self._services = services
        self._clock = services.clock
        self._bus = bus
        self._stop = threading.Event()
        self._drain_until = 0.0
        self.metrics = WorkerMetrics(registry or CollectorRegistry())
        self._transactions = Transactions(services.db, self._pause)
        self._handler = Handler(services.config.unlock_seconds)
        self._jobs = Jobs(services.config, services.db, services.clock)
        self._arrived: deque[Received] = deque()
        self._settled: set[int] = set()
        self._later: list[tuple[Received, Item]] = []
        self._later_due = 0.0
        self._sent: dict[str, datetime] = {}
        self._to_mark: list[str] = []
        self._mark_due = 0.0
        self._others_due = 0.0
        self._health_due = 0.0
        self._told_connected = False
        self._health_path = health_path(services.config.data_dir, name)
        self._counts = {"scans": 0, "quarantined": 0, "retries": 0}

    # --- the loop ------------------------------------------------------------------------------

    def run_forever(self, stop: threading.Event) -> None:
        """Work until ``stop`` is set, then finish what has arrived and disconnect.

        Neither a missing broker nor a missing database ends it.
        """
        self._stop = stop
        log.info("worker_started", pid=os.getpid())
        try:
            while not stop.is_set():
                self.turn()
            self._drain()
        except StoppingError:
            log.warning("stopped_without_database", unacknowledged=len(self._arrived))
        finally:
            self._bus.close()
            self._report(stopped=True)
        log.info("worker_stopped")

    def turn(self, timeout: float = IDLE_SECONDS) -> None:
        """Once around: receive, decide, answer, record, acknowledge, whatever is due."""
        wait = min(timeout, self._until_due())
        self._bus.poll(wait)
        self._handle(self._bus.take(BATCH))
        self._housekeeping()

    def _until_due(self) -> float:
        if not self._later and not self._to_mark:
            return IDLE_SECONDS
        due = min(
            self._later_due if self._later else float("inf"),
            self._mark_due if self._to_mark else float("inf"),
        )
        return max(0.0, due - time.monotonic())

    def _handle(self, messages: list[Received]) -> None:
        if messages:
            now = self._clock()
            self._arrived.extend(messages)
            work = sort(messages, now)
            if work.scans:
                effects = self._transactions.run_all(
                    work.scans,
                    lambda session, scans: self._handler.decide(session, scans, self._clock()),
                )
                self._finish([message for message, _ in work.scans], effects)
                self._count(work.scans, effects)
            if work.bad:
                self._put_aside(work.bad)
            if work.others:
                if not self._later:
                    self._later_due = time.monotonic() + LATER_SECONDS
                self._later += work.others
        self._to_mark += self._bus.confirmed()
        now_s = time.monotonic()
        full = len(self._later) >= LATER_SIZE
        later_is_due = bool(self._later) and (full or now_s >= self._later_due)
        if later_is_due or (self._to_mark and now_s >= self._mark_due):
            self._record()

    def _record(self, *, everything: bool = False) -> None:
        """Commit what is no scan and, when due, the marks of what the broker has taken.

        A command that is answered needs no mark: most are, within milliseconds.
        """
        items, self._later = self._later, []
        answered = {item.transaction for _, item in items if isinstance(item, CommandAnswer)}
        marks = [transaction for transaction in self._to_mark if transaction not in answered]
        if everything or time.monotonic() >= self._mark_due:
            self._mark_due = time.monotonic() + MARK_SECONDS
            self._to_mark = []
        else:
            self._to_mark, marks = marks, []

        def work(session: Session, pairs: Sequence[tuple[Received, Item]]) -> Effects:
            now = self._clock()
            effects = self._handler.record(session, pairs, now)
            for start in range(0, len(marks), MARKS_AT_ONCE):
                outbox.mark_published(session, marks[start : start + MARKS_AT_ONCE], now)
            return effects

        if items:
            effects = self._transactions.run_all(items, work)
            self.metrics.recorded.inc(len(items))
            self._finish([message for message, _ in items], effects)
        elif marks:
            self._transactions.run(lambda session: work(session, []))
        for transaction in (*marks, *answered):
            self._sent.pop(transaction, None)

    # --- after a commit ------------------------------------------------------------------------

    def _finish(self, messages: list[Received], effects: Effects) -> None:
        now = self._clock()
        for outgoing in effects.outgoing:
            self._publish(outgoing, now)
        bad = {id(b.message) for b in effects.bad}
        if effects.bad:
            self._put_aside(effects.bad)
        self._acknowledge([m for m in messages if id(m) not in bad])

    def _publish(self, outgoing: Outgoing, now: datetime) -> None:
        if self._bus.publish(outgoing, now):
            self._sent[outgoing.transaction] = outgoing.expires_at

    def _acknowledge(self, messages: list[Received]) -> None:
        """Acknowledge in the order of arrival, as MQTT asks: some brokers insist."""
        self._settled.update(id(message) for message in messages)
        while self._arrived and id(self._arrived[0]) in self._settled:
            message = self._arrived.popleft()
            self._settled.discard(id(message))
            self._bus.acknowledge(message)

    def _put_aside(self, bad: list[Bad]) -> None:
        at = self._clock()
        rows = [
            quarantine.PutAside(b.message.topic, b.fault, b.detail, b.message.payload) for b in bad
        ]

        def write(session: Session) -> Effects:
            quarantine.put_many(session, rows, at)
            return Effects()

        try:
            self._transactions.run(write)
        except StoppingError:
            raise
        except Exception as error:  # noqa: BLE001 - a bad message must not come back for ever
            cause = type(error).__name__  # without a traceback: values may be personal
            log.error("quarantine_refused", messages=len(bad), cause=cause)  # noqa: TRY400
        for item in bad:
            self.metrics.quarantined.labels(item.fault).inc()
            log.debug("message_put_aside", fault=item.fault, topic=item.message.topic)
        self._counts["quarantined"] += len(bad)
        for outgoing in dismissals(bad, at):
            self._publish(outgoing, at)
        self._acknowledge([item.message for item in bad])

    def _count(self, scans: Sequence[tuple[Received, object]], effects: Effects) -> None:
        done = time.monotonic()
        self.metrics.batch_scans.observe(len(scans))
        for message, _ in scans:
            self.metrics.decision_seconds.observe(done - message.arrived)
        for answer in effects.answers:
            if answer.outcome is not None and not answer.repeated:
                self.metrics.scans.labels(answer.outcome.value, answer.reason).inc()
        self._counts["scans"] += len(scans)

    # --- by the clock --------------------------------------------------------------------------

    def _housekeeping(self) -> None:
        self._report_when_due()
        if self._bus.waiting:
            self._jobs.run_due(only_urgent=True)
            return
        now = time.monotonic()
        if now >= self._others_due and self._bus.connected:
            self._others_due = now + OTHERS_SECONDS
            self._publish_others()
        self._jobs.run_due()

    def _publish_others(self) -> None:
        """Publish what other processes, or this one before it was killed, have left in the outbox."""
        now = self._clock()
        self._sent = {t: until for t, until in self._sent.items() if until > now}
        try:
            with self._services.db.read() as session:
                rows = outbox.unpublished(session, now, older_than=OTHERS_AGE)
        except SQLAlchemyError as error:
            log.warning("outbox_unread", cause=type(error).__name__)
            return
        for outgoing in rows:
            if outgoing.transaction not in self._sent:
                self._publish(outgoing, now)

    def _pause(self, seconds: float) -> None:
        """Wait for the database, keeping the connection to the broker alive."""
        self._handler.forget()
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            if self._stop.is_set() and time.monotonic() >= self._drain_until:
                raise StoppingError
            self._bus.poll(min(left, IDLE_SECONDS))
            if self._bus.waiting:  # poll returns at once then
                self._stop.wait(min(left, IDLE_SECONDS))
            self._report_when_due()

    def _report_when_due(self) -> None:
        """By the clock, and at once when the broker has come or gone: others wait for that."""
        if time.monotonic() >= self._health_due or self._bus.connected != self._told_connected:
            self._health_due = time.monotonic() + PERIOD_SECONDS
            self._report()

    def _drain(self) -> None:
        """Handle what has arrived; what comes from now on waits at the broker or goes to others."""
        self._drain_until = time.monotonic() + DRAIN_SECONDS
        while (messages := self._bus.take(BATCH)) and time.monotonic() < self._drain_until:
            self._handle(messages)
        self._record(everything=True)
        deadline = time.monotonic() + RESEND_SECONDS
        while self._bus.unconfirmed and self._bus.connected and time.monotonic() < deadline:
            self._bus.poll(IDLE_SECONDS)
        self._to_mark += self._bus.confirmed()
        self._record(everything=True)

    def health(self, *, stopped: bool = False) -> Health:
        """How it is now."""
        return Health(
            at=self._clock(),
            pid=os.getpid(),
            connected=self._bus.connected,
            database_up=self._transactions.up,
            waiting=self._bus.waiting + len(self._arrived),
            scans=self._counts["scans"],
            quarantined=self._counts["quarantined"],
            retries=self._transactions.retries,
            stopped=stopped,
        )

    def _report(self, *, stopped: bool = False) -> None:
        self._told_connected = self._bus.connected
        metrics, transactions = self.metrics, self._transactions
        metrics.waiting.set(self._bus.waiting + len(self._arrived))
        metrics.unconfirmed.set(self._bus.unconfirmed)
        metrics.connected.set(self._bus.connected)
        metrics.database_up.set(transactions.up)
        metrics.retries.inc(transactions.retries - self._counts["retries"])
        self._counts["retries"] = transactions.retries
        try:
            write_health(self._health_path, self.health(stopped=stopped))
        except OSError as error:
            log.warning("health_not_written", cause=error.strerror)


@contextmanager
def _stop_on_signal(stop: threading.Event) -> Iterator[None]:
    """SIGTERM and SIGINT set ``stop`` while this lasts; only the main thread can ask for that."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def handler(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    former = {number: signal.signal(number, handler) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, previous in former.items():
            signal.signal(number, previous)


def run(config: Config, *, name: str = "1", metrics_port: int | None = None) -> None:
    """The process: decide and record until SIGTERM or SIGINT, finish, return.

    Args:
        name: which of several workers this is; each needs its own, and keeps it over restarts.
        metrics_port: loopback port of Prometheus metrics; none when not given.

    Raises:
        CredentialsError: there is no account for the broker.
        MasterKeyError, EnvelopeError: the keys do not fit the database.
        OSError: the metrics port is taken.
    """
    stop = threading.Event()
    access = broker_access(config.effective_mqtt_url, config.data_dir, Service.WORKER)
    database = Database(config.effective_database_url, ping=False)
    with _stop_on_signal(stop), ExitStack() as stack:
        stack.callback(database.close)
        install_keys(config, database)
        bus = Bus(
            access,
            client_id=f"linli-worker-{name}",
            topics=TOPICS,
            receive_maximum=RECEIVE_MAXIMUM,
        )
        registry = CollectorRegistry()
        if metrics_port is not None:
            server, _thread = start_http_server(metrics_port, addr=LOOPBACK, registry=registry)
            stack.callback(server.server_close)
            stack.callback(server.shutdown)
        services = Services(config=config, db=database)
        stack.enter_context(reading_batteries(services))
        Worker(services, bus, registry, name).run_forever(stop)
