"""What children say is kept whole and shown from warnings on."""

import io
import json
import os
from pathlib import Path

import pytest

from portal.supervisor.logs import Console, LogFile, Reader, read_line


@pytest.mark.parametrize(
    ("line", "level"),
    [
        ('{"event": "x", "level": "info"}', 20),
        ('{"event": "x", "level": "warning"}', 30),
        ('{"event": "x"}', 20),
        ('{"not": "a record"}', None),
        ("{broken", None),
        ("[2026-11-23 00:00:00 +0000] [7] [ERROR] Worker failed", 40),
        ("2026-11-23T00:24:20: Warning: Mosquitto should not be run as root", 30),
        ("2026-11-23T00:24:20: Error: Unable to open", 40),
        ("2026-11-23T00:24:20: New client connected", None),
        ("", None),
    ],
)
def test_the_level_is_read_off_a_line(line: str, level: int | None) -> None:
    assert read_line(line)[0] == level


def test_a_record_is_shown_with_its_words_and_its_traceback() -> None:
    record = {
        "event": "commit_failed",
        "level": "error",
        "timestamp": "2026-03-02T08:00:00Z",
        "tries": 3,
        "exception": "Traceback…",
    }
    assert read_line(json.dumps(record)) == (40, "08:00:00 commit_failed tries=3\nTraceback…")


def read_through(text: bytes, folder: Path) -> tuple[str, str, Reader]:
    file = LogFile(folder / "web.log")
    shown = io.StringIO()
    source, sink = os.pipe()
    reader = Reader("web", os.fdopen(source, "rb"), file, Console(["web", "broker"], shown))
    with os.fdopen(sink, "wb") as stream:
        stream.write(text)
    reader.join(5)
    file.close()
    return (folder / "web.log").read_text("utf-8", "replace"), shown.getvalue(), reader


def test_everything_is_kept_and_only_warnings_are_shown(tmp_path: Path) -> None:
    text = b'{"event": "quiet", "level": "info"}\n{"event": "loud", "level": "warning"}\nlast'
    kept, shown, reader = read_through(text, tmp_path)
    assert kept == text.decode() + "\n"
    assert "loud" in shown
    assert "quiet" not in shown
    assert "web" in shown
    assert reader.last == "last"
    assert (tmp_path / "web.log").stat().st_mode & 0o077 == 0


def test_a_traceback_is_shown_whole_and_ends_with_its_error(tmp_path: Path) -> None:
    text = b"Traceback (most recent call last):\n  File x\n    y\nValueError: no\nordinary\n"
    _, shown, _ = read_through(text, tmp_path)
    assert "ValueError: no" in shown
    assert "File x" in shown
    assert "ordinary" not in shown


def test_bytes_that_are_no_text_stop_nothing(tmp_path: Path) -> None:
    _, shown, _ = read_through(b'\xff\xfe\n{"event": "after", "level": "error"}\n', tmp_path)
    assert "after" in shown


def test_a_large_file_is_moved_aside_and_only_a_few_are_kept(tmp_path: Path) -> None:
    file = LogFile(tmp_path / "x.log", largest=10, kept=2)
    for letter in b"abcde":
        file.write(bytes([letter]) * 8 + b"\n")
    file.close()
    found = {p.name: p.read_text()[0] for p in tmp_path.iterdir()}
    assert found == {"x.log": "e", "x.log.1": "d", "x.log.2": "c"}
