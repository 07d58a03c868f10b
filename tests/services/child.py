"""Real servers as children of the test run: started, watched, and ended by their own pid."""

import os
import pwd
import signal
import socket
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.services.wait import wait_until

_given_out: set[int] = set()


def free_port() -> int:
    """A loopback TCP port that nothing listens on and that this run has not given out before."""
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port: int = probe.getsockname()[1]
        if port not in _given_out:
            _given_out.add(port)
            return port


def three_free_ports() -> int:
    """The first of three free ports in a row: the metrics of web, worker and ingest."""
    while True:
        first = free_port()
        try:
            for port in range(first, first + 3):
                with socket.socket() as probe:
                    probe.bind(("127.0.0.1", port))
        except (OSError, OverflowError):
            continue
        return first


def listens(port: int) -> bool:
    """Whether something accepts TCP connections on this loopback port."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
    except OSError:
        return False


def lesser_user() -> str | None:
    """Who runs what refuses to run as root: `postgres`, else `nobody`; None when we are not root."""
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


@dataclass
class Child:
    """A server process. `stop` asks it to end, `kill` ends it at once, `start` starts it (again)."""

    name: str
    command: Sequence[str]
    log: Path
    answers: Callable[[], object]
    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    user: str | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    @property
    def pid(self) -> int:
        """The process id; only a running child has one."""
        if self.process is None:
            raise RuntimeError(f"{self.name} is not running")
        return self.process.pid

    @property
    def running(self) -> bool:
        """Whether the process is there."""
        return self.process is not None and self.process.poll() is None

    def start(self, timeout: float = 30.0) -> None:
        """Start it and return when it answers; RuntimeError with its log when it does not."""
        self.launch()
        self.await_answer(timeout)

    def launch(self) -> None:
        """Start it and return at once."""
        if self.running:
            raise RuntimeError(f"{self.name} is running already")
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=dict(self.environment),
                user=self.user,
                group=pwd.getpwnam(self.user).pw_gid if self.user else None,
                extra_groups=[] if self.user else None,
                cwd=self.log.parent,
                start_new_session=True,  # Ctrl-C in the test run reaches it through stop()
            )

    def await_answer(self, timeout: float = 30.0) -> None:
        """Return when it answers; RuntimeError with its log when it does not."""
        try:
            wait_until(lambda: not self.running or self.answers(), timeout, what=self.name)
        except TimeoutError as error:
            self.kill()
            raise RuntimeError(f"{error}\n{self.last_words()}") from error
        if not self.running:
            raise RuntimeError(f"{self.name} ended at once\n{self.last_words()}")

    def stop(self, timeout: float = 15.0) -> None:
        """Ask it to end and wait; kill it when it does not within `timeout` seconds."""
        if self.process is None:
            return
        if self.running:
            self.process.send_signal(self.stop_signal)
            try:
                self.process.wait(timeout)
            except subprocess.TimeoutExpired:
                self.process.kill()
        self.process.wait()
        self.process = None

    def kill(self) -> None:
        """End it with SIGKILL, as a crash or a power cut would."""
        if self.process is None:
            return
        self.process.kill()
        self.process.wait()
        self.process = None

    def last_words(self, lines: int = 20) -> str:
        """The end of its log."""
        return "\n".join(self.log.read_text("utf-8", "replace").splitlines()[-lines:])
