"""The web process: gunicorn with one process of many threads, and its metrics on the loopback address.

One process serves, so that what it keeps in memory (rate limits, metrics) is whole; more of them stand
behind a proxy with their own ports. When gunicorn's own process is killed, the kernel ends the one
that serves: as an orphan it would hold both ports, and answer on them, while the next start fails.
"""

from __future__ import annotations

import signal
from typing import Any, Final

import structlog
from flask import Flask
from gunicorn.app.base import BaseApplication
from gunicorn.glogging import Logger
from prometheus_client import start_http_server

from mqtt.telemetry import TelemetryStore, open_store
from portal.app import create_app
from portal.config import Config
from portal.core import live
from portal.core.db import Database
from portal.core.keys import install_keys
from portal.core.parent import death_signal
from portal.services import Services

REQUESTS: Final = 16
"""Requests served at once; streams of live pages have threads besides these."""
THREADS: Final = REQUESTS + live.MOST_STREAMS
STOPS_WITHIN: Final = 4
"""Seconds that requests under way get when the process is asked to end."""


class _Quiet(Logger):  # type: ignore[misc]  # gunicorn ships no types
    """Gunicorn's messages through our own logging."""

    def setup(self, cfg: Any) -> None:
        """Hand everything to structlog's handler at the root."""
        self.loglevel = 20
        self.error_log.propagate = True
        self.access_log.propagate = False
        self.error_log.handlers[:] = []
        self.access_log.handlers[:] = []


class _Server(BaseApplication):  # type: ignore[misc]  # gunicorn ships no types
    """Gunicorn with our settings; the application is built in the process that serves it."""

    def __init__(self, config: Config, metrics_port: int) -> None:
        self._config = config
        self._metrics_port = metrics_port
        self._end_with_parent = death_signal(signal.SIGKILL)
        super().__init__()

    def load_config(self) -> None:
        """Settings; none is read from files or the environment."""
        host = self._config.http_host
        shown = f"[{host}]" if ":" in host else host
        settings = {
            "bind": f"{shown}:{self._config.http_port}",
            "workers": 1,
            "threads": THREADS,
            "worker_class": "gthread",
            "timeout": 60,
            "graceful_timeout": STOPS_WITHIN,
            "keepalive": 15,
            "control_socket_disable": True,
            "logger_class": _Quiet,
            "proc_name": "linli-web",
            "post_fork": self._forked,
            "post_worker_init": self._begin,
        }
        for key, value in settings.items():
            self.cfg.set(key, value)

    def load(self) -> Flask:
        """The application, with its own connections: nothing is shared over a fork."""
        return create_app(build_services(self._config))

    def _forked(self, server: Any, worker: Any) -> None:
        if self._end_with_parent is not None:
            self._end_with_parent()

    def _begin(self, worker: Any) -> None:
        worker.wsgi.extensions[live.EXTENSION].stopping = lambda: not worker.alive
        start_http_server(self._metrics_port, addr="127.0.0.1")
        structlog.get_logger("portal.serving").info(
            "web_started", url=self._config.effective_public_url
        )


def build_services(config: Config) -> Services:
    """Database, keys and telemetry store of a web process.

    Raises:
        mqtt.telemetry.StoreUrlError: the store's URL is wrong.
        portal.core.crypto.master_key.MasterKeyError: the master key is unusable.
        portal.core.crypto.envelope.EnvelopeError: it is not this database's.
    """
    database = Database(config.effective_database_url, pool_size=REQUESTS)
    install_keys(config, database)
    store: TelemetryStore = open_store(config.effective_telemetry_url)
    return Services(config=config, db=database, telemetry=store)


def serve_web(config: Config, metrics_port: int) -> None:
    """Serve until SIGTERM or SIGINT.

    Raises:
        See :func:`build_services`: checked before the server starts, so that a wrong setting ends it
        at once instead of in a loop.
    """
    services = build_services(config)
    services.db.close()
    if services.telemetry is not None:
        services.telemetry.close()
    _Server(config, metrics_port).run()
