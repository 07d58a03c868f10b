"""Fixtures: a database with the small world of :mod:`tests.portal.world` in it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from portal.core.db import Database
from portal.models import metadata
from tests.portal.world import Ticking, World, install_keys, lay_out


@pytest.fixture
def clock() -> Ticking:
    """A clock that stands at 2 March 2026, 08:00 UTC (16:00 in Shanghai)."""
    return Ticking()


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    """An empty SQLite database with the schema of the models."""
    database = Database(f"sqlite:///{tmp_path / 'linli.db'}")
    metadata.create_all(database.engine)
    yield database
    database.close()


@pytest.fixture
def world(db: Database, clock: Ticking) -> World:
    """Two communities, people of each kind, gates and devices."""
    install_keys()
    return lay_out(db, clock)
