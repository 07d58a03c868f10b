"""The domain suite runs on SQLite and, where it is installed, on PostgreSQL; pages on the town of `cast`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from tests.portal.cast import Town, build, open_town
from tests.portal.gatehouse import Gatehouse, gatehouse

CATALOGUES = Path(__file__).parents[2] / "portal/translations"


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


@pytest.fixture(scope="session")
def translations() -> None:
    """Compile every catalogue that is newer than its compiled form."""
    for source in CATALOGUES.glob("*/LC_MESSAGES/messages.po"):
        compiled = source.with_suffix(".mo")
        if compiled.exists() and compiled.stat().st_mtime >= source.stat().st_mtime:
            continue
        with source.open("rb") as stream:
            catalogue = read_po(stream)
        fresh = compiled.with_suffix(".mo.new")
        with fresh.open("wb") as stream:
            write_mo(stream, catalogue)
        fresh.replace(compiled)


@pytest.fixture(scope="session")
def built_town(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, int]]:
    """The town built once; tests get copies."""
    folder = tmp_path_factory.mktemp("town") / "data"
    folder.mkdir()
    return folder, build(folder)


@pytest.fixture
def town(
    built_town: tuple[Path, dict[str, int]], tmp_path: Path, translations: None
) -> Iterator[Town]:
    """A town of one's own."""
    template, ids = built_town
    made = open_town(template, tmp_path / "data", ids)
    yield made
    made.db.close()
