"""The broker that `linli up` starts: mosquitto where this machine has one, else iotcore.

:func:`plan` chooses and says how the process is started and what it lacks; whoever looks after
processes starts it. :class:`EmbeddedBroker` does that for benches and tests.

What iotcore (rumqttd 0.20 in a wheel) does and does not do, tried with 0.4: MQTT 5, names and
passwords, shared subscriptions; no rules per account, no hashes, nothing on disk, no reload.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final, Literal

from paho.mqtt.client import Client, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.reasoncodes import ReasonCode

from mqtt.broker.accounts import BrokerAccount
from mqtt.broker.binaries import Mosquitto, find_mosquitto
from mqtt.broker.credentials import Credential
from mqtt.broker.files import (
    FOLDER,
    BrokerFiles,
    iotcore_text,
    mosquitto_text,
    write_accounts,
    write_private,
)

Choice = Literal["auto", "mosquitto", "iotcore"]

IOTCORE_LACKS: Final = (
    "no rules per device: every account may read and write every topic",
    "nothing on disk: queues and retained statuses are gone when it stops (devices repeat unanswered events)",
    "only accounts whose password is in the data folder: devices enrolled by hand cannot sign in",
    "MQTT 5 only",
)


class BrokerMissingError(RuntimeError):
    """The broker asked for is not on this machine; the message says what to do."""


@dataclass(frozen=True, slots=True)
class BrokerPlan:
    """How to start the broker. ``lacks`` is what a person should know before relying on it."""

    kind: Literal["mosquitto", "iotcore"]
    label: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    reloads: bool
    lacks: tuple[str, ...] = ()


def plan(data_dir: Path, choice: Choice = "auto", cache: Path | None = None) -> BrokerPlan:
    """Choose the broker.

    Args:
        data_dir: the data folder; the broker's files lie in ``broker/`` there.
        choice: ``auto`` takes mosquitto when there is one that runs.
        cache: where an unpacked mosquitto is looked for, see :mod:`mqtt.broker.binaries`.

    Raises:
        BrokerMissingError: mosquitto was asked for and is not here.
    """
    files = BrokerFiles(data_dir / FOLDER)
    found = None if choice == "iotcore" else find_mosquitto(cache)
    if found is not None:
        return _mosquitto_plan(found, files)
    if choice == "mosquitto":
        raise BrokerMissingError(
            "mosquitto is not on this machine: install it (apt-get install mosquitto), "
            "or take LINLI_BROKER=iotcore"
        )
    return BrokerPlan(
        kind="iotcore",
        label="iotcore",
        command=(sys.executable, "-m", "mqtt.broker.iotcore_child", str(files.iotcore)),
        environment={},
        reloads=False,
        lacks=IOTCORE_LACKS,
    )


def _mosquitto_plan(found: Mosquitto, files: BrokerFiles) -> BrokerPlan:
    return BrokerPlan(
        kind="mosquitto",
        label=f"mosquitto {'.'.join(map(str, found.version))}",
        command=tuple(found.command("-c", files.configuration)),
        environment=dict(found.environment),
        reloads=True,
    )


def write_files(
    data_dir: Path, broker: BrokerPlan, port: int, accounts: Iterable[BrokerAccount]
) -> None:
    """Write everything the broker reads at its start."""
    files = BrokerFiles(data_dir / FOLDER)
    listed = list(accounts)
    if broker.kind == "mosquitto":
        write_private(files.configuration, mosquitto_text(files, port))
        write_accounts(files, listed)
    else:
        write_private(files.iotcore, iotcore_text(port, listed))


def signs_in(
    host: str, port: int, credential: Credential, *, timeout: float = 3.0, client_id: str = ""
) -> str | None:
    """Whether the broker answers a real MQTT 5 CONNECT with this account.

    Returns:
        ``None`` when it lets us in, else what stood in the way.
    """
    answered = threading.Event()
    verdict: list[str] = []

    def on_connect(
        _client: Client, _data: object, _flags: object, code: ReasonCode, _p: object
    ) -> None:
        if code.is_failure:
            verdict.append(str(code))
        answered.set()

    def on_disconnect(
        _client: Client, _data: object, _flags: object, code: ReasonCode, _p: object
    ) -> None:
        if not answered.is_set():
            verdict.append(f"closed the connection ({code})")
            answered.set()

    client = Client(CallbackAPIVersion.VERSION2, client_id=client_id, protocol=MQTTv5)
    client.username_pw_set(credential.username, credential.password)
    client.on_connect = on_connect
    client.on_disconnect = on_disconnect
    client.connect_timeout = timeout
    try:
        client.connect(host, port)
    except OSError as error:
        return error.strerror or str(error)
    client.loop_start()
    try:
        if not answered.wait(timeout):
            return f"no answer within {timeout:g} s"
        return verdict[0] if verdict else None
    finally:
        client.disconnect()
        client.loop_stop()


class EmbeddedBroker:
    """A broker as a child of this process, for benches and tests; a context manager."""

    def __init__(
        self,
        data_dir: Path,
        port: int,
        accounts: Iterable[BrokerAccount],
        probe: Credential,
        choice: Choice = "auto",
    ) -> None:
        """Write nothing yet; ``probe`` is an account that :meth:`start` signs in with."""
        self.data_dir = data_dir
        self.port = port
        self.accounts = list(accounts)
        self.probe = probe
        self.plan = plan(data_dir, choice)
        self._process: subprocess.Popen[bytes] | None = None
        self._log: IO[bytes] | None = None

    @property
    def pid(self) -> int:
        """Process id of the running broker."""
        if self._process is None:
            raise RuntimeError("the broker is not running")
        return self._process.pid

    @property
    def log(self) -> Path:
        """What the broker has said."""
        return self.data_dir / FOLDER / "broker.log"

    def start(self, timeout: float = 15.0) -> None:
        """Start it and return when it lets ``probe`` in.

        Raises:
            RuntimeError: it ended, or did not answer in time; the message holds its last words.
        """
        write_files(self.data_dir, self.plan, self.port, self.accounts)
        self._log = self.log.open("ab")
        self._process = subprocess.Popen(
            self.plan.command,
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            env={**os.environ, **self.plan.environment},
            start_new_session=True,
        )
        deadline = time.monotonic() + timeout
        while True:
            problem = signs_in("127.0.0.1", self.port, self.probe)
            if problem is None:
                return
            ended = self._process.poll()
            if ended is not None or time.monotonic() > deadline:
                words = self.log.read_text("utf-8", "replace").splitlines()[-10:]
                self.kill()
                raise RuntimeError("\n".join([f"{self.plan.label}: {problem}", *words]))
            try:
                self._process.wait(0.05)
            except subprocess.TimeoutExpired:
                continue

    def reload(self, accounts: Iterable[BrokerAccount]) -> None:
        """Take other accounts; mosquitto does so while running, iotcore by starting again."""
        self.accounts = list(accounts)
        if not self.plan.reloads:
            self.stop()
            self.start()
            return
        write_accounts(BrokerFiles(self.data_dir / FOLDER), self.accounts)
        os.kill(self.pid, signal.SIGHUP)

    def stop(self, timeout: float = 10.0) -> None:
        """Ask it to end, and kill it when it does not in time."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(timeout)
            except subprocess.TimeoutExpired:
                self._process.kill()
        self._ended()

    def kill(self) -> None:
        """End it with SIGKILL."""
        if self._process is not None:
            self._process.kill()
        self._ended()

    def _ended(self) -> None:
        if self._process is not None:
            self._process.wait()
            self._process = None
        if self._log is not None:
            self._log.close()
            self._log = None

    def __enter__(self) -> EmbeddedBroker:
        self.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self.stop()
