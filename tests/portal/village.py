"""Fixtures: a database with the small world of :mod:`tests.portal.world` in it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from portal.accounts.models import User
from portal.app import create_app
from portal.config import Config
from portal.core import limits
from portal.core.crypto.envelope import KeyRing
from portal.core.db import Database
from portal.models import metadata
from portal.services import Services
from tests.portal.cast import signed_in
from tests.portal.templates_kept import keep_templates
from tests.portal.world import Ticking, World, install, lay_out, new_keys


@pytest.fixture
def clock() -> Ticking:
    """A clock that stands at 2 March 2026, 08:00 UTC (16:00 in Shanghai)."""
    return Ticking()


@pytest.fixture(scope="session")
def laid_out(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, World, KeyRing]:
    """The world built once; tests get copies."""
    path = tmp_path_factory.mktemp("village") / "linli.db"
    ring = new_keys()
    install(ring)
    database = Database(f"sqlite:///{path}")
    metadata.create_all(database.engine)
    made = lay_out(database, Ticking())
    with database.engine.connect() as connection:
        connection.exec_driver_sql("COMMIT")
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.exec_driver_sql("BEGIN")
    database.close()
    return path, made, ring


@pytest.fixture
def db(laid_out: tuple[Path, World, KeyRing], tmp_path: Path) -> Iterator[Database]:
    """A database of one's own with the world in it."""
    shutil.copy(laid_out[0], tmp_path / "linli.db")
    install(laid_out[2])
    database = Database(f"sqlite:///{tmp_path / 'linli.db'}")
    yield database
    database.close()


@pytest.fixture
def world(db: Database, clock: Ticking, laid_out: tuple[Path, World, KeyRing]) -> World:
    """Two communities, people of each kind, gates and devices."""
    return replace(laid_out[1], db=db, clock=clock)


@dataclass
class People:
    """Test clients signed in as anybody of the world."""

    app: Flask
    world: World

    def client(self, who: str | None = None, language: str = "en") -> FlaskClient:
        """A browser; ``who`` is a name of ``world.users``, ``None`` a stranger."""
        client = self.app.test_client()
        with client.session_transaction() as session:
            session["language"] = language
        if who is not None:
            with self.world.db.read() as db:
                user = db.get_one(User, self.world.users[who])
            signed_in(client, self.world.db, user, self.world.clock())
        return client


@pytest.fixture
def app(world: World, clock: Ticking, tmp_path: Path) -> Iterator[Flask]:
    """The application on the small world, without CSRF tokens and limits."""
    config = Config(data_dir=tmp_path, public_url="http://linli.test")
    application = keep_templates(create_app(Services(config=config, db=world.db, clock=clock)))
    application.config.update(TESTING=True, WTF_CSRF_ENABLED=False)
    limits.limiter.enabled = False
    yield application
    limits.limiter.enabled = True
    limits.limiter.reset()


@pytest.fixture
def people(app: Flask, world: World) -> People:
    """Who may come."""
    return People(app, world)
