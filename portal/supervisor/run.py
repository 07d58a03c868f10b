"""``linli up``: everything started in order, watched, and stopped in order.

::

    lock ─► ports ─► folder, keys, schema, demo ─► broker ─► ingest, worker, web ─► simulator
                                                     │
             banner ◄── every part ready ◄───────────┘
                │
             watch: restart what dies, give the broker new accounts      until Ctrl-C or SIGTERM
                │
    stop: simulator and web ─► worker and ingest ─► broker               within 10 s, then SIGKILL
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
import webbrowser
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import Final

import click
from sqlalchemy.exc import SQLAlchemyError

from mqtt.broker.accounts import BrokerAccount, Service
from mqtt.broker.credentials import broker_access, ensure_credentials
from mqtt.broker.embedded import BrokerPlan, Choice, plan, write_files
from mqtt.broker.files import FOLDER, BrokerFiles, write_accounts
from portal.config import Config
from portal.core.db import Database
from portal.supervisor import banner, first_start, ports, readiness
from portal.supervisor.broker_accounts import SIMULATED_FILE, Accounts
from portal.supervisor.children import Child, Spec
from portal.supervisor.lock import AlreadyRunningError, RunLock
from portal.supervisor.logs import Console, LogFile

EXIT_OK: Final = 0
EXIT_FAILED: Final = 1
EXIT_RUNNING: Final = 3
EXIT_PORT: Final = 4
READY_WITHIN: Final = 60.0
BROKER_WITHIN: Final = 20.0
STOPS_WITHIN: Final = 10.0
LOOK_EVERY: Final = 0.2
ACCOUNTS_EVERY: Final = 2.0
NAMES: Final = ("broker", "ingest", "worker", "web", "simulator")
PROCESSES: Final = ("ingest", "worker", "web")
STOP_ORDER: Final = (("simulator", "web"), ("worker", "ingest"), ("broker",))


@dataclass(frozen=True, slots=True)
class Options:
    """What `linli up` was asked for."""

    demo: bool = False
    simulator: bool = True
    open_browser: bool = False


class _Stop:
    """Set by a signal; a second one ends everything at once."""

    def __init__(self) -> None:
        self.event = threading.Event()
        self.hurry = False

    def __call__(self, number: int, frame: FrameType | None) -> None:
        self.hurry = self.event.is_set()
        self.event.set()

    def wait(self, seconds: float) -> bool:
        """Whether the end was asked for within this time."""
        return self.event.wait(seconds)

    @contextmanager
    def installed(self) -> Iterator[None]:
        """While this lasts, SIGINT, SIGTERM and SIGHUP set it."""
        numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        former = {number: signal.signal(number, self) for number in numbers}
        try:
            yield
        finally:
            for number, handler in former.items():
                signal.signal(number, handler)


def run(config: Config, options: Options) -> int:
    """Start everything and stay until told to stop.

    Returns:
        0 stopped in good order, 1 a part could not be started, 3 already running, 4 a port is taken.

    Raises:
        ConfigError: the data folder cannot be used.
        mqtt.broker.embedded.BrokerMissingError: the broker asked for is not here.
        portal.core.crypto.master_key.MasterKeyError: the master key is unusable.
    """
    os.umask(0o077)  # whatever a part of ours writes is its owner's alone
    first_start.make_folder(config.data_dir)
    stop = _Stop()
    try:
        with RunLock(config.data_dir) as lock, stop.installed():
            taken = ports.clashes(ports.needed(config))
            if taken:
                banner.print_taken(taken, demo=options.demo)
                return EXIT_PORT
            return _Run(config, options, lock, stop).run()
    except AlreadyRunningError as error:
        banner.print_running(error.told)
        return EXIT_RUNNING


class _Run:
    """One life of the supervisor."""

    def __init__(self, config: Config, options: Options, lock: RunLock, stop: _Stop) -> None:
        self.config = config
        self.options = options
        self.lock = lock
        self.stop = stop
        self.console = Console(list(NAMES))
        self.children: dict[str, Child] = {}
        self.broker: BrokerPlan | None = None
        self.written: list[BrokerAccount] = []

    def run(self) -> int:
        if self.config.embedded_broker:
            self.broker = plan(self.config.data_dir, _choice(self.config.broker))
        with ExitStack() as stack:
            database = Database(self.config.effective_database_url, pool_size=2)
            stack.callback(database.close)
            first = first_start.prepare(self.config, database, demo=self.options.demo)
            banner.print_prepared(self.config, first)
            credentials = ensure_credentials(self.config.data_dir)
            accounts = Accounts(database, credentials, self.config.data_dir)
            self.written = accounts.collect()
            self._write_accounts()
            self._make_children(stack)
            try:
                if not self._start():
                    return EXIT_OK if self.stop.event.is_set() else EXIT_FAILED
                self._watch(accounts)
            finally:
                self._end()
        return EXIT_OK

    # --- starting ------------------------------------------------------------------------------

    def _make_children(self, stack: ExitStack) -> None:
        specs = [Spec(name, _serve(name), self._environment()) for name in PROCESSES]
        if self.broker is not None:
            specs.insert(0, Spec("broker", self.broker.command, self.broker.environment))
        if self._simulates():
            url = self.config.effective_mqtt_url  # devices have their own names and passwords
            command = (*_python(), "simulate", "run", "--no-live", "--mqtt-url", url)
            specs.append(Spec("simulator", command, self._environment()))
        for spec in specs:
            file = LogFile(self.config.path("logs") / f"{spec.name}.log")
            stack.callback(file.close)
            self.children[spec.name] = Child(spec, file, self.console)

    def _simulates(self) -> bool:
        population = self.config.path(SIMULATED_FILE)
        return self.options.demo and self.options.simulator and population.is_file()

    def _environment(self) -> dict[str, str]:
        environment = {
            "LINLI_DATA_DIR": str(self.config.data_dir),
            "LINLI_LOG_FORMAT": "json",
            "PYTHONUNBUFFERED": "1",
        }
        if self.options.demo and self._shows_codes():
            environment["LINLI_SMS"] = "console"
        return environment

    def _shows_codes(self) -> bool:
        """A demo without a gateway leaves codes for `linli demo code PHONE`, unless strangers reach it."""
        return self.config.sms == "off" and not self.config.public_url.startswith("https://")

    def _start(self) -> bool:
        """Start all in order; whether to go on watching."""
        access = broker_access(self.config.effective_mqtt_url, self.config.data_dir, Service.ADMIN)
        if "broker" in self.children:
            self.children["broker"].start()
            waiting = self._await({"broker": lambda: readiness.broker(access)}, BROKER_WITHIN)
            if waiting:
                self._complain(waiting)
                return False
        questions: dict[str, Callable[[], str | None]] = {
            "ingest": lambda: readiness.ingest(self.config.data_dir),
            "worker": lambda: readiness.worker(self.config.data_dir),
            "web": lambda: readiness.web(self.config),
            "simulator": lambda: readiness.simulator(self.config.data_dir),
        }
        for name in (*PROCESSES, "simulator"):
            if name in self.children:
                self.children[name].start()
        waiting = self._await(
            {name: ask for name, ask in questions.items() if name in self.children}, READY_WITHIN
        )
        if self.stop.event.is_set():
            return False
        self._complain(waiting)
        facts = banner.facts(self.config)
        self.lock.tell({**facts, "ready": not waiting, "processes": self._pids()})
        banner.print_ready(self.config, self.broker, demo=self.options.demo, waiting=waiting)
        if self.options.open_browser and not webbrowser.open(self.config.effective_public_url):
            click.echo("No browser could be opened.", err=True)
        return True

    def _await(
        self, questions: dict[str, Callable[[], str | None]], seconds: float
    ) -> dict[str, str]:
        """Ask until all say yes, the time is over or the end is asked for; what is still amiss."""
        deadline = time.monotonic() + seconds
        waiting = dict.fromkeys(questions, "not asked yet")
        while True:
            for name in list(waiting):
                self.children[name].watch()
                problem = questions[name]()
                if problem is None:
                    del waiting[name]
                else:
                    waiting[name] = problem
                if self.stop.event.is_set():
                    return waiting
            if not waiting or time.monotonic() > deadline or self.stop.wait(0.05):
                return waiting

    def _complain(self, waiting: dict[str, str]) -> None:
        for name, problem in waiting.items():
            path = self.config.path("logs") / f"{name}.log"
            self.console.say(name, f"is not ready: {problem}. See {path}", level=40)

    def _pids(self) -> dict[str, int]:
        return {name: child.pid for name, child in self.children.items() if child.pid}

    # --- watching ------------------------------------------------------------------------------

    def _watch(self, accounts: Accounts) -> None:
        known = self._pids()
        look_at_accounts = time.monotonic() + ACCOUNTS_EVERY
        while not self.stop.wait(LOOK_EVERY):
            for child in self.children.values():
                child.watch()
            pids = self._pids()
            if pids != known:
                known = pids
                self.lock.tell({**banner.facts(self.config), "ready": True, "processes": pids})
            if time.monotonic() >= look_at_accounts:
                look_at_accounts = time.monotonic() + ACCOUNTS_EVERY
                self._renew_accounts(accounts)

    def _renew_accounts(self, accounts: Accounts) -> None:
        """Give the broker what has changed in the table of devices."""
        try:
            fresh = accounts.collect()
        except (SQLAlchemyError, ValueError) as error:
            self.console.say("broker", f"accounts were not renewed: {error}", level=30)
            return
        if fresh == self.written:
            return
        self.written = fresh
        self._write_accounts()
        if self.broker is not None and self.broker.reloads and "broker" in self.children:
            self.children["broker"].send(signal.SIGHUP)

    def _write_accounts(self) -> None:
        if self.broker is not None:
            write_files(self.config.data_dir, self.broker, self.config.mqtt_port, self.written)
        else:  # for whoever looks after the broker that is used instead
            write_accounts(BrokerFiles(self.config.path(FOLDER)), self.written)

    # --- ending --------------------------------------------------------------------------------

    def _end(self) -> None:
        running = [child for child in self.children.values() if child.pid]
        if not running:
            return
        click.echo("\nStopping / 正在停止 …", err=True)
        deadline = time.monotonic() + STOPS_WITHIN
        for position, names in enumerate(STOP_ORDER):
            group = [self.children[name] for name in names if name in self.children]
            for child in group:
                child.ask_to_stop()
            # What comes later needs a moment too.
            reserve = 1.5 * (len(STOP_ORDER) - 1 - position)
            self._end_group(group, deadline - reserve)
        click.echo("Stopped / 已停止", err=True)

    def _end_group(self, group: Sequence[Child], deadline: float) -> None:
        while any(child.pid for child in group):
            if self.stop.hurry or time.monotonic() > deadline:
                break
            threading.Event().wait(0.02)
        for child in group:
            if not child.wait(0.0 if child.pid else 1.0):
                self.console.say(child.name, "did not stop in time and was killed", level=30)


def _choice(value: str) -> Choice:
    if value == "mosquitto":
        return "mosquitto"
    return "iotcore" if value == "iotcore" else "auto"


def _python() -> tuple[str, ...]:
    return (sys.executable, "-P", "-m", "portal")


def _serve(name: str) -> tuple[str, ...]:
    return (*_python(), "serve", name)
