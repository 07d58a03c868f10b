"""What children say: all of it into ``<data>/logs/NAME.log``, warnings and worse to the console.

A line is JSON (our processes), mosquitto's or gunicorn's. The level is read off it; a traceback is
shown whole.
"""

from __future__ import annotations

import json
import re
import sys
import threading
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Final

import click

LARGEST: Final = 5 * 1024 * 1024
KEPT: Final = 3
"""Old files kept beside the current one."""
COLOURS: Final = ("cyan", "magenta", "blue", "green", "yellow", "white")
_LEVELS: Final = {"debug": 10, "info": 20, "warning": 30, "warn": 30, "error": 40, "critical": 50}
_SHOWN_FROM: Final = 30
_BRACKETED: Final = re.compile(r"\[(DEBUG|INFO|WARNING|ERROR|CRITICAL)\]")
_MOSQUITTO: Final = re.compile(r"^\S+T\S+: (Error|Warning)\b", re.IGNORECASE)
_HIDDEN: Final = frozenset({"event", "level", "timestamp", "logger", "exception", "stack"})


class LogFile:
    """A file that is moved aside when it grows too large: ``NAME.log``, ``NAME.log.1``, …"""

    def __init__(self, path: Path, largest: int = LARGEST, kept: int = KEPT) -> None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.path = path
        self._largest = largest
        self._kept = kept
        self._stream = self._open()

    def write(self, line: bytes) -> None:
        """Append a line (with its end) and let it reach the file."""
        if self._stream.tell() + len(line) > self._largest and self._stream.tell():
            self._rotate()
        self._stream.write(line)
        self._stream.flush()

    def close(self) -> None:
        """Let go of the file."""
        self._stream.close()

    def _open(self) -> IO[bytes]:
        stream = self.path.open("ab")
        self.path.chmod(0o600)
        return stream

    def _rotate(self) -> None:
        self._stream.close()
        for number in range(self._kept, 0, -1):
            older = self.path.with_name(f"{self.path.name}.{number}")
            newer = (
                self.path.with_name(f"{self.path.name}.{number - 1}") if number > 1 else self.path
            )
            if newer.exists():
                newer.replace(older)
        self._stream = self._open()


class Console:
    """The terminal, shared by all children; each has a prefix in its own colour."""

    def __init__(self, names: list[str], stream: IO[str] | None = None) -> None:
        self._stream = stream
        self._width = max(map(len, names), default=0)
        self._colours = {name: COLOURS[n % len(COLOURS)] for n, name in enumerate(names)}
        self._lock = threading.Lock()

    def say(self, name: str, text: str, *, level: int = 20) -> None:
        """One line of a child, or about it."""
        prefix = click.style(f"{name:<{self._width}} |", fg=self._colours.get(name, "white"))
        if level >= 40:
            text = click.style(text, fg="red")
        elif level >= 30:
            text = click.style(text, fg="yellow")
        with self._lock:
            click.echo(f"{prefix} {text}", file=self._stream or sys.stderr)


class Reader:
    """Reads one child's output until it ends; a thread of its own."""

    def __init__(self, name: str, source: IO[bytes], file: LogFile, console: Console) -> None:
        self._name = name
        self._source = source
        self._file = file
        self._console = console
        self._in_traceback = False
        self.last = ""
        """The last line that was not blank."""
        self._thread = threading.Thread(target=self._run, name=f"log-{name}", daemon=True)
        self._thread.start()

    def join(self, timeout: float) -> None:
        """Wait until everything has been read."""
        self._thread.join(timeout)

    def _run(self) -> None:
        with self._source:
            for line in self._source:
                # A full disk must not stop the child, who would block on a full pipe.
                with suppress(OSError, ValueError):
                    self._file.write(line if line.endswith(b"\n") else line + b"\n")
                self._show(line.decode("utf-8", "replace").rstrip())

    def _show(self, line: str) -> None:
        level, text = read_line(line)
        self.last = text or self.last
        if level is None:
            if line.startswith("Traceback (most recent call last):"):
                self._in_traceback = True
            if not self._in_traceback:
                return
            level = 40
            if line and not line[0].isspace() and not line.startswith("Traceback"):
                self._in_traceback = False  # its last line: the error itself
        if level >= _SHOWN_FROM:
            self._console.say(self._name, text, level=level)


def read_line(line: str) -> tuple[int | None, str]:
    """Level of a line (``None`` when it says none) and how it is shown."""
    if line.startswith("{"):
        try:
            record = json.loads(line)
        except ValueError:
            return None, line
        if isinstance(record, dict) and "event" in record:
            return _LEVELS.get(str(record.get("level", "info")), 20), _shown(record)
    bracketed = _BRACKETED.search(line)
    if bracketed:
        return _LEVELS[bracketed[1].lower()], line
    said = _MOSQUITTO.match(line)
    if said:
        return _LEVELS[said[1].lower()], line
    return None, line


def _shown(record: dict[str, object]) -> str:
    moment = str(record.get("timestamp", ""))
    try:
        clock = datetime.fromisoformat(moment).astimezone(UTC).strftime("%H:%M:%S ")
    except ValueError:
        clock = ""
    words = [f"{key}={value}" for key, value in record.items() if key not in _HIDDEN]
    text = " ".join([f"{clock}{record['event']}", *words])
    trace = record.get("exception")
    return f"{text}\n{trace}" if trace else text
