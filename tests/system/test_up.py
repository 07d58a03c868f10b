"""`linli up --demo` as a person starts it: a whole community, a second start, a restart, a stop."""

import json
import os
import signal
import socket
import stat
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from mqtt.broker.binaries import find_mosquitto
from tests.services.up import Up
from tests.services.wait import wait_until

pytestmark = pytest.mark.system


@pytest.fixture
def up(tmp_path: Path) -> Iterator[Up]:
    one = Up(tmp_path / "data", tmp_path / "up.log")
    yield one
    one.clear_away()


def gone(processes: list[psutil.Process]) -> bool:
    return not any(p.is_running() and p.status() != psutil.STATUS_ZOMBIE for p in processes)


def test_a_demo_comes_up_refuses_a_second_start_keeps_its_data_and_leaves_nothing_running(
    up: Up,
) -> None:
    up.start("--demo")
    told, said = up.told(), up.said()
    assert told["ready"], said
    assert set(told["processes"]) == {"broker", "ingest", "worker", "web", "simulator"}

    accounts = json.loads((up.data / "demo-accounts.json").read_text())
    for account in accounts:
        assert str(account["password"]) in said
    assert f"http://127.0.0.1:{up.http}/r/" in said
    with urllib.request.urlopen(f"http://127.0.0.1:{up.http}/readyz", timeout=5) as answer:
        assert answer.status == 200
    for offset in range(3):
        port = int(up.environment["LINLI_METRICS_PORT"]) + offset
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
            assert b"# HELP" in answer.read()

    files = [p for p in up.data.rglob("*") if p.is_file()]
    assert [str(p) for p in files if stat.S_IMODE(p.stat().st_mode) & 0o077] == []
    assert stat.S_IMODE(up.data.stat().st_mode) == 0o700

    doctor = up.run("doctor", "--json")
    rows = {row["part"]: row for row in json.loads(doctor.stdout)}
    assert doctor.returncode == 0, rows
    for part in ("database", "migrations", "broker", "ingest", "worker", "web", "telemetry store"):
        assert rows[part]["state"] == "ok", rows[part]

    second = up.run("up", "--demo")
    assert second.returncode == 3
    assert f"pid {told['pid']}" in second.stderr
    assert told["portal"] in second.stderr

    devices = json.loads(up.run("simulate", "devices", "--json").stdout)
    assert len(devices) == 14
    assert {d["status"] for d in devices} == {"online"}

    family = up.family()
    assert len(family) >= 5
    assert up.stop(signal.SIGINT) == 0
    wait_until(lambda: gone(family), 5)

    up.start("--demo")
    assert json.loads((up.data / "demo-accounts.json").read_text()) == accounts
    assert "Demo community made" not in up.said()
    family = up.family()
    assert up.stop(signal.SIGTERM) == 0
    wait_until(lambda: gone(family), 5)


def test_a_child_that_is_killed_starts_again(up: Up) -> None:
    up.start()
    before = up.told()["processes"]
    os.kill(before["web"], signal.SIGKILL)

    def replaced() -> bool:
        now = up.told().get("processes", {})
        return now.get("web", before["web"]) != before["web"]

    wait_until(replaced, 20)
    assert "was ended by SIGKILL" in up.said()

    def answers() -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{up.http}/readyz", timeout=2):
                return True
        except OSError:
            return False

    wait_until(answers, 20)
    assert up.stop() == 0


def test_nothing_is_left_behind_when_the_supervisor_itself_is_killed(up: Up) -> None:
    up.start("--demo")
    family = up.family()
    assert up.process is not None
    up.process.kill()
    up.process.wait()
    wait_until(lambda: gone(family), 15)
    up.start("--demo")
    assert up.told()["ready"]
    assert up.stop() == 0


def test_a_device_enrolled_while_all_is_running_is_let_in_and_a_retired_one_is_not(
    up: Up,
) -> None:
    if find_mosquitto() is None:
        pytest.skip("accounts are renewed on mosquitto only")
    from mqtt.broker.credentials import Credential
    from mqtt.broker.embedded import signs_in
    from mqtt.contract.telemetry import DeviceKind
    from portal import config as configuration
    from portal.core.clock import utc_now
    from portal.core.db import Database
    from portal.core.permissions import SYSTEM
    from portal.devices.enrolment import enrol_device, retire_device
    from portal.models import Device, Region

    up.start("--demo", "--no-simulator")
    assert "simulator" not in up.told()["processes"]
    port = int(up.environment["LINLI_MQTT_PORT"])
    config, _ = configuration.load(
        {k: v for k, v in up.environment.items() if k.startswith("LINLI_")}
    )
    database = Database(config.effective_database_url)
    try:
        with database.write() as session:
            community = session.query(Region).filter(Region.key.is_not(None)).one()
            new = enrol_device(
                session,
                SYSTEM,
                community,
                key="door-3",
                kind=DeviceKind.DOOR_LOCK,
                title="3",
                now=utc_now(),
            )
        mine = Credential(new.device.mqtt_username, new.password)
        assert signs_in("127.0.0.1", port, Credential(mine.username, "wrong")) is not None
        wait_until(lambda: signs_in("127.0.0.1", port, mine) is None, 20)
        with database.write() as session:
            device = session.get(Device, new.device.id)
            assert device is not None
            retire_device(session, SYSTEM, device, utc_now())
        wait_until(lambda: signs_in("127.0.0.1", port, mine) is not None, 20)
    finally:
        database.close()
    assert up.stop() == 0


def test_a_taken_port_is_named_with_its_holder_and_another_is_proposed(up: Up) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", up.http))
        taken.listen(1)
        answer = up.run("up", "--demo")
        assert answer.returncode == 4
        assert f"Port {up.http} (portal, LINLI_HTTP_PORT)" in answer.stderr
        assert f"pid {os.getpid()}" in answer.stderr
        proposed = [w for w in answer.stderr.split() if w.startswith("LINLI_HTTP_PORT=")]
        assert len(proposed) == 1
        assert "make run" in answer.stderr
        free = int(proposed[0].partition("=")[2])
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", free))
    assert not (up.data / "linli.db").exists()


def test_iotcore_carries_the_demo_and_says_what_it_lacks(up: Up) -> None:
    up.environment["LINLI_BROKER"] = "iotcore"
    up.start("--demo")
    assert up.told()["ready"], up.said()
    assert "no rules per device" in up.said()
    devices = json.loads(up.run("simulate", "devices", "--json").stdout)
    assert {d["status"] for d in devices} == {"online"}
    answer = up.run("simulate", "scan", "gate-south-in", "--code", "not-a-pass", "--json")
    assert answer.returncode == 1, answer.stderr
    assert json.loads(answer.stdout)["decision"] == "refuse"
    assert up.stop() == 0
