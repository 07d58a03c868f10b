"""The master key and its file."""

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from portal.core.crypto.master_key import MasterKey, MasterKeyError, load_master_key


def test_first_start_makes_a_key_only_its_owner_can_read(tmp_path: Path) -> None:
    path = tmp_path / "secrets" / "master.key"
    key = load_master_key(path, create=True)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert load_master_key(path) == key
    assert load_master_key(path, create=True) == key
    assert [entry.name for entry in path.parent.iterdir()] == ["master.key"]


def test_processes_starting_at_once_agree_on_one_key(tmp_path: Path) -> None:
    path = tmp_path / "master.key"
    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(lambda _: load_master_key(path, create=True).raw, range(32)))
    assert len(keys) == 1


def test_a_missing_key_is_not_replaced_unasked(tmp_path: Path) -> None:
    with pytest.raises(MasterKeyError, match="restore it from backup"):
        load_master_key(tmp_path / "master.key")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_key_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "master.key"
    load_master_key(path, create=True)
    path.chmod(mode)
    with pytest.raises(MasterKeyError, match="chmod 600"):
        load_master_key(path)


@pytest.mark.parametrize("content", [b"", b"00", b"zz" * 32, b"00" * 33, b"\xff" * 64])
def test_a_malformed_key_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "master.key"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(MasterKeyError):
        load_master_key(path)


def test_a_key_reads_its_own_text_and_does_not_show_itself() -> None:
    key = MasterKey.generate()
    assert MasterKey.from_text(key.text() + "\n") == key
    assert key.text() not in repr(key)
