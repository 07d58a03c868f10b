"""A demo community in a temporary folder, on free loopback ports, for as long as pictures are taken."""

from __future__ import annotations

import json
import os
import shutil
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

import pyotp
from playwright.sync_api import Page

from mqtt.simulator import control
from provisioning.bench.form import free_port

READY_WITHIN: Final = 120.0
"""Seconds."""


STEP: Final = 30
"""Seconds that an authenticator shows one code."""
_USED: Final[dict[str, int]] = {}
"""By secret, the step whose code was used last."""


def fresh_code(secret: str) -> str:
    """Six digits of an authenticator that this process has not used yet, waiting for them if it must.

    None works twice; the next ones count already while these are shown.
    """
    step = max(int(time.time()) // STEP, _USED.get(secret, 0) + 1)
    while step > int(time.time()) // STEP + 1:
        time.sleep(0.1)
    _USED[secret] = step
    return pyotp.TOTP(secret).at(step * STEP)


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

    def facts(self) -> dict[str, Any]:
        """Numbers of its places."""
        told: dict[str, Any] = json.loads((self.data / "demo.json").read_text("utf-8"))
        return told

    def resident(self) -> str:
        """The user name of the approved owner."""
        return next(
            name for name, one in self.accounts().items() if "owner, approved" in one["note"]
        )

    def sign_in(self, page: Page, name: str) -> None:
        """By the form, with the authenticator's code where the account has one."""
        account = self.accounts()[name]
        page.goto(f"{self.url}/sign-in")
        page.locator("#identity").fill(name)
        page.locator("#password").fill(account["password"])
        page.locator("main button[type=submit]").click()
        if account["totp_secret"]:
            page.locator("#code").fill(fresh_code(account["totp_secret"]))
            page.locator("main button[type=submit]").click()
        page.wait_for_url(lambda url: "/sign-in" not in url)

    def scan(self, gate: str, celsius: float, **what: str) -> str:
        """Hold ``image`` (base64) or ``code`` before a virtual gate; the reason of its decision."""
        request = {"op": "scan", "device": gate, "body_temperature": celsius, **what}
        answer = control.ask(self.data / control.SOCKET_NAME, request)
        return str(answer.get("reason", answer.get("error")))

    def press(self, button: str) -> None:
        """Press a virtual alarm button."""
        control.ask(self.data / control.SOCKET_NAME, {"op": "press", "device": button})


def chromium() -> dict[str, Any]:
    """How Playwright starts the Chromium of this machine.

    Raises:
        NotUpError: there is none.
    """
    program = next(
        filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
    )
    if program is None:
        raise NotUpError("Chromium is not on this machine")
    return {
        "executable_path": program,
        "args": ["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
    }


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
