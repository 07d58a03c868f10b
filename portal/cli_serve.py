"""``linli serve web|worker|ingest``: one process in the foreground, until SIGTERM or SIGINT.

What systemd, a container or `linli up` starts. Each serves its Prometheus metrics on the loopback
address: web on LINLI_METRICS_PORT, worker on the next, ingest on the one after.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from portal import config as configuration
from portal.cli import EXIT_CONFIG
from portal.config import Config
from portal.core import logs

METRICS_OFFSET = {"web": 0, "worker": 1, "ingest": 2}
INGEST_FOLDER = "ingest"
"""Folder of spool, quarantine and health file inside the data folder."""


class CannotStart(click.ClickException):
    """Keys, credentials or settings are missing or wrong; the message says what to do. Exit code 78."""

    exit_code = EXIT_CONFIG


@contextmanager
def _explained() -> Iterator[None]:
    from mqtt.broker.credentials import CredentialsError
    from mqtt.telemetry import StoreUrlError
    from portal.core.crypto.envelope import EnvelopeError
    from portal.core.crypto.master_key import MasterKeyError

    try:
        yield
    except (CredentialsError, StoreUrlError, MasterKeyError, EnvelopeError) as error:
        raise CannotStart(str(error)) from error


def _authorities() -> Path:
    """The system's certificate authorities, for mqtts."""
    found = ssl.get_default_verify_paths().cafile
    if found is None:
        raise CannotStart(
            "this system has no file of certificate authorities: install ca-certificates"
        )
    return Path(found)


def _config(process: str) -> Config:
    config, _ = configuration.load()
    logs.configure(config, process)
    return config


@click.group()
def serve() -> None:
    """Run one process in the foreground: web, worker or ingest.

    Exit codes: 0 ended by a signal, 78 keys, credentials or settings are missing.
    """


@serve.command()
def web() -> None:
    """The portal's pages and API (one process, threads)."""
    from portal.serving import serve_web

    config = _config("web")
    with _explained():
        serve_web(config, metrics_port=config.metrics_port + METRICS_OFFSET["web"])


@serve.command()
@click.option(
    "--name",
    default="1",
    show_default=True,
    help="Which of several workers this is; each keeps its own.",
)
def worker(name: str) -> None:
    """Decisions at gates, events of devices, the outbox."""
    from portal.worker import run

    config = _config("worker")
    with _explained():
        run(config, name=name, metrics_port=config.metrics_port + METRICS_OFFSET["worker"])


@serve.command()
def ingest() -> None:
    """Telemetry from the broker into its store."""
    from mqtt.broker.accounts import Service
    from mqtt.broker.credentials import broker_access
    from mqtt.ingest import BrokerSettings, IngestSettings, SpoolLockedError, run

    config = _config("ingest")
    with _explained():
        access = broker_access(config.effective_mqtt_url, config.data_dir, Service.INGEST)
        settings = IngestSettings(
            broker=BrokerSettings(
                host=access.host,
                port=access.port,
                username=access.username,
                password=access.password,
                ca_file=_authorities() if access.tls else None,
            ),
            store_url=config.effective_telemetry_url,
            data_dir=config.path(INGEST_FOLDER),
            metrics_port=config.metrics_port + METRICS_OFFSET["ingest"],
        )
        try:
            run(settings)
        except SpoolLockedError as error:
            raise click.ClickException(str(error)) from error
