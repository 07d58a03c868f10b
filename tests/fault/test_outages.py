"""Parts go away for a while and come back: the right reasons, nothing lost, no hand needed."""

import os
import random
import sqlite3
import subprocess
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from portal.access.decision import Reason
from portal.access.models import Outcome, Passage
from portal.cli_serve import METRICS_OFFSET
from portal.core import quarantine
from portal.passes.models import Pass
from tests.fault.meter import Meter, store_of
from tests.fault.people import People, people
from tests.fault.running import Running, running
from tests.fault.stream import Stream
from tests.services.postgres import find_programs, postgres_server
from tests.services.requirement import lacking
from tests.services.wait import wait_until

pytestmark = [pytest.mark.fault, pytest.mark.timeout(180)]
SEED = 85
VISITORS = 8
DISK_MB = 96


def gates_of(system: Running, coming: People, *, wait_for_broker: bool = True) -> Stream:
    """Both gates of the community, where nobody comes but whom a test sends."""
    devices = system.devices()
    specs = [devices[key] for key in coming.gates]
    return Stream(system.broker, specs, wait_for_broker=wait_for_broker)


def show_all(stream: Stream, coming: People) -> None:
    """Each visitor's code at both gates at once."""
    for _, code in coming.one_time:
        stream.show(*((gate, code) for gate in coming.gates))


def check_each_let_in_once(system: Running, stream: Stream, coming: People) -> None:
    """Every scan has its passage; of each visitor's two, one opened a door."""
    ids = [pass_id for pass_id, _ in coming.one_time]
    with system.db.read() as session:
        rows = system.passages(session)
        uses = session.scalars(select(Pass.uses).where(Pass.id.in_(ids))).all()
    assert len(rows) == stream.shown == 2 * len(ids)
    reasons = Counter((row.pass_id, row.reason) for row in rows)
    assert reasons == {(i, reason): 1 for i in ids for reason in (Reason.OK, Reason.USED_UP)}
    assert set(uses) == {1}
    assert stream.openings == {row.transaction for row in rows if row.outcome == Outcome.ALLOW}


def answers(system: Running, path: str) -> int:
    """The portal's status for a page."""
    url = f"http://127.0.0.1:{system.config.http_port}{path}"
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=15) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def worker_finds_database(system: Running, *, up: bool) -> bool:
    """Whether the worker says so."""
    health = system.worker_health()
    return health is not None and health.database_up is up


def test_a_database_that_is_locked_for_seconds_delays_people_and_loses_none(tmp_path: Path) -> None:
    with running(tmp_path) as system:
        coming = people(system, random.Random(SEED), VISITORS)
        system.start("broker", "worker")
        with gates_of(system, coming) as stream:
            path = system.db.engine.url.database
            assert path is not None
            lock = sqlite3.connect(path, isolation_level=None)
            lock.execute("BEGIN IMMEDIATE")
            show_all(stream, coming)
            wait_until(lambda: stream.repeats >= stream.shown, what="every scan to be repeated")
            assert stream.answered == 0
            lock.execute("ROLLBACK")
            lock.close()
            wait_until(lambda: not stream.waiting, 30, what="every event to be answered")
            check_each_let_in_once(system, stream, coming)


@pytest.mark.postgres
def test_postgresql_may_stop_and_start_again(tmp_path: Path) -> None:
    programs = find_programs() or lacking("postgresql")
    with ExitStack() as stack:
        server = stack.enter_context(postgres_server(programs))
        url = stack.enter_context(server.database())
        with running(tmp_path, LINLI_DATABASE_URL=url) as system:
            coming = people(system, random.Random(SEED), VISITORS)
            system.start("broker", "worker", "web")
            pids = {name: system.child[name].pid for name in ("worker", "web")}
            with gates_of(system, coming) as stream:
                server.child.stop()
                show_all(stream, coming)
                wait_until(lambda: worker_finds_database(system, up=False))
                assert answers(system, "/readyz") == 503
                assert answers(system, "/healthz") == 200
                server.child.start()
                wait_until(lambda: not stream.waiting, 60, what="every event to be answered")
                wait_until(lambda: worker_finds_database(system, up=True))
                wait_until(lambda: answers(system, "/readyz") == 200, 30)
                check_each_let_in_once(system, stream, coming)
                assert {name: system.child[name].pid for name in pids} == pids


def test_everything_waits_for_a_broker_that_comes_later(tmp_path: Path) -> None:
    with running(tmp_path) as system:
        coming = people(system, random.Random(SEED), VISITORS)
        for name in ("worker", "ingest", "web"):
            system.child[name].launch()
        with gates_of(system, coming, wait_for_broker=False) as stream:
            system.child["web"].await_answer(60)
            wait_until(lambda: (h := system.worker_health()) and not h.connected, 30)
            wait_until(lambda: (h := system.ingest_health()) and not h.connected, 30)
            findings = system.doctor()
            assert findings["broker"]["state"] != "ok"
            system.start("broker")
            for name in ("worker", "ingest"):
                system.child[name].await_answer(60)
            show_all(stream, coming)
            wait_until(lambda: not stream.waiting, 60, what="every event to be answered")
            check_each_let_in_once(system, stream, coming)


