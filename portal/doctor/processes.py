"""Checks of what runs: supervisor, broker, ingest, worker, web.

A part that was never started or has stopped in good order is a warning while no supervisor runs, and
a failure while one does.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mqtt.broker.accounts import Service
from mqtt.broker.credentials import CredentialsError, broker_access
from portal.config import Config
from portal.doctor.findings import Finding, fail, ok, warn
from portal.supervisor import readiness
from portal.supervisor.lock import holder


def supervisor(told: dict[str, Any] | None) -> Finding:
    """Whether `linli up` is running here."""
    if told is None:
        return warn(
            "linli up", "not running here", "start with `linli up` (or the system's services)"
        )
    return ok("linli up", f"pid {told.get('pid', '?')}, {told.get('portal', '')}")


def running(config: Config) -> dict[str, Any] | None:
    """What the running supervisor says about itself."""
    return holder(config.data_dir)


def broker(config: Config, *, up: bool) -> Finding:
    """The broker lets the worker in."""
    try:
        access = broker_access(config.effective_mqtt_url, config.data_dir, Service.WORKER)
    except CredentialsError as error:
        row = fail if up or config.mqtt_url else warn
        return row("broker", str(error), "start with `linli up`")
    shown = f"{access.host}:{access.port} as {access.username}"
    problem = readiness.broker(access)
    if problem is None:
        return ok("broker", shown)
    if config.embedded_broker and not up:
        return warn("broker", f"{shown}: {problem}", "start with `linli up`")
    advice = (
        _log(config, "broker")
        if config.embedded_broker
        else "is it running, does LINLI_MQTT_URL name it, does it know the account?"
    )
    return fail("broker", f"{shown}: {problem}", advice)


def ingest(config: Config, *, up: bool) -> Finding:
    """Telemetry flows."""
    return _process("ingest", readiness.ingest(config.data_dir), config, up=up)


def worker(config: Config, *, up: bool) -> Finding:
    """Events are handled."""
    return _process("worker", readiness.worker(config.data_dir), config, up=up)


def web(config: Config, *, up: bool) -> Finding:
    """Pages are served."""
    return _process("web", readiness.web(config), config, up=up)


def _process(name: str, problem: str | None, config: Config, *, up: bool) -> Finding:
    if problem is None:
        return ok(name, "ready")
    never = problem in ("has not reported yet", "stopped") or problem.startswith("no answer from")
    if never and not up:
        return warn(name, f"not running ({problem})", "start with `linli up`")
    return fail(name, problem, _log(config, name))


def _log(config: Config, name: str) -> str:
    path: Path = config.path("logs") / f"{name}.log"
    return f"see {path}" if path.is_file() else f"see the log of {name}"
