"""``linli simulate`` in processes of its own, on a real broker."""

import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import segno
from click.testing import CliRunner, Result

from mqtt.contract.topics import DeviceAddress
from portal.cli_simulate import simulate
from tests.mqtt.simulator.answering_portal import (
    ALLOWED,
    REFUSED,
    AnsweringPortal,
    answering_portal,
)
from tests.services.mosquitto import Broker, Brokers
from tests.services.wait import wait_until

DEVICES = [
    {"community": "c1", "device": "gate", "kind": "door_lock", "title": "东门"},
    {"community": "c1", "device": "fever", "kind": "thermometer", "title": "体温"},
    {"community": "c1", "device": "locker", "kind": "parcel_locker", "title": "快递柜"},
    {"community": "c1", "device": "button", "kind": "alarm_button", "title": "按钮"},
]
START = "from portal.cli_simulate import simulate; simulate()"


@pytest.fixture(scope="module")
def broker(mosquitto: Brokers) -> Broker:
    return mosquitto("allow_anonymous true\npersistence false\n")


@pytest.fixture
def portal(broker: Broker) -> Iterator[AnsweringPortal]:
    with answering_portal(broker.port) as found:
        yield found


@pytest.fixture
def data(tmp_path: Path) -> Path:
    text = json.dumps({"version": 1, "devices": DEVICES})
    (tmp_path / "simulated-devices.json").write_text(text, "utf-8")
    return tmp_path


def _ask(data: Path, *arguments: str, picture: bytes | None = None) -> Result:
    return CliRunner().invoke(simulate, ["--data-dir", str(data), *arguments], input=picture)


@contextmanager
def _running(data: Path, broker: Broker, *more: str) -> Iterator[subprocess.Popen[bytes]]:
    arguments = ["--data-dir", str(data), "run", "--mqtt-url", broker.url, "--rate", "0", *more]
    log = (data / "log").open("ab")
    process = subprocess.Popen(
        [sys.executable, "-W", "error", "-c", START, *arguments],
        stdout=log,
        stderr=log,
        env={**os.environ, "COLUMNS": "200"},
    )
    try:

        def ready() -> bool:
            assert process.poll() is None, (data / "log").read_text()
            answer = _ask(data, "devices", "--json")
            rows = json.loads(answer.stdout) if answer.exit_code == 0 else []
            return bool(rows) and all(row["status"] == "online" for row in rows)

        wait_until(ready, 30, what="every device online")
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            process.wait(10)
        log.close()


def _picture(code: str) -> bytes:
    out = io.BytesIO()
    segno.make(code).save(out, kind="png", scale=5)
    return out.getvalue()


def test_a_picture_is_let_in_refused_or_empty(
    data: Path, broker: Broker, portal: AnsweringPortal
) -> None:
    path = data / "pass.png"
    path.write_bytes(_picture(ALLOWED))
    with _running(data, broker):
        allowed = _ask(data, "scan", "gate", "--image", str(path), "--json")
        assert allowed.exit_code == 0, allowed.output
        answer = json.loads(allowed.stdout)
        assert answer["decision"] == "unlock"
        assert answer["milliseconds"] > 0
        refused = _ask(data, "scan", "gate", "--image", "-", picture=_picture(REFUSED))
        assert refused.exit_code == 1
        assert "revoked" in refused.stdout
        by_code = _ask(data, "scan", "c1/gate", "--code", ALLOWED, "--body-temperature", "36.5")
        assert by_code.exit_code == 0
        nothing = _ask(data, "scan", "gate", "--image", "-", picture=b"no picture")
        assert nothing.exit_code == 4
        assert "no_code" in nothing.stderr
        for wrong in (["nobody", "--code", "x"], ["button", "--code", "x"], ["gate", "--code", ""]):
            assert _ask(data, "scan", *wrong).exit_code == 4
        assert _ask(data, "scan", "gate").exit_code == 2
    assert portal.events("scan")[-1]["body_temperature"] == 36.5


