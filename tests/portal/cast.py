"""Fixtures: a database with the small world of :mod:`tests.portal.world` in it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from portal.accounts.models import User
from portal.app import create_app
from portal.config import Config
from portal.core import limits
from portal.core.db import Database
from portal.models import metadata
from portal.services import Services
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
                session["_user_id"] = user.fs_uniquifier
                session["_fresh"] = True
        return client


@pytest.fixture
def app(world: World, clock: Ticking, tmp_path: Path) -> Iterator[Flask]:
    """The application on the small world, without CSRF tokens and limits."""
    config = Config(data_dir=tmp_path, public_url="http://linli.test")
    application = create_app(Services(config=config, db=world.db, clock=clock))
    application.config.update(TESTING=True, WTF_CSRF_ENABLED=False)
    limits.limiter.enabled = False
    yield application
    limits.limiter.enabled = True
    limits.limiter.reset()


@pytest.fixture
def people(app: Flask, world: World) -> People:
    """Who may come."""
    return People(app, world)
