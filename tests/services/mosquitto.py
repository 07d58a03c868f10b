"""A real mosquitto with a configuration of the test's own."""

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from string import Template

from mqtt.broker.binaries import Mosquitto
from tests.services.child import Child, free_port, listens


@dataclass(frozen=True)
class Broker:
    """A broker on 127.0.0.1; `child` stops, kills and starts it, always on the same port."""

    port: int
    folder: Path
    child: Child

    @property
    def url(self) -> str:
        """Its address, without credentials."""
        return f"mqtt://127.0.0.1:{self.port}"

    def log(self) -> str:
        """All it has logged so far."""
        return self.child.log.read_text("utf-8", "replace")


class Brokers:
    """Starts brokers, and stops those still running when the test run ends."""

    def __init__(self, mosquitto: Mosquitto, folder: Path) -> None:
        self.mosquitto = mosquitto
        self._folder = folder
        self._started: list[Broker] = []

    def __call__(self, config: str, files: Mapping[str, str] | None = None) -> Broker:
        """Start a broker and return when its port answers.

        `config` is the text of mosquitto.conf; `${port}` and `${folder}` in it and in `files`
        (further files by name, for passwords and rules) stand for the broker's own. A listener
        on 127.0.0.1:${port} and logging are added when the text has none.
        """
        port = free_port()
        folder = Path(tempfile.mkdtemp(prefix="mosquitto-", dir=self._folder))
        values = {"port": str(port), "folder": str(folder)}
        for name, text in (files or {}).items():
            path = folder / name
            path.write_text(Template(text).safe_substitute(values), encoding="utf-8")
            path.chmod(0o600)
        path = folder / "mosquitto.conf"
        path.write_text(_complete(Template(config).safe_substitute(values), port), encoding="utf-8")
        child = Child(
            name="mosquitto",
            command=self.mosquitto.command("-c", path),
            environment=self.mosquitto.child_environment(),
            log=folder / "mosquitto.log",
            answers=lambda: listens(port),
        )
        broker = Broker(port, folder, child)
        child.start()
        self._started.append(broker)
        return broker

    def stop(self) -> None:
        """Stop all of them."""
        for broker in self._started:
            broker.child.stop()


def _complete(config: str, port: int) -> str:
    # "listener" starts a section that later lines belong to, so ours comes first, and what holds
    # for the whole broker before it.
    keys = {line.split(maxsplit=1)[0] for line in config.splitlines() if line.strip()}
    head = []
    if os.geteuid() == 0 and "user" not in keys:
        head.append("user root")  # else it becomes another user, who cannot read the folder
    if "log_dest" not in keys:
        head.append("log_dest stderr")
    if "listener" not in keys:
        head.append(f"listener {port} 127.0.0.1")
    return "\n".join([*head, config, ""])


@contextmanager
def brokers(mosquitto: Mosquitto, folder: Path) -> Iterator[Brokers]:
    """A starter of brokers whose files lie under `folder`."""
    starter = Brokers(mosquitto, folder)
    try:
        yield starter
    finally:
        starter.stop()