def test_a_button_is_pressed_cancelled_and_tested(
    data: Path, broker: Broker, portal: AnsweringPortal
) -> None:
    with _running(data, broker):
        assert _ask(data, "press", "button", "--cancel").exit_code == 1
        pressed = _ask(data, "press", "button", "--json")
        assert pressed.exit_code == 0, pressed.output
        assert json.loads(pressed.stdout)["acknowledged"] is True
        assert _ask(data, "press", "button", "--cancel").exit_code == 0
        assert _ask(data, "press", "button", "--test").exit_code == 0
    actions = [event["action"] for event in portal.events("alarm")]
    assert actions == ["pressed", "cancelled", "tested"]


def test_doors_and_thermometers_obey(data: Path, broker: Broker, portal: AnsweringPortal) -> None:
    with _running(data, broker):
        left = _ask(data, "door", "gate", "--json")
        assert json.loads(left.stdout)["state"]["door"] == "open"
        measured = _ask(data, "measure", "fever", "--temperature", "38.4")
        assert "38.4" in measured.stdout
        assert _ask(data, "measure", "fever", "--temperature", "99").exit_code == 4
        table = _ask(data, "devices").stdout
        assert all(entry["title"] in table for entry in DEVICES)
        wait_until(lambda: portal.events("reading"))
    assert portal.events("reading")[0]["over_threshold"] is True
    assert portal.faults == []


def test_lockers_obey(data: Path, broker: Broker, portal: AnsweringPortal) -> None:
    with _running(data, broker):
        assert _ask(data, "pry", "locker", "3").exit_code == 0
        shut = json.loads(_ask(data, "close", "locker", "3", "--occupied", "--json").output)
        assert shut["state"]["open"] == []
        again = _ask(data, "close", "locker", "3", "--empty")
        assert (again.exit_code, "is closed" in again.output) == (4, True)
        assert _ask(data, "close", "locker", "99").exit_code == 4
        assert _ask(data, "power-cut", "locker").exit_code == 0


def test_an_interrupt_ends_it_cleanly_and_a_second_one_is_refused(
    data: Path, broker: Broker, portal: AnsweringPortal
) -> None:
    with _running(data, broker) as process:
        second = subprocess.run(
            [
                sys.executable,
                "-c",
                START,
                "--data-dir",
                str(data),
                "run",
                "--mqtt-url",
                broker.url,
                "--no-live",
            ],
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        assert second.returncode == 4
        assert "already running" in second.stderr
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
    assert not (data / "simulator.sock").exists()
    gone = DeviceAddress("c1", "gate").status
    wait_until(lambda: portal.last(gone) == b"offline")
    assert _ask(data, "devices").exit_code == 4


def test_a_killed_simulator_is_reported_offline_and_keeps_its_queue(
    data: Path, broker: Broker, portal: AnsweringPortal
) -> None:
    portal.mute = True
    with _running(data, broker) as process:
        _ask(data, "door", "gate")
        wait_until(lambda: portal.events("door"))
        os.kill(process.pid, signal.SIGKILL)
        process.wait(10)
    waited = portal.events("door")[0]["id"]
    wait_until(lambda: portal.last(DeviceAddress("c1", "gate").status) == b"offline")
    portal.heard.clear()
    portal.mute = False
    with _running(data, broker):
        wait_until(lambda: waited in {event["id"] for event in portal.events("door")})


def test_invented_devices_need_no_file(tmp_path: Path, broker: Broker) -> None:
    with _running(tmp_path, broker, "--size", "12"):
        rows = json.loads(_ask(tmp_path, "devices", "--json").stdout)
    assert len(rows) == 12


def test_the_live_view_draws_every_device(data: Path, broker: Broker) -> None:
    with _running(data, broker, "--live"):
        drawn = wait_until(lambda: "gate" in (text := (data / "log").read_text()) and text)
    assert "alarm_button" in drawn


@pytest.mark.parametrize(
    "arguments",
    [["run"], ["run", "--population", "nothing.json"], ["run", "--size", "0"]],
    ids=["no file", "file not there", "no devices"],
)
def test_without_devices_it_is_wrong_usage(tmp_path: Path, arguments: list[str]) -> None:
    assert _ask(tmp_path, *arguments).exit_code == 2


def test_a_wrong_address_and_too_many_devices_are_wrong_usage(data: Path) -> None:
    assert _ask(data, "run", "--mqtt-url", "http://x").exit_code == 2
    assert _ask(data, "run", "--size", "5").exit_code == 2
