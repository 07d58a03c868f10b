"""Children are real processes here."""

import io
import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from portal.supervisor import children
from portal.supervisor.children import Child, Spec, ended
from portal.supervisor.logs import Console, LogFile
from tests.services.wait import wait_until

SLEEPER = "import signal; print('up', flush=True); signal.pause()"
STUBBORN = (
    "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True);"
    "\nwhile True: signal.pause()"
)


@pytest.fixture
def said() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def make(tmp_path: Path, said: io.StringIO) -> Iterator[Callable[[str], Child]]:
    made: list[tuple[Child, LogFile]] = []

    def child(code: str) -> Child:
        file = LogFile(tmp_path / f"{len(made)}.log")
        one = Child(Spec("web", (sys.executable, "-c", code)), file, Console(["web"], said))
        made.append((one, file))
        return one

    yield child
    for one, file in made:
        one.wait(0)
        file.close()


def is_up(child: Child, folder: Path) -> bool:
    return "up" in (folder / "0.log").read_text()


def test_a_child_that_dies_is_started_again_after_a_pause(
    make: Callable[[str], Child], said: io.StringIO, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(children, "FIRST_PAUSE", 0.01)
    child = make(SLEEPER)
    child._pause = 0.01
    child.start()
    first = child.pid
    wait_until(lambda: is_up(child, tmp_path))
    assert child.watch()
    os.kill(first, signal.SIGKILL)
    wait_until(lambda: child.pid is None)
    assert not child.watch()
    wait_until(child.watch)
    assert child.pid not in (None, first)
    assert child.restarts == 1
    assert "was ended by SIGKILL; starts again in 0.01 s" in said.getvalue()
    assert child._pause == 0.02


def test_a_child_s_last_words_are_said(make: Callable[[str], Child], said: io.StringIO) -> None:
    child = make("print('no such option'); raise SystemExit(2)")
    child.start()
    wait_until(lambda: child.pid is None)
    child.watch()
    assert "ended with exit code 2 (no such option)" in said.getvalue()


def test_a_child_asked_to_stop_is_not_started_again(
    make: Callable[[str], Child], tmp_path: Path
) -> None:
    child = make(SLEEPER)
    child.start()
    wait_until(lambda: is_up(child, tmp_path))
    child.ask_to_stop()
    assert child.wait(5)
    assert not child.watch()
    assert child.pid is None


def test_a_child_that_does_not_stop_is_killed(make: Callable[[str], Child], tmp_path: Path) -> None:
    child = make(STUBBORN)
    child.start()
    wait_until(lambda: is_up(child, tmp_path))
    child.ask_to_stop()
    assert not child.wait(0.1)
    assert child.pid is None


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (0, "ended with exit code 0"),
        (3, "ended with exit code 3"),
        (-9, "was ended by SIGKILL"),
        (-99, "was ended by signal 99"),
        (None, "ended"),
    ],
)
def test_how_a_process_ended_in_words(code: int | None, words: str) -> None:
    assert ended(code) == words
