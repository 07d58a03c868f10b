"""The village with a locker, on SQLite and, for what is about the engine, on both."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from portal.config import Config
from portal.core import migrate
from portal.core.db import Database
from portal.core.keys import install_keys
from tests.portal.parcels.lockers import Locker, set_up
from tests.portal.village import app, clock, db, laid_out, people, world
from tests.portal.world import Ticking, World, lay_out

__all__ = ["app", "clock", "db", "laid_out", "people", "world"]


@pytest.fixture
def locker(world: World) -> Locker:
    """A locker on SQLite."""
    return set_up(world)


@pytest.fixture
def engines(database_url: str, tmp_path: Path) -> Iterator[Locker]:
    """A locker on each engine, on the schema that the migrations make."""
    database = Database(database_url)
    try:
        migrate.upgrade(database)
        install_keys(Config(data_dir=tmp_path), database)
        yield set_up(lay_out(database, Ticking()))
    finally:
        database.close()
