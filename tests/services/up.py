"""`linli up` as a person starts it, on free loopback ports and with a data folder of its own."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

from tests.services.child import free_port, three_free_ports
from tests.services.wait import wait_until

READY_WITHIN = 90.0


class Up:
    """One `linli up` with a data folder and ports of its own."""

    def __init__(self, data: Path, log: Path, **settings: str) -> None:
        self.data = data
        self.log = log
        first = three_free_ports()
        self.http = free_port()
        self.environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith("LINLI_")},
            "LINLI_DATA_DIR": str(data),
            "LINLI_HTTP_PORT": str(self.http),
            "LINLI_MQTT_PORT": str(free_port()),
            "LINLI_METRICS_PORT": str(first),
            "PYTHONPATH": os.pathsep.join(p for p in sys.path if p),
            **settings,
        }
        self.process: subprocess.Popen[bytes] | None = None

    def run(self, *arguments: str, **extra: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-P", "-m", "portal", *arguments],
            env={**self.environment, **extra},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def start(self, *options: str) -> None:
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-P", "-m", "portal", "up", *options],
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        wait_until(self._is_up, READY_WITHIN, what="the banner")

    def _is_up(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, self.said()
        return bool(self.told().get("processes")) and "Ctrl-C" in self.said()

    def told(self) -> dict[str, Any]:
        try:
            facts: dict[str, Any] = json.loads((self.data / "run/up.json").read_text())
        except (OSError, ValueError):
            return {}
        return facts

    def said(self) -> str:
        return self.log.read_text("utf-8", "replace")

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.http}"

    def family(self) -> list[psutil.Process]:
        assert self.process is not None
        return psutil.Process(self.process.pid).children(recursive=True)

    def stop(self, number: signal.Signals = signal.SIGINT) -> int:
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(20)

    def clear_away(self) -> None:
        """End at once whatever still runs."""
        if self.process is None or self.process.poll() is not None:
            return
        family = self.family()
        self.process.kill()
        self.process.wait()
        for process in family:
            if process.is_running():
                process.kill()


@contextmanager
def demo(folder: Path, **settings: str) -> Iterator[Up]:
    """A demo community that is up; stopped at the end as by Ctrl-C."""
    one = Up(folder / "data", folder / "up.log", **settings)
    try:
        one.start("--demo")
        yield one
        one.stop()
    finally:
        one.clear_away()
