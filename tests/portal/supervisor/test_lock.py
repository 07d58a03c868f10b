"""One supervisor a data folder."""

import os
from pathlib import Path

import pytest

from portal.supervisor.lock import AlreadyRunningError, RunLock, holder


def test_a_second_holder_is_told_about_the_first(tmp_path: Path) -> None:
    with RunLock(tmp_path) as lock:
        lock.tell({"portal": "http://127.0.0.1:1"})
        with pytest.raises(AlreadyRunningError) as caught, RunLock(tmp_path):
            pass
        assert caught.value.told == {"pid": os.getpid(), "portal": "http://127.0.0.1:1"}
        assert holder(tmp_path) == caught.value.told


def test_a_lock_that_was_let_go_can_be_taken_again(tmp_path: Path) -> None:
    assert holder(tmp_path) is None
    with RunLock(tmp_path):
        pass
    assert holder(tmp_path) is None
    with RunLock(tmp_path):
        assert holder(tmp_path) is not None


def test_a_file_left_by_a_killed_supervisor_is_no_lock(tmp_path: Path) -> None:
    path = tmp_path / "run" / "up.json"
    path.parent.mkdir()
    path.write_text('{"pid": 1}')
    assert holder(tmp_path) is None
    with RunLock(tmp_path) as lock:
        lock.tell({})
        assert holder(tmp_path) == {"pid": os.getpid()}


def test_a_shorter_note_leaves_nothing_of_the_longer_one(tmp_path: Path) -> None:
    with RunLock(tmp_path) as lock:
        lock.tell({"portal": "x" * 500})
        lock.tell({})
        assert holder(tmp_path) == {"pid": os.getpid()}
