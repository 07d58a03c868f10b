"""A small file that says how the worker is, replaced every two seconds: ``linli doctor`` reads it."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import msgspec

PERIOD_SECONDS: Final = 2.0
FRESH: Final = timedelta(seconds=30)
"""Older than this, the process is stuck or gone (a locked database may hold it up for ten seconds)."""


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """The state of a worker process. ``at`` is when it was written, aware UTC."""

    at: datetime
    pid: int
    connected: bool
    database_up: bool
    waiting: int
    scans: int
    quarantined: int
    retries: int
    stopped: bool = False
    """The process ended in good order."""

    def fresh(self, now: datetime) -> bool:
        """Whether the process is alive, judging by this."""
        return not self.stopped and now - self.at < FRESH


def health_path(data_dir: Path, name: str = "1") -> Path:
    """Where the worker of that name writes its health."""
    return data_dir / "worker" / f"health-{name}.json"


def write_health(path: Path, health: Health) -> None:
    """Replace the file in one step. Raises ``OSError``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(".new")
    fresh.write_bytes(msgspec.json.encode(health))
    fresh.replace(path)


def read_health(path: Path) -> Health | None:
    """What was last written, or ``None`` when there is nothing readable."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Health)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return None
