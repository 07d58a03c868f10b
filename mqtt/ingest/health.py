"""A small file that says how ingest is, replaced every two seconds: ``linli doctor`` reads it."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import msgspec

PERIOD_SECONDS: Final = 2.0
FRESH: Final = timedelta(seconds=30)
"""Older than this, the process is stuck or gone (a slow store may hold it up for ten seconds)."""


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """The state of an ingest process. ``at`` is when it was written, aware UTC."""

    at: datetime
    pid: int
    connected: bool
    subscribed: bool
    store_up: bool
    spool_batches: int
    spool_bytes: int
    spool_full: bool
    waiting: int
    received: int
    stored: int
    rejected: int
    dropped: int
    stopped: bool = False
    """The process ended in good order."""

    def fresh(self, now: datetime) -> bool:
        """Whether the process is alive, judging by this."""
        return not self.stopped and now - self.at < FRESH

    @property
    def well(self) -> bool:
        """Whether points flow from broker to store."""
        return self.connected and self.subscribed and self.store_up and not self.spool_batches


def write_health(path: Path, health: Health) -> None:
    """Replace the file in one step. Raises ``OSError``."""
    fresh = path.with_suffix(".new")
    fresh.write_bytes(msgspec.json.encode(health))
    fresh.replace(path)


def read_health(path: Path) -> Health | None:
    """What was last written, or None when there is nothing readable."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Health)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return None
