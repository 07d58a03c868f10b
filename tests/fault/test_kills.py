"""A stream of scans while worker, ingest, web and broker are killed: nothing lost, nothing twice.

Every one-time code is shown at two gates at the same moment. A gate repeats its event until it is
answered, so that at the end each code must have left exactly two passages, whatever died in between.
"""

import contextlib
import os
import random
import signal
import threading
import urllib.request
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from mqtt.simulator.control import SOCKET_NAME, ControlError, ask
from portal.access.models import Gate, GateKind, Outcome, Passage
from portal.config import load
from portal.core.clock import utc_now
from portal.core.db import Database
from portal.core.keys import install_keys
from portal.core.outbox import unpublished
from portal.devices.models import Device
from portal.passes.models import Pass
from portal.passes.operations import issue_visitor_pass, show_code
from portal.residents.models import Residency
from tests.services.wait import wait_until
from tests.system.test_up import Up, up  # noqa: F401 - the fixture

pytestmark = [pytest.mark.fault, pytest.mark.timeout(420)]
KILLS = 20
CODES = 600
PACE_S = 0.2
SEED = 20261122


class Stream:
    """Shows one code after the other at both gates at once, until told to stop."""

    def __init__(self, socket: Path, gates: list[str], codes: list[tuple[str, str]]) -> None:
        self._socket, self._gates, self._codes = socket, gates, iter(codes)
        self.shown: list[str] = []
        self.stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _scan(self, gate: str, code: str) -> None:
        # one that is not answered in time is repeated by the gate all the same
        with contextlib.suppress(ControlError, OSError):
            ask(self._socket, {"op": "scan", "device": gate, "code": code}, timeout=60)

    def _run(self) -> None:
        for pass_id, code in self._codes:
            pair = [threading.Thread(target=self._scan, args=(g, code)) for g in self._gates]
            for one in pair:
                one.start()
            for one in pair:
                one.join()
            self.shown.append(pass_id)
            if self.stop.wait(PACE_S):
                return

    def end(self) -> None:
        self.stop.set()
        self._thread.join(90)


def test_twenty_kills_lose_no_scan_and_open_no_door_twice(up: Up) -> None:  # noqa: F811
    up.start("--demo")
    config, _ = load({"LINLI_DATA_DIR": str(up.data)})
    database = Database(config.effective_database_url)
    install_keys(config, database)
    now = utc_now()
    with database.write() as session:
        gates = list(
            session.scalars(
                select(Device.key)
                .join(Gate, Gate.device_id == Device.id)
                .where(Gate.kind == GateKind.COMMUNITY)
                .order_by(Device.key)
            )
        )
        home = session.scalars(select(Residency).limit(1)).one()
        codes = []
        for _ in range(CODES):
            one = issue_visitor_pass(
                session,
                resident_id=home.resident_id,
                dwelling_id=home.dwelling_id,
                valid_from=now,
                valid_until=now + timedelta(hours=2),
                now=now,
            )
            codes.append((one.id, show_code(session, one.id, now, 60).token))
    assert len(gates) == 2

    order = ["worker", "ingest", "web", "broker"] * (KILLS // 4)
    random.Random(SEED).shuffle(order)
    stream = Stream(up.data / SOCKET_NAME, gates, codes)
    try:
        for name in order:
            seen = len(stream.shown)
            wait_until(lambda seen=seen: len(stream.shown) > seen, 90, what=f"a scan before {name}")
            pid = up.told()["processes"][name]
            os.kill(pid, signal.SIGKILL)
            wait_until(
                lambda name=name, pid=pid: up.told().get("processes", {}).get(name, pid) != pid,
                60,
                what=f"{name} to start again",
            )
        seen = len(stream.shown)
        wait_until(lambda: len(stream.shown) > seen + 1, 90, what="scans after the last kill")
    finally:
        stream.end()

    shown = list(stream.shown)
    assert len(shown) > KILLS

    def passages() -> int:
        with database.read() as session:
            rows = select(func.count()).select_from(Passage).where(Passage.pass_id.in_(shown))
            return session.scalar(rows) or 0

    wait_until(lambda: passages() >= 2 * len(shown), 60, what="every scan to be decided")
    with database.read() as session:
        rows = session.scalars(select(Passage).where(Passage.pass_id.in_(shown))).all()
        uses = dict(session.execute(select(Pass.id, Pass.uses).where(Pass.id.in_(shown))).all())
    counted = Counter(row.pass_id for row in rows)
    allowed = Counter(row.pass_id for row in rows if row.outcome == Outcome.ALLOW)
    assert set(counted.values()) == {2}, "each scan is decided exactly once"
    for pass_id in shown:
        assert allowed[pass_id] == uses[pass_id] <= 1
        if not allowed[pass_id]:
            late = {row.reason for row in rows if row.pass_id == pass_id}
            assert late == {"stale_scan"}, "only a scan that came too late opens nothing"
    assert allowed.total() > KILLS
    transactions = [row.transaction for row in rows if row.outcome == Outcome.ALLOW]
    assert len(set(transactions)) == len(transactions)

    def settled() -> bool:
        with database.read() as session:
            return not unpublished(session, utc_now())

    wait_until(settled, 30, what="an empty outbox")

    def ready() -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{up.http}/readyz", timeout=5) as answer:
                return answer.status == 200
        except OSError:
            return False

    wait_until(ready, 60, what="the web to answer again")
    database.close()
    assert up.stop() == 0
