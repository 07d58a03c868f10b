"""A whole running system in a folder of its own: broker, worker, ingest and web as real processes.

The demo community is seeded, so that there are gates with accounts at the broker, residents with
dwellings, and people who can sign in. Each process can be killed and started again by name.
"""

import json
import os
import re
import subprocess
import sys
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from mqtt.broker.accounts import Service
from mqtt.broker.credentials import broker_access, ensure_credentials
from mqtt.broker.embedded import plan, write_files
from mqtt.broker.files import FOLDER
from mqtt.ingest import Health as IngestHealth
from mqtt.ingest import read_health as read_ingest_health
from mqtt.simulator.connection import BrokerSettings
from mqtt.simulator.population import SimulatedDevice
from mqtt.simulator.population import load as load_population
from portal import config as configuration
from portal.access.models import Passage
from portal.config import Config
from portal.core.db import Database
from portal.demo.seed import ACCOUNTS_FILE, DEVICES_FILE
from portal.supervisor import first_start, readiness
from portal.supervisor.broker_accounts import Accounts
from portal.worker.health import Health as WorkerHealth
from portal.worker.health import health_path, read_health
from tests.services.child import Child, free_port, listens, three_free_ports

NAMES = ("broker", "worker", "ingest", "web")


class Running:
    """See the module. ``child`` holds the processes by name; none runs before :meth:`start`."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.data = folder / "data"
        self.environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith("LINLI_")},
            "LINLI_DATA_DIR": str(self.data),
            "LINLI_HTTP_PORT": str(free_port()),
            "LINLI_MQTT_PORT": str(free_port()),
            "LINLI_METRICS_PORT": str(three_free_ports()),
            "LINLI_LOG_FORMAT": "json",
            "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
            "PYTHONUNBUFFERED": "1",
            **settings,
        }
        ours = {k: v for k, v in self.environment.items() if k.startswith("LINLI_")}
        self.config: Config = configuration.load(ours)[0]
        first_start.make_folder(self.data)
        self.db = Database(self.config.effective_database_url)
        first_start.prepare(self.config, self.db, demo=True)
        with self.db.read() as session:
            self._seeded = frozenset(session.scalars(select(Passage.id)))
        self._broker = plan(self.data, "mosquitto")
        self._write_broker_files()
        self.child = {name: self._make(name, folder) for name in NAMES}

    def _write_broker_files(self) -> None:
        accounts = Accounts(self.db, ensure_credentials(self.data), self.data).collect()
        write_files(self.data, self._broker, self.config.mqtt_port, accounts)

    def _make(self, name: str, folder: Path) -> Child:
        if name == "broker":
            command: Sequence[str] = self._broker.command
            environment = {**self.environment, **self._broker.environment}
        else:
            command = (sys.executable, "-P", "-m", "portal", "serve", name)
            environment = self.environment
        return Child(
            name=name,
            command=command,
            log=folder / f"{name}.log",
            answers=self._questions()[name],
            environment=environment,
        )

    def _questions(self) -> dict[str, Callable[[], object]]:
        return {
            "broker": lambda: listens(self.config.mqtt_port),
            "worker": lambda: (h := self.worker_health()) is not None and h.connected,
            "ingest": lambda: (h := self.ingest_health()) is not None and h.subscribed,
            "web": lambda: readiness.web(self.config) is None,
        }

    # --- processes ---------------------------------------------------------------------------

    def start(self, *names: str) -> None:
        """Start these, or all, at once and return when all answer."""
        for name in names or NAMES:
            self.child[name].launch()
        for name in names or NAMES:
            self.child[name].await_answer(60)

    def stop(self) -> None:
        """Stop whatever runs, the broker last."""
        for name in reversed(NAMES):
            self.child[name].stop()

    def last_words(self) -> str:
        """The ends of all logs, for a failure."""
        return "\n".join(
            f"--- {name}\n{child.last_words(15)}"
            for name, child in self.child.items()
            if child.log.exists()
        )

    def broker_saved(self) -> float:
        """When the broker last wrote its sessions and queues down, seconds since 1970; 0 before the first time."""
        try:
            return (self.data / FOLDER / "mosquitto.db").stat().st_mtime
        except FileNotFoundError:
            return 0.0

    def passages(self, session: Session) -> list[Passage]:
        """What was decided at the gates, in its order; what the demo brings with it does not count."""
        rows = session.scalars(select(Passage).order_by(Passage.id))
        return [row for row in rows if row.id not in self._seeded]

    def worker_health(self) -> WorkerHealth | None:
        """What the present worker process has last written, None when it has not yet."""
        health = read_health(health_path(self.data))
        return health if health and health.pid == self._pid("worker") else None

    def ingest_health(self) -> IngestHealth | None:
        """The same for ingest."""
        health = read_ingest_health(self.data / readiness.INGEST_HEALTH)
        return health if health and health.pid == self._pid("ingest") else None

    def _pid(self, name: str) -> int | None:
        process = self.child[name].process
        return process.pid if process else None

    # --- what is in it -----------------------------------------------------------------------

    @property
    def broker(self) -> BrokerSettings:
        """Where the broker is, without an account."""
        return BrokerSettings(port=self.config.mqtt_port)

    def devices(self) -> dict[str, SimulatedDevice]:
        """The community's devices with their accounts, by key."""
        return {spec.device: spec for spec in load_population(self.data / DEVICES_FILE)}

    def administrator(self) -> BrokerSettings:
        """The account that may publish anything: for what no device of ours would send."""
        access = broker_access(self.config.effective_mqtt_url, self.data, Service.ADMIN)
        return BrokerSettings(access.host, access.port, access.username, access.password)

    def doctor(self) -> dict[str, Any]:
        """The findings of ``linli doctor --json`` by part."""
        done = subprocess.run(
            [sys.executable, "-P", "-m", "portal", "doctor", "--json"],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return {row["part"]: row for row in json.loads(done.stdout)}


class Visitor:
    """A resident's browser: signs in once, keeps its cookie."""

    def __init__(self, system: Running) -> None:
        accounts = json.loads((system.data / ACCOUNTS_FILE).read_text("utf-8"))
        self._account = next(a for a in accounts if a["role"] == "resident")
        self._base = f"http://127.0.0.1:{system.config.http_port}"
        self._opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor(CookieJar())
        )

    def _open(self, path: str, form: dict[str, str] | None = None) -> tuple[str, str]:
        """The address one ends at and the page."""
        data = urllib.parse.urlencode(form).encode() if form else None
        with self._opener.open(f"{self._base}{path}", data, timeout=15) as answer:
            return urllib.parse.urlsplit(answer.url).path, answer.read().decode()

    def sign_in(self) -> None:
        """Sign in by the form."""
        _, page = self._open("/sign-in")
        token = re.search(r'name="csrf-token" content="([^"]+)"', page)
        assert token is not None
        form = {
            "csrf_token": token[1],
            "identity": self._account["username"],
            "password": self._account["password"],
        }
        self._open("/sign-in", form)
        assert self.is_signed_in()

    def is_signed_in(self) -> bool:
        """Whether the home page opens without signing in again."""
        return self._open("/home")[0] == "/home"


@contextmanager
def running(folder: Path, **settings: str) -> Iterator[Running]:
    """A system laid out in ``folder``, stopped at the end; its last words when the test fails."""
    system = Running(folder, **settings)
    try:
        yield system
    except BaseException:
        print(system.last_words())
        raise
    finally:
        system.stop()
        system.db.close()
