"""What a process works with: configuration, database, telemetry store. Built once, handed around.

The web finds it at ``app.extensions["linli"]`` through :func:`current_services`; operations never do:
they get a session and plain values.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask import current_app

from portal.config import Config
from portal.core.clock import Clock, utc_now
from portal.core.db import Database

if TYPE_CHECKING:
    from mqtt.telemetry.store import TelemetryStore

EXTENSION = "linli"


@dataclass(frozen=True, slots=True)
class Services:
    """The parts of a running process. ``telemetry`` is opened by processes that read charts."""

    config: Config
    db: Database
    telemetry: TelemetryStore | None = None
    clock: Clock = utc_now


def current_services() -> Services:
    """The services of the Flask application at hand. Views only."""
    services: Services = current_app.extensions[EXTENSION]
    return services
