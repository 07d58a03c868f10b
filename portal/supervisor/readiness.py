"""Is a part ready to work? Each question answers ``None`` for yes, else what is seen."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from mqtt.broker.credentials import BrokerAccess
from mqtt.broker.embedded import signs_in
from mqtt.ingest import read_health
from mqtt.simulator import control
from portal.config import Config
from portal.worker import health as worker_health

INGEST_HEALTH: Final = "ingest/health.json"
NO_PROXY: Final = urllib.request.build_opener(urllib.request.ProxyHandler({}))
"""Loopback addresses are asked directly, whatever proxy the environment names."""


def local_url(config: Config, path: str) -> str:
    """Address of the portal as this machine reaches it."""
    host = config.http_host
    if host in ("0.0.0.0", "::"):  # noqa: S104 - compared, not bound
        host = "127.0.0.1" if host == "0.0.0.0" else "::1"  # noqa: S104
    shown = f"[{host}]" if ":" in host else host
    return f"http://{shown}:{config.http_port}{path}"


def broker(access: BrokerAccess) -> str | None:
    """The broker lets this account in by a real MQTT CONNECT."""
    return signs_in(access.host, access.port, access.credential, timeout=2.0)


def web(config: Config) -> str | None:
    """``/readyz`` says so."""
    try:
        with NO_PROXY.open(local_url(config, "/readyz"), timeout=3) as answer:
            return None if answer.status == 200 else f"/readyz answers {answer.status}"
    except urllib.error.HTTPError as error:
        return f"/readyz answers {error.code}: {error.read(500).decode('utf-8', 'replace').strip()}"
    except OSError as error:
        reason = getattr(error, "reason", error)
        return f"no answer from {local_url(config, '')}: {reason}"


def ingest(data_dir: Path) -> str | None:
    """Its health file is fresh, and it is connected and subscribed."""
    health = read_health(data_dir / INGEST_HEALTH)
    if health is None:
        return "has not reported yet"
    if not health.fresh(datetime.now(UTC)):
        return "stopped" if health.stopped else f"last reported at {health.at:%H:%M:%S} UTC"
    if not health.connected:
        return "not connected to the broker"
    if not health.subscribed:
        return "not subscribed"
    if not health.store_up:
        return "the telemetry store does not answer"
    return None


def worker(data_dir: Path) -> str | None:
    """Its health file is fresh, and it is connected and subscribed."""
    health = worker_health.read_health(worker_health.health_path(data_dir))
    if health is None:
        return "has not reported yet"
    if not health.fresh(datetime.now(UTC)):
        return "stopped" if health.stopped else f"last reported at {health.at:%H:%M:%S} UTC"
    if not health.connected:
        return "not connected to the broker"
    return None


def simulator(data_dir: Path) -> str | None:
    """It answers on its control channel and every device is online."""
    try:
        answer = control.ask(data_dir / control.SOCKET_NAME, {"op": "list"}, timeout=2.0)
    except (control.ControlError, json.JSONDecodeError) as error:
        return str(error)
    devices = answer.get("devices", [])
    away = [row["device"] for row in devices if row.get("status") != "online"]
    if away:
        return f"{len(away)} of {len(devices)} devices are not online yet"
    return None
