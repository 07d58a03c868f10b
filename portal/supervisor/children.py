"""One child process: started in a group of its own, read, restarted with growing pauses, ended.

::

    stopped ──start──► running ──dies──► waiting (1 s, doubling to 30 s) ──► running
                          └────stop────► stopped          a minute of life resets the pause

A child gets SIGTERM from the kernel when the supervisor dies (Linux), so that none is left behind.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from portal.core.parent import death_signal
from portal.supervisor.logs import Console, LogFile, Reader

FIRST_PAUSE: Final = 1.0
LONGEST_PAUSE: Final = 30.0
SETTLED: Final = 60.0
"""Seconds of life after which a child counts as well."""


@dataclass(frozen=True, slots=True)
class Spec:
    """What is started. ``environment`` is added to ours."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)


class Child:
    """See the module. Call from the main thread only: the death signal is tied to the thread."""

    def __init__(self, spec: Spec, file: LogFile, console: Console) -> None:
        self.spec = spec
        self.restarts = 0
        self._file = file
        self._console = console
        self._process: subprocess.Popen[bytes] | None = None
        self._reader: Reader | None = None
        self._started = 0.0
        self._pause = FIRST_PAUSE
        self._due: float | None = None

    @property
    def name(self) -> str:
        """The child's name."""
        return self.spec.name

    @property
    def pid(self) -> int | None:
        """Its process id while it runs."""
        return self._process.pid if self._process and self._process.poll() is None else None

    def start(self) -> None:
        """Start it.

        Raises:
            OSError: its program cannot be run.
        """
        self._process = subprocess.Popen(
            self.spec.command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**os.environ, **self.spec.environment},
            start_new_session=True,
            preexec_fn=death_signal(signal.SIGTERM),  # noqa: PLW1509 - only prctl, no lock
        )
        self._started = time.monotonic()
        self._due = None
        if self._process.stdout is not None:
            self._reader = Reader(self.name, self._process.stdout, self._file, self._console)

    def watch(self) -> bool:
        """Notice its death and start it again when its pause is over; returns whether it runs."""
        if self.pid is not None:
            if time.monotonic() - self._started > SETTLED:
                self._pause = FIRST_PAUSE
            return True
        if self._process is not None:
            code = self._process.returncode
            self._end_group(signal.SIGKILL)
            words = self._collect()
            said = f" ({words})" if code and code > 0 and words else ""
            text = f"{ended(code)}{said}; starts again in {self._pause:g} s"
            self._console.say(self.name, text, level=40)
            self._due = time.monotonic() + self._pause
            self._pause = min(self._pause * 2, LONGEST_PAUSE)
        elif self._due is not None and time.monotonic() >= self._due:
            self.restarts += 1
            try:
                self.start()
            except OSError as error:
                self._console.say(self.name, f"cannot be started: {error}", level=40)
                self._due = time.monotonic() + self._pause
                return False
            self._console.say(self.name, "started again", level=30)
            return True
        return False

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the child itself."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(number)

    def ask_to_stop(self) -> None:
        """SIGTERM; do not start it again."""
        self._due = None
        self.send(signal.SIGTERM)

    def wait(self, timeout: float) -> bool:
        """Wait for its end; kill it, and what it started, when it takes longer than ``timeout`` seconds.

        Returns:
            Whether it ended by itself.
        """
        if self._process is None:
            return True
        in_time = True
        try:
            self._process.wait(max(timeout, 0.0))
        except subprocess.TimeoutExpired:
            in_time = False
        self._end_group(signal.SIGKILL)
        self._process.wait()
        self._collect()
        return in_time

    def _end_group(self, number: signal.Signals) -> None:
        if self._process is not None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, number)

    def _collect(self) -> str:
        """Read what is left and forget the process; its last words."""
        words = ""
        if self._reader is not None:
            self._reader.join(2.0)
            words = self._reader.last
            self._reader = None
        self._process = None
        return words


def ended(code: int | None) -> str:
    """How a process ended, in words."""
    if code is None:
        return "ended"
    if code < 0:
        try:
            return f"was ended by {signal.Signals(-code).name}"
        except ValueError:
            return f"was ended by signal {-code}"
    return f"ended with exit code {code}"
