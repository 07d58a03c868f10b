"""What the worker does by the clock, each in a short transaction of its own."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import structlog
from sqlalchemy.exc import SQLAlchemyError

from portal.accounts import upkeep
from portal.config import Config
from portal.core import audit_chain, audit_checkpoints, outbox
from portal.core.clock import Clock
from portal.core.crypto.envelope import EnvelopeError
from portal.core.db import Database
from portal.parcels import deadlines
from portal.passes.signing import ensure_key
from portal.residents.name_hashes import fill_name_hashes
from portal.telecare import timers, troubles
from portal.visitors.phone_hashes import fill_phone_hashes

_log = structlog.get_logger(__name__)

ALARM_SECONDS: Final = 1.0
WATCH_SECONDS: Final = 60.0
EXPIRE_SECONDS: Final = 5.0
PURGE_SECONDS: Final = 3600.0
KEY_SECONDS: Final = 3600.0
HASHES_SECONDS: Final = 10.0
"""Quick, so that a large community is found in the hours after an upgrade; nothing to do costs nothing."""
DOORS_SECONDS: Final = 2.0
REMINDERS_SECONDS: Final = 60.0
SEAL_SECONDS: Final = 5.0
CHECKPOINT_SECONDS: Final = 900.0
DAILY_SECONDS: Final = 6 * 3600.0


@dataclass(slots=True)
class _Job:
    name: str
    every: float
    run: Callable[[], bool | None]
    """Answers true when more is to be done at once."""
    urgent: bool = False
    due: float = 0.0


class Jobs:
    """Runs what is due; a job that fails is logged and comes again at its next turn."""

    def __init__(self, config: Config, database: Database, clock: Clock) -> None:
        self._config = config
        self._database = database
        self._clock = clock
        self._jobs = [
            _Job("alarm_timers", ALARM_SECONDS, self._alarms, urgent=True),
            _Job("signing_key", KEY_SECONDS, self._key),
            _Job("outbox_expire", EXPIRE_SECONDS, self._expire),
            _Job("outbox_purge", PURGE_SECONDS, self._purge),
            _Job("name_hashes", HASHES_SECONDS, self._hashes),
            _Job("parcel_doors", DOORS_SECONDS, self._doors),
            _Job("parcel_reminders", REMINDERS_SECONDS, self._reminders),
            _Job("button_watch", WATCH_SECONDS, self._watch),
            _Job("audit_seal", SEAL_SECONDS, self._seal),
            _Job("audit_sweep", PURGE_SECONDS, self._sweep),
            _Job("audit_checkpoint", CHECKPOINT_SECONDS, self._checkpoint),
            _Job("audit_purge", PURGE_SECONDS, self._purge_audit),
            _Job("accounts_upkeep", DAILY_SECONDS, self._accounts),
        ]

    def run_due(self, *, only_urgent: bool = False) -> None:
        """Run at most one job, so that scans wait for no more than that.

        Args:
            only_urgent: while messages wait, people in need are all that comes before them.
        """
        now = time.monotonic()
        for job in self._jobs:
            if now < job.due or (only_urgent and not job.urgent):
                continue
            job.due = now + job.every
            try:
                if job.run():
                    job.due = now
            except (
                SQLAlchemyError,
                EnvelopeError,
                OSError,
                audit_checkpoints.CheckpointError,
            ) as error:
                _log.warning("job_failed", job=job.name, cause=type(error).__name__)
            return

    def _alarms(self) -> None:
        with self._database.read() as session:
            due = timers.due(session, self._clock())
        for alarm_id in due:
            try:
                with self._database.write() as session:
                    timers.advance(session, alarm_id, self._clock())
            except Exception as error:  # noqa: BLE001 - one bad alarm must not stop the others
                _log.error("alarm_stuck", alarm=alarm_id, cause=type(error).__name__)

    def _watch(self) -> None:
        with self._database.write() as session:
            troubles.watch(session, self._clock())

    def _key(self) -> None:
        with self._database.write() as session:
            if ensure_key(session, self._clock()):
                _log.info("signing_key_made")

    def _expire(self) -> None:
        with self._database.write() as session:
            outbox.expire(session, self._clock())

    def _purge(self) -> None:
        with self._database.write() as session:
            outbox.purge(session, self._clock())

    def _hashes(self) -> None:
        """Make findable what releases before the hashes wrote."""
        with self._database.write() as session:
            fill_name_hashes(session)
            fill_phone_hashes(session)

    def _doors(self) -> None:
        with self._database.write() as session:
            deadlines.expire(session, self._clock())

    def _reminders(self) -> None:
        with self._database.write() as session:
            deadlines.remind(session, self._clock())
            deadlines.purge(session, self._clock())

    def _seal(self) -> bool:
        with self._database.write() as session:
            return audit_chain.seal(session, self._clock()) == audit_chain.BATCH

    def _sweep(self) -> None:
        with self._database.write() as session:
            audit_chain.seal(session, self._clock(), sweep=True)

    def _checkpoint(self) -> None:
        with self._database.read() as session:
            audit_checkpoints.write(self._config, session, self._clock())

    def _purge_audit(self) -> bool:
        keep = timedelta(days=31 * self._config.audit_months)
        with self._database.write() as session:
            return audit_chain.purge(session, self._clock(), keep) > 0

    def _accounts(self) -> None:
        with self._database.write() as session:
            done = upkeep.tidy(session, self._clock(), timedelta(days=self._config.dormant_days))
        if done.disabled:
            _log.info("dormant_accounts_disabled", accounts=done.disabled)
