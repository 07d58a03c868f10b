"""A demo community in a temporary folder, on free loopback ports, for as long as pictures are taken."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from mqtt.simulator import control
from provisioning.bench.form import free_port

READY_WITHIN: Final = 120.0
"""Seconds."""


class NotUpError(RuntimeError):
    """The demo ended or did not come up; the message is the end of what it said."""


@dataclass(frozen=True, slots=True)
class Demo:
    """A running `linli up --demo`."""

    url: str
    data: Path

    def accounts(self) -> dict[str, dict[str, Any]]:
        """Sign-ins by user name."""
        listed = json.loads((self.data / "demo-accounts.json").read_text("utf-8"))
        return {account["username"]: account for account in listed}

    def scan(self, gate: str, celsius: float, **what: str) -> str:
        """Hold ``image`` (base64) or ``code`` before a virtual gate; the reason of its decision."""
        request = {"op": "scan", "device": gate, "body_temperature": celsius, **what}
        answer = control.ask(self.data / control.SOCKET_NAME, request)
        return str(answer.get("reason", answer.get("error")))


@contextmanager
def demo() -> Iterator[Demo]:
    """Start it, and stop it as by Ctrl-C.

    Raises:
        NotUpError: see there.
    """
    with TemporaryDirectory(prefix="linli-screens-") as folder:
        data, port = Path(folder) / "data", free_port()
        kept = {k: v for k, v in os.environ.items() if not k.startswith("LINLI_")}
        settings = {
            "LINLI_DATA_DIR": str(data),
            "LINLI_HTTP_PORT": str(port),
            "LINLI_MQTT_PORT": str(free_port()),
            "LINLI_METRICS_PORT": str(free_port(row=3)),
        }
        log = Path(folder) / "up.log"
        with log.open("wb") as said:
            process = subprocess.Popen(
                [sys.executable, "-m", "portal", "up", "--demo"],
                env={**kept, **settings},
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            _await(process, log)
            yield Demo(f"http://127.0.0.1:{port}", data)
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(30)


def _await(process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + READY_WITHIN
    while "Ctrl-C" not in (text := log.read_text("utf-8", "replace")):
        if process.poll() is not None or time.monotonic() > deadline:
            raise NotUpError(text[-2000:])
        time.sleep(0.2)
