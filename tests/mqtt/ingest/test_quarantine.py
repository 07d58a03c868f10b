"""The quarantine keeps bad messages, bounded, for another process to see."""

import sqlite3
import stat
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mqtt.ingest import BadMessage, Quarantine, QuarantineError

AT = datetime(2026, 3, 2, 8, tzinfo=UTC)


def bad(number: int = 0, fault: str = "wrong_shape", payload: bytes = b"x") -> BadMessage:
    return BadMessage.of(AT, f"topic/{number}", fault, "detail", payload)


def test_messages_come_back_newest_first_and_by_fault(tmp_path: Path) -> None:
    quarantine = Quarantine(tmp_path / "q.sqlite")
    quarantine.put([bad(1), bad(2, "stale")])
    quarantine.put([bad(3)])
    assert [m.topic for m in quarantine.list()] == ["topic/3", "topic/2", "topic/1"]
    assert [m.topic for m in quarantine.list(fault="stale")] == ["topic/2"]
    assert [m.topic for m in quarantine.list(limit=1)] == ["topic/3"]
    assert quarantine.list()[0] == bad(3)
    assert quarantine.count_by_fault() == {"stale": 1, "wrong_shape": 2}
    quarantine.close()


def test_only_so_many_rows_stay_but_all_are_counted(tmp_path: Path) -> None:
    quarantine = Quarantine(tmp_path / "q.sqlite", max_rows=10)
    for start in range(0, 60, 20):
        quarantine.put([bad(n) for n in range(start, start + 20)])
    assert [m.topic for m in quarantine.list()] == [f"topic/{n}" for n in range(59, 49, -1)]
    assert quarantine.count_by_fault() == {"wrong_shape": 60}
    quarantine.close()


def test_a_long_payload_is_cut_and_its_size_told(tmp_path: Path) -> None:
    quarantine = Quarantine(tmp_path / "q.sqlite")
    quarantine.put([bad(payload=b"y" * 70_000)])
    (kept,) = quarantine.list()
    assert (len(kept.payload), kept.size) == (4096, 70_000)
    quarantine.close()


def test_a_file_that_is_not_there_holds_nothing_and_is_not_made(tmp_path: Path) -> None:
    quarantine = Quarantine(tmp_path / "q.sqlite")
    assert quarantine.count_by_fault() == {}
    assert quarantine.list() == []
    quarantine.clear()
    assert not (tmp_path / "q.sqlite").exists()


def test_nobody_else_may_read_the_file(tmp_path: Path) -> None:
    quarantine = Quarantine(tmp_path / "q.sqlite")
    quarantine.put([bad()])
    for path in tmp_path.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    quarantine.close()


def test_another_process_reads_while_this_one_writes(tmp_path: Path) -> None:
    quarantine = Quarantine(tmp_path / "q.sqlite")
    quarantine.put([bad(), bad()])
    code = (
        "import sys; from pathlib import Path; from mqtt.ingest import Quarantine;"
        "print(Quarantine(Path(sys.argv[1])).count_by_fault())"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code, str(quarantine.path)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "{'wrong_shape': 2}"
    quarantine.put([bad()])
    assert quarantine.count_by_fault() == {"wrong_shape": 3}
    quarantine.close()


def test_clearing_forgets_rows_and_counts(tmp_path: Path) -> None:
    quarantine = Quarantine(tmp_path / "q.sqlite")
    quarantine.put([bad()])
    quarantine.clear()
    assert (quarantine.list(), quarantine.count_by_fault()) == ([], {})
    quarantine.close()


def test_a_file_that_is_no_database_raises_its_own_error(tmp_path: Path) -> None:
    path = tmp_path / "q.sqlite"
    path.write_bytes(b"not a database, but long enough to be read as one" * 10)
    quarantine = Quarantine(path)
    with pytest.raises(QuarantineError):
        quarantine.put([bad()])
    with pytest.raises(QuarantineError):
        quarantine.count_by_fault()


def test_a_failed_put_leaves_nothing_behind(tmp_path: Path) -> None:
    quarantine = Quarantine(tmp_path / "q.sqlite")
    quarantine.put([bad()])
    other = sqlite3.connect(quarantine.path, isolation_level=None)
    other.execute("DROP TABLE total")
    with pytest.raises(QuarantineError):
        quarantine.put([bad(), bad()])
    assert other.execute("SELECT count(*) FROM message").fetchone() == (1,)
    other.close()
    quarantine.close()


@settings(max_examples=20, deadline=None)
@given(
    topic=st.text(alphabet=st.characters(exclude_categories=[]), max_size=600),
    fault=st.text(max_size=80),
    detail=st.text(alphabet=st.characters(exclude_categories=[]), max_size=600),
    payload=st.binary(max_size=5000),
)
def test_anything_can_be_put_aside(
    tmp_path_factory: pytest.TempPathFactory,
    topic: str,
    fault: str,
    detail: str,
    payload: bytes,
) -> None:
    quarantine = Quarantine(tmp_path_factory.mktemp("q") / "q.sqlite")
    message = BadMessage.of(AT, topic, fault, detail, payload)
    quarantine.put([message])
    assert quarantine.list() == [message]
    assert message.payload == payload[:4096]
    quarantine.close()
