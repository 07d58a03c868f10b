"""Checks of what is stored: database, its migrations, outbox, quarantine, telemetry."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from sqlalchemy import func, select, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from mqtt.ingest import Quarantine, QuarantineError
from mqtt.telemetry import Advice, StoreUrlError, masked, open_store
from portal.config import Config
from portal.core import migrate, quarantine
from portal.core.audit import AuditEntry
from portal.core.db import Database
from portal.core.outbox import OutboxMessage, OutboxState
from portal.doctor.findings import Finding, fail, ok, warn
from portal.models import metadata

STUCK: Final = timedelta(seconds=10)
"""A command that is due and has waited for the worker this long is stuck."""
_TELEMETRY: Final[dict[Advice, str]] = {
    Advice.UNREACHABLE: "is it running, and does LINLI_TELEMETRY_URL name the right host and port?",
    Advice.UNAUTHORISED: "set user name, password or token in LINLI_TELEMETRY_URL",
    Advice.MISSING_DATABASE: "create the database or bucket that LINLI_TELEMETRY_URL names",
    Advice.READ_ONLY: "give this user the right to write",
    Advice.DISK_FULL: "free space or shorten the retention",
    Advice.DAMAGED: "restore telemetry.db from a backup, or move it away: a new one is made",
    Advice.NEWER_SCHEMA: "it was written by a later release: upgrade Linli",
    Advice.NO_DEDUPLICATION: "start VictoriaMetrics with -dedup.minScrapeInterval=1ms",
    Advice.FAILED: "look at the store's own log",
}


class Stored:
    """The database, opened once for all checks of it; ``None`` where there is none yet."""

    def __init__(self, config: Config) -> None:
        self.config = config
        url = make_url(config.effective_database_url)
        self.shown = url.render_as_string(hide_password=True)
        missing = url.get_backend_name() == "sqlite" and not Path(url.database or "").is_file()
        self.database = None if missing else Database(config.effective_database_url, pool_size=1)
        self.problem = ""

    def close(self) -> None:
        """Let go of it."""
        if self.database is not None:
            self.database.close()

    def connection(self) -> Finding:
        """It answers."""
        if self.database is None:
            return warn("database", f"{self.shown} is not there yet", "start with `linli up`")
        try:
            with self.database.read() as session:
                session.execute(text("SELECT 1"))
        except SQLAlchemyError as error:
            self.problem = str(getattr(error, "orig", error)).strip()
            return fail(
                "database",
                f"{self.shown}: {self.problem}",
                "is it running, and is LINLI_DATABASE_URL right?",
            )
        return ok("database", self.shown)

    @property
    def usable(self) -> bool:
        """Whether further questions make sense."""
        return self.database is not None and not self.problem

    def newest_moment(self) -> datetime | None:
        """The database server's clock, or the latest entry of the audit where there is no server."""
        if self.database is None or self.problem:
            return None
        try:
            with self.database.read() as session:
                if not self.database.is_sqlite:
                    return session.scalar(select(func.now()))
                return session.scalar(select(func.max(AuditEntry.at)))
        except SQLAlchemyError:
            return None

    def migrations(self) -> Finding:
        """The schema is this release's."""
        if self.database is None:
            return warn("migrations", "no database yet", "start with `linli up`")
        try:
            current, head = migrate.current(self.database), migrate.head()
            if current != head:
                return fail(
                    "migrations", f"at {current or 'empty'}, newest is {head}", "linli db upgrade"
                )
            differences = migrate.differences(self.database, metadata)
        except SQLAlchemyError as error:
            return fail(
                "migrations", str(getattr(error, "orig", error)), "linli db check says more"
            )
        if differences:
            return fail(
                "migrations",
                f"{len(differences)} differences between models and schema",
                "linli db check names them; the schema was changed by hand, or code and data do not belong together",
            )
        return ok("migrations", f"at {head}, models agree")

    def outbox(self) -> Finding:
        """Nothing that is due waits for the worker."""
        if self.database is None:
            return ok("outbox", "no database yet")
        now = datetime.now(UTC)
        try:
            with self.database.read() as session:
                waiting, oldest = session.execute(
                    select(func.count(), func.min(OutboxMessage.created_at)).where(
                        OutboxMessage.state == OutboxState.PENDING, OutboxMessage.expires_at > now
                    )
                ).one()
        except SQLAlchemyError as error:
            return fail("outbox", str(getattr(error, "orig", error)), "linli db upgrade")
        if waiting and oldest < now - STUCK:
            return warn(
                "outbox",
                f"{waiting} commands wait, the oldest since {oldest:%H:%M:%S} UTC",
                "the worker is not running or not connected: see its row",
            )
        return ok("outbox", f"{waiting} commands wait")

    def bad_messages(self) -> Finding:
        """How many messages from devices could not be accepted."""
        if self.database is None:
            return ok("quarantine (worker)", "no database yet")
        try:
            with self.database.read() as session:
                counts, kept = quarantine.counts(session), quarantine.kept(session)
        except SQLAlchemyError as error:
            return fail(
                "quarantine (worker)", str(getattr(error, "orig", error)), "linli db upgrade"
            )
        return _quarantine("worker", counts, f", {kept} kept in table quarantined_messages")


def ingest_quarantine(config: Config) -> Finding:
    """The same for telemetry."""
    path = config.path("ingest") / "quarantine.sqlite"
    aside = Quarantine(path)
    try:
        counts = aside.count_by_fault()
    except QuarantineError as error:
        return fail("quarantine (ingest)", str(error), f"move {path} away; a new one is made")
    finally:
        aside.close()
    return _quarantine("ingest", counts, f", the newest in {path}")


def _quarantine(who: str, counts: dict[str, int], where: str) -> Finding:
    if not counts:
        return ok(f"quarantine ({who})", "no bad message so far")
    words = ", ".join(f"{fault} {count}" for fault, count in sorted(counts.items()))
    return warn(
        f"quarantine ({who})",
        words + where,
        "look which device sends them: its firmware or clock may be wrong",
    )


def telemetry(config: Config) -> Finding:
    """The store can be written and read."""
    url = config.effective_telemetry_url
    shown = masked(url)
    if not config.telemetry_url and not config.path("telemetry.db").is_file():
        return warn("telemetry store", f"{shown} is not there yet", "start with `linli up`")
    try:
        with open_store(url) as store:
            report = store.check()
    except StoreUrlError as error:
        return fail("telemetry store", str(error), "correct LINLI_TELEMETRY_URL")
    except Exception as error:  # noqa: BLE001 - whatever a store's driver raises is a finding
        return fail("telemetry store", f"{shown}: {error}", _TELEMETRY[Advice.FAILED])
    if report.ok:
        return ok("telemetry store", f"{shown}, {report.name} {report.version}".rstrip())
    row = warn if report.writable and report.readable else fail
    return row(
        "telemetry store",
        f"{shown}: {report.detail or report.advice}",
        _TELEMETRY.get(report.advice, _TELEMETRY[Advice.FAILED]),
    )