def test_a_telemetry_store_that_is_away_is_bridged_even_over_a_kill_of_ingest(
    tmp_path: Path,
) -> None:
    with running(tmp_path) as system:
        system.start("broker", "ingest")
        spec = system.devices()["alarm-1"]
        url = system.config.effective_telemetry_url
        meter = Meter(system.broker, spec, qos=0, pace_s=0.02)
        with meter.running(), store_of(url) as store:
            wait_until(lambda: meter.stored(store), 20)
            lock = sqlite3.connect(system.data / "telemetry.db", isolation_level=None)
            lock.execute("BEGIN IMMEDIATE")
            wait_until(lambda: spooled(system) > 0, 30, what="values in the spool")
            wait_until(lambda: (h := system.ingest_health()) and not h.store_up)
            system.child["ingest"].kill()
            system.child["ingest"].launch()
            system.child["ingest"].await_answer(60)
            before = spooled(system)
            wait_until(lambda: spooled(system) > before, 30, what="more values in the spool")
            lock.execute("ROLLBACK")
            lock.close()
            meter.stop()
            wait_until(
                lambda: set(meter.stored(store)) == set(meter.published),
                60,
                what="every value in the store",
            )
            wait_until(lambda: (h := system.ingest_health()) and h.well, 30)


def spooled(system: Running) -> int:
    """Batches that wait for the store."""
    health = system.ingest_health()
    return health.spool_batches if health else 0


@contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """A file system of its own of a few megabytes; the test is skipped where one may not mount."""
    folder.mkdir()
    if os.geteuid() != 0:
        pytest.skip("only root can mount a small disk")
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={DISK_MB}m", "tmpfs", str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip(f"a small disk cannot be mounted here: {mounted.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def empty_journal(path: Path) -> None:
    """Give SQLite's journal back to the disk, so that the next transaction needs new room."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        wait_until(lambda: connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0)


def metric(system: Running, name: str, gauge: str) -> float | None:
    """A gauge of a process, as Prometheus would read it."""
    port = system.config.metrics_port + METRICS_OFFSET[name]
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
        lines = answer.read().decode().splitlines()
    found = [line.split()[1] for line in lines if line.split()[0] == gauge]
    return float(found[0]) if found else None


def fill(path: Path) -> None:
    """Write until there is no room for a single byte more."""
    with path.open("wb", buffering=0) as ballast:
        block = 1 << 20
        while block:
            try:
                ballast.write(b"\0" * block)
            except OSError:
                block //= 2


def test_a_full_disk_stops_people_and_values_until_there_is_room_again(tmp_path: Path) -> None:
    """Database, telemetry store, spool and the broker's own file are all on it."""
    with small_disk(tmp_path / "disk") as disk, running(disk) as system:
        coming = people(system, random.Random(SEED), VISITORS)
        system.start()
        pids = {name: child.pid for name, child in system.child.items()}
        meter = Meter(system.broker, system.devices()["alarm-1"], qos=0, pace_s=0.02)
        url = system.config.effective_telemetry_url
        with gates_of(system, coming) as stream, meter.running(), store_of(url) as store:
            wait_until(lambda: meter.stored(store), 20)
            wait_until(lambda: not stream.waiting, 20)
            ballast = disk / "ballast"
            for name in ("linli.db", "telemetry.db"):
                empty_journal(system.data / name)
            fill(ballast)
            show_all(stream, coming)
            wait_until(lambda: metric(system, "worker", "linli_worker_database_up") == 0, 30)
            wait_until(lambda: metric(system, "ingest", "linli_ingest_store_up") == 0, 30)
            published = len(meter.published)
            wait_until(lambda: len(meter.published) > published + 100, 30)
            wait_until(lambda: stream.repeats, 20, what="a scan to be repeated")
            ballast.unlink()
            wait_until(lambda: not stream.waiting, 60, what="every event to be answered")
            meter.stop()
            wait_until(
                lambda: set(meter.stored(store)) == set(meter.published),
                60,
                what="every value in the store",
            )
            assert all(len(at) == 1 for at in meter.stored(store).values())
            check_each_let_in_once(system, stream, coming)
            assert {name: child.pid for name, child in system.child.items()} == pids
            assert all(child.running for child in system.child.values())


def test_a_gate_whose_clock_is_off_lets_in_who_stands_there_and_nobody_else(tmp_path: Path) -> None:
    with running(tmp_path) as system:
        coming = people(system, random.Random(SEED), 3)
        system.start("broker", "worker")
        with gates_of(system, coming) as stream:
            key = coming.gates[0]
            gate = stream.gates[key]
            (ahead_id, ahead), (behind_id, behind), (far_id, far) = coming.one_time

            gate.clock_off = timedelta(minutes=2)
            stream.show((key, ahead))
            wait_until(lambda: told(system, ahead_id).opened_at, what="the door to open")
            row = told(system, ahead_id)
            assert (row.outcome, row.reason, row.command_reason) == ("allow", "ok", "")
            assert row.opened_at - row.decided_at < timedelta(seconds=30), "by the portal's clock"

            gate.clock_off = -timedelta(days=1)
            stream.show((key, behind))
            wait_until(lambda: stream.answered == 2)
            row = told(system, behind_id)
            assert (row.outcome, row.reason) == ("refuse", Reason.STALE_SCAN)

            gate.clock_off = timedelta(hours=1)
            stream.show((key, far))
            wait_until(lambda: stream.answered == 3, what="the scan to be dismissed")
            assert gate.last_decision.reason == "not_accepted"
            assert len(stream.openings) == 1

            gate.clock_off = timedelta(0)
            stream.show((key, far), (key, behind))
            wait_until(lambda: stream.answered == 5)
            wait_until(lambda: len(stream.openings) == 3, what="both doors after the clock was set")
            wait_until(lambda: not stream.waiting, what="every event to be answered")
            with system.db.read() as session:
                assert session.get_one(Pass, behind_id).uses == 1
                assert session.get_one(Pass, far_id).uses == 1
                assert set(quarantine.counts(session)) == {"future"}


def told(system: Running, pass_id: str) -> Passage:
    """A pass's first passage."""
    with system.db.read() as session:
        found = session.scalars(
            select(Passage).where(Passage.pass_id == pass_id).order_by(Passage.id)
        ).first()
    return found or Passage(command_reason="")
