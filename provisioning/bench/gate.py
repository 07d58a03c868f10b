"""``linli bench gate``: from a scan event being due to its unlock command being received.

For each pair of database and broker, with few and with many residents, at several rates, and flat
out. Broker, database and worker are real processes, started here on free loopback ports; the worker
is the one of ``linli serve worker``.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import click
from rich.console import Console

from mqtt.broker.accounts import Service
from mqtt.broker.credentials import BrokerAccess, ensure_credentials, service_accounts
from mqtt.broker.embedded import BrokerMissingError, EmbeddedBroker
from portal.config import Config
from portal.core.db import Database
from portal.core.keys import install_keys
from provisioning.bench.form import (
    Report,
    free_port,
    options,
    percentile,
    resident_megabytes,
)
from provisioning.bench.gate_load import Gates, Measured
from provisioning.bench.gate_world import World, lay_out, prepare_scans
from provisioning.bench.postgres import find_programs, postgres_server

BENCH: Final = "gate"
WARM_UP: Final = 100


@dataclass(frozen=True, slots=True)
class Engines:
    """A pair of database and broker."""

    database: Literal["SQLite", "PostgreSQL"]
    broker: Literal["iotcore", "mosquitto"]

    def __str__(self) -> str:
        return f"{self.database} + {self.broker}"


@dataclass(frozen=True, slots=True)
class Plan:
    """What is run for each pair of engines."""

    residents: tuple[int, ...]
    rates: tuple[int, ...]
    seconds: float
    flat_out: int


PAIRS: Final = (
    Engines("SQLite", "iotcore"),
    Engines("SQLite", "mosquitto"),
    Engines("PostgreSQL", "mosquitto"),
)
FULL: Final = Plan((1_000, 100_000), (50, 200, 1_000), 15.0, 10_000)
QUICK: Final = Plan((1_000,), (200,), 4.0, 1_500)


class UnavailableError(RuntimeError):
    """An engine is not on this machine."""


@click.command(BENCH)
@options
@click.option(
    "--only",
    type=click.Choice([str(pair) for pair in PAIRS]),
    multiple=True,
    help="Only these engines.",
)
@click.option(
    "--residents", type=click.IntRange(1, 1_000_000), multiple=True, help="Only these sizes."
)
def command(
    quick: bool, json_file: Path | None, only: tuple[str, ...], residents: tuple[int, ...]
) -> None:
    """Scan event → unlock command: latency, throughput, memory."""
    plan = QUICK if quick else FULL
    if residents:
        plan = Plan(residents, plan.rates, plan.seconds, plan.flat_out)
    report = Report(BENCH)
    console = Console(stderr=True)
    for pair in PAIRS:
        if not only or str(pair) in only:
            for size in plan.residents:
                _run(report, console, pair, size, plan)
    report.show()
    if json_file is not None:
        report.write(json_file)


def _run(report: Report, console: Console, pair: Engines, residents: int, plan: Plan) -> None:
    case = f"{pair}, {residents:,} residents"
    try:
        with ExitStack() as stack:
            console.print(f"{case}: laying out")
            setting = stack.enter_context(_started(pair, residents))
            for rate in plan.rates:
                console.print(f"{case}: {rate}/s")
                _timetable(report, f"{case}, {rate:,}/s", setting, rate, plan.seconds)
            console.print(f"{case}: flat out")
            scans = prepare_scans(setting.database, setting.world, plan.flat_out)
            _add(report, f"{case}, flat out", setting, setting.gates.flat_out(scans))
    except (UnavailableError, BrokerMissingError) as error:
        report.skip(case, str(error))


@dataclass(frozen=True, slots=True)
class _Setting:
    database: Database
    world: World
    gates: Gates
    worker: subprocess.Popen[bytes]


def _timetable(report: Report, case: str, setting: _Setting, rate: int, seconds: float) -> None:
    scans = prepare_scans(setting.database, setting.world, int(rate * seconds))
    _add(report, case, setting, setting.gates.timetable(scans, rate))


def _add(report: Report, case: str, setting: _Setting, run: Measured) -> None:
    for share in (0.5, 0.95, 0.99):
        report.add(case, f"p{share * 100:.0f}", "ms", percentile(run.latencies, share) * 1000)
    report.add(case, "worst", "ms", run.latencies[-1] * 1000 if run.latencies else float("nan"))
    report.add(case, "answered", "scans/s", run.rate)
    report.add(case, "unanswered", "scans", run.sent - len(run.latencies))
    report.add(case, "refused", "scans", len(run.latencies) - run.allowed)
    report.add(case, "generator late", "ms", run.late * 1000)
    report.add(case, "worker memory", "MB", resident_megabytes(setting.worker.pid))


@contextmanager
def _started(pair: Engines, residents: int) -> Iterator[_Setting]:
    """Everything running, filled and warm.

    Raises:
        UnavailableError, BrokerMissingError: an engine is not on this machine.
    """
    with ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="linli-bench-"))
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        folder.chmod(0o711)  # PostgreSQL's own account passes through
        data = folder / "data"
        data.mkdir(mode=0o700)
        credentials = ensure_credentials(data)
        port = free_port()
        admin = credentials[Service.ADMIN]
        broker = EmbeddedBroker(data, port, service_accounts(credentials), admin, pair.broker)
        url = _database_url(pair, folder, stack)
        config = Config(data_dir=data, database_url=url, mqtt_port=port)
        database = Database(config.effective_database_url)
        stack.callback(database.close)
        from portal.core import migrate

        migrate.upgrade(database)
        install_keys(config, database)
        world = lay_out(database, residents)
        stack.enter_context(broker)
        worker = stack.enter_context(_worker(config, folder / "worker.log"))
        gates = Gates(BrokerAccess("127.0.0.1", port, admin.username, admin.password))
        stack.callback(gates.close)
        gates.connect()
        try:
            gates.warm_up(prepare_scans(database, world, WARM_UP))
        except TimeoutError as error:
            words = (folder / "worker.log").read_text("utf-8", "replace")[-2000:]
            raise RuntimeError(f"{error}\n{words}") from error
        yield _Setting(database, world, gates, worker)


def _database_url(pair: Engines, folder: Path, stack: ExitStack) -> str:
    if pair.database == "SQLite":
        return ""
    programs = find_programs()
    if programs is None:
        raise UnavailableError("PostgreSQL is not on this machine")
    return stack.enter_context(postgres_server(programs, folder / "postgres"))


@contextmanager
def _worker(config: Config, log_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("LINLI_")}
    environment |= {
        "LINLI_DATA_DIR": str(config.data_dir),
        "LINLI_MQTT_PORT": str(config.mqtt_port),
        "LINLI_METRICS_PORT": str(free_port()),
    }
    if config.database_url:
        environment["LINLI_DATABASE_URL"] = config.database_url
    with log_path.open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "portal", "serve", "worker"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=environment,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
