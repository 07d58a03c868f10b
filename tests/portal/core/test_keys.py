"""Keys at process start: made once, found again, never replaced behind a database's back."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from portal.config import Config
from portal.core import migrate, protected
from portal.core.crypto.envelope import EnvelopeError
from portal.core.crypto.master_key import MasterKey, MasterKeyError
from portal.core.db import Database
from portal.core.keys import FILE, install_keys
from portal.core.keystore import DataKey


@pytest.fixture
def database(database_url: str) -> Database:
    opened = Database(database_url)
    migrate.upgrade(opened)
    return opened


def test_the_first_start_makes_keys_and_the_next_finds_them(
    database: Database, tmp_path: Path
) -> None:
    config = Config(data_dir=tmp_path)
    install_keys(config, database)
    path = tmp_path / FILE
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    first = protected.find_hash("13800000000", "phone")
    install_keys(config, database)
    assert protected.find_hash("13800000000", "phone") == first
    with database.read() as session:
        assert session.query(DataKey).count() == 2
    database.close()


def test_several_processes_starting_at_once_end_with_the_same_keys(
    database: Database, tmp_path: Path
) -> None:
    config = Config(data_dir=tmp_path)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: install_keys(config, database), range(4)))
    with database.read() as session:
        assert session.query(DataKey).count() == 2
    database.close()


def test_a_lost_master_key_is_not_replaced(database: Database, tmp_path: Path) -> None:
    config = Config(data_dir=tmp_path)
    install_keys(config, database)
    (tmp_path / FILE).unlink()
    with pytest.raises(MasterKeyError, match="restore it"):
        install_keys(config, database)
    assert not (tmp_path / FILE).exists()
    database.close()


def test_the_setting_goes_before_the_file(database: Database, tmp_path: Path) -> None:
    install_keys(Config(data_dir=tmp_path, master_key=MasterKey.generate().text()), database)
    assert not (tmp_path / FILE).exists()
    other = Config(data_dir=tmp_path, master_key=MasterKey.generate().text())
    with pytest.raises(EnvelopeError, match="restore the right master key"):
        install_keys(other, database)
    database.close()
