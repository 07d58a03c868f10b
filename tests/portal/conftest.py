"""The domain suite runs on SQLite and, where it is installed, on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.portal.gatehouse import Gatehouse, gatehouse


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database on each engine."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'linli.db'}"
    url: str = request.getfixturevalue("postgres_url")
    return url


@pytest.fixture
def house(database_url: str, tmp_path: Path) -> Iterator[Gatehouse]:
    """A gatehouse on each engine."""
    with gatehouse(database_url, tmp_path) as laid_out:
        yield laid_out


@pytest.fixture
def sqlite_house(tmp_path: Path) -> Iterator[Gatehouse]:
    """A gatehouse on SQLite, for what is not about the engine."""
    with gatehouse(f"sqlite:///{tmp_path / 'linli.db'}", tmp_path) as laid_out:
        yield laid_out
