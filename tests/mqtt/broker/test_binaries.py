"""Which mosquitto is taken, by stand-in programs that answer as one does."""

import subprocess
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from mqtt.broker.binaries import find_mosquitto
from tests.services.mosquitto import Brokers

ANSWERS = "#!/bin/sh\necho 'mosquitto version {version}'\nexit 3\n"
BROKEN = "#!/bin/sh\necho 'error while loading shared libraries: libcjson.so.1' >&2\nexit 127\n"


@pytest.fixture(autouse=True)
def _bare_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Only what the test lays into tmp_path is there."""
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.delenv("LD_LIBRARY_PATH", raising=False)
    monkeypatch.setattr("mqtt.broker.binaries._SBIN", (tmp_path / "sbin",))


def _program(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    path.chmod(0o755)
    return path


def _unpacked(cache: Path, text: str) -> Path:
    root = cache / "system" / "mosquitto"
    program = _program(root / "usr/sbin/mosquitto", text)
    _program(root / "usr/bin/mosquitto_passwd", "#!/bin/sh\n")
    (root / "usr/lib/x86_64-linux-gnu").mkdir(parents=True)
    (root / "usr/lib/x86_64-linux-gnu/libcjson.so.1").touch()
    (root / "usr/lib/x86_64-linux-gnu/mosquitto_dynamic_security.so").touch()
    (root / "unpacked.txt").touch()
    return program


def test_a_machine_without_mosquitto_has_none(tmp_path: Path) -> None:
    assert find_mosquitto(tmp_path / "cache") is None


def test_an_installed_mosquitto_comes_before_an_unpacked_one(tmp_path: Path) -> None:
    _unpacked(tmp_path / "cache", ANSWERS.format(version="2.1.2"))
    program = _program(tmp_path / "bin/mosquitto", ANSWERS.format(version="2.0.11"))
    found = find_mosquitto(tmp_path / "cache")
    assert found is not None
    assert (found.program, found.version, found.origin) == (program, (2, 0, 11), "installed")
    assert found.environment == {}


def test_a_mosquitto_on_roots_path_only_is_found(tmp_path: Path) -> None:
    program = _program(tmp_path / "sbin/mosquitto", ANSWERS.format(version="2.0.11"))
    found = find_mosquitto(tmp_path / "cache")
    assert found is not None
    assert found.command("-p", 1883) == [str(program), "-p", "1883"]


def test_an_unpacked_mosquitto_gets_its_libraries(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LD_LIBRARY_PATH", "/opt/lib")
    program = _unpacked(tmp_path / "cache", ANSWERS.format(version="2.0.11"))
    found = find_mosquitto(tmp_path / "cache")
    assert found is not None
    folder = program.parents[1] / "lib/x86_64-linux-gnu"
    assert found.origin == "unpacked"
    assert found.child_environment()["LD_LIBRARY_PATH"] == f"{folder}:/opt/lib"
    assert found.passwd == program.parents[1] / "bin/mosquitto_passwd"
    assert found.dynamic_security == folder / "mosquitto_dynamic_security.so"


def test_a_mosquitto_that_does_not_run_is_passed_over_and_logged(tmp_path: Path) -> None:
    _program(tmp_path / "bin/mosquitto", BROKEN)
    unpacked = _unpacked(tmp_path / "cache", ANSWERS.format(version="2.0.11"))
    with capture_logs() as logs:
        found = find_mosquitto(tmp_path / "cache")
    assert found is not None
    assert found.program == unpacked
    assert [entry["event"] for entry in logs] == ["mosquitto_unusable"]
    assert "libcjson" in str(logs[0]["cause"])


def test_a_file_that_is_no_program_is_passed_over(tmp_path: Path) -> None:
    _program(tmp_path / "bin/mosquitto", "\x7fELF and no more")
    assert find_mosquitto(tmp_path / "cache") is None


def test_the_real_one_tells_its_version(mosquitto: Brokers) -> None:
    real = mosquitto.mosquitto
    answer = subprocess.run(
        real.command("-h"),
        env=real.child_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert ".".join(map(str, real.version)) in answer.stdout
