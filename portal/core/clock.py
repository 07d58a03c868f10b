"""The moment, as aware UTC. One place, so that tests and simulations can hand in their own."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """The moment, aware UTC."""
    return datetime.now(UTC)
