"""A county of its own on each engine, imported as a county would; and its people."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from portal.core.db import Database
from portal.core.permissions import SYSTEM, Actor, Grant, Role, permissions_of
from portal.models import metadata
from portal.regions import importing
from portal.regions.models import Region
from tests.portal.village import app, clock, db, laid_out, people, world
from tests.portal.world import install, new_keys

__all__ = ["app", "clock", "db", "laid_out", "people", "world"]

NOW = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)
CSV = """代码,名称
990000000000,演示省
990100000000,示范市
990101000000,样板区
990102000000,新城区
990101001000,演示街道
990101002000,河西街道
990101100000,清水镇
990101001001,邻里社区
990101001002,东苑社区
990101002001,西苑社区
990101002002,桥头社区
990101100200,清水村
99010100100101,第一网格
99010100100102,第二网格
"""


@dataclass
class County:
    """A database with the county in it."""

    db: Database

    def actor(self, role: Role, code: str) -> Actor:
        """Somebody with one role on one region."""
        region = self.region(code)
        grant = Grant(region.path, permissions_of(role, region.level), role)
        return Actor(label=f"user:{role}", user_id=7, grants=(grant,))

    @property
    def admin(self) -> Actor:
        """The system administrator of the province."""
        return self.actor(Role.SYSTEM_ADMIN, "990000000000")

    def region(self, code: str) -> Region:
        """A region by its present code."""
        with self.db.read() as session:
            return session.scalars(select(Region).where(Region.code == code)).one()

    def codes(self) -> list[str]:
        """All codes there are."""
        with self.db.read() as session:
            return list(session.scalars(select(Region.code).order_by(Region.code)))

    def take(self, text: str, actor: Actor = SYSTEM) -> importing.Plan:
        """Import a text."""
        with self.db.write() as session:
            return importing.apply(session, actor, text.encode(), NOW)

    def whole(self) -> None:
        """Every path is that of the parent and the id."""
        with self.db.read() as session:
            rows = {r.id: r for r in session.scalars(select(Region))}
        for row in rows.values():
            above = rows[row.parent_id].path if row.parent_id else "/"
            assert row.path == f"{above}{row.id}/"


def _county(url: str) -> Iterator[County]:
    install(new_keys())
    database = Database(url)
    metadata.create_all(database.engine)
    county = County(database)
    county.take(CSV)
    yield county
    database.close()


@pytest.fixture
def county(database_url: str) -> Iterator[County]:
    """The county on each engine."""
    yield from _county(database_url)


@pytest.fixture
def here(tmp_path) -> Iterator[County]:
    """The county on SQLite, for what is not about the engine."""
    yield from _county(f"sqlite:///{tmp_path / 'county.db'}")
