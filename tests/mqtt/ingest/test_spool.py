"""The spool keeps what it has said it keeps, over kills, torn writes and damage."""

import errno
import os
import subprocess
import sys
from collections import deque
from pathlib import Path
from typing import BinaryIO

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mqtt.ingest.spool import (
    MAGIC,
    Spool,
    SpoolFullError,
    SpoolLockedError,
    decode_batch,
    encode_batch,
    spooled_bytes,
)
from mqtt.telemetry import Point
from tests.mqtt.ingest.parts import point
from tests.services.wait import wait_until

BIG = 10**9


def drained(spool: Spool) -> list[float]:
    """Take everything out; the values in order."""
    found = []
    while (batch := spool.peek()) is not None:
        found += [p.value for p in batch]
        spool.drop()
    return found


def fill(spool: Spool, count: int, start: int = 0) -> None:
    for number in range(start, start + count):
        spool.append([point(number)])


def last_segment(folder: Path) -> Path:
    return max(folder.glob("*.spool"))


def test_batches_come_out_in_the_order_they_went_in(tmp_path: Path) -> None:
    spool = Spool(tmp_path, BIG, segment_bytes=200)
    fill(spool, 30)
    assert spool.records == 30
    assert spooled_bytes(tmp_path) == spool.size_bytes > 200
    assert drained(spool) == [float(n) for n in range(30)]
    assert spool.empty
    assert spooled_bytes(tmp_path) == 0
    spool.close()


def test_a_point_comes_back_exactly(tmp_path: Path) -> None:
    spool = Spool(tmp_path, BIG)
    batch = [point(1), point(2, "d2"), Point("c", "d", "status/online", point(0).at, 0.1 + 0.2)]
    spool.append(batch)
    assert spool.peek() == batch
    assert spool.peek() == batch, "looking changes nothing"
    spool.close()


def test_what_is_left_is_found_by_the_next_process(tmp_path: Path) -> None:
    first = Spool(tmp_path, BIG, segment_bytes=300)
    fill(first, 20)
    for _ in range(7):
        first.peek()
        first.drop()
    first.close()
    second = Spool(tmp_path, BIG, segment_bytes=300)
    fill(second, 5, start=20)
    found = drained(second)
    second.close()
    # of a half-delivered segment all comes again, never less
    assert found[-18:] == [float(n) for n in range(7, 25)]
    assert found == sorted(found)
    assert len(found) < 25


def test_a_folder_belongs_to_one_process(tmp_path: Path) -> None:
    spool = Spool(tmp_path, BIG)
    with pytest.raises(SpoolLockedError):
        Spool(tmp_path, BIG)
    spool.close()
    Spool(tmp_path, BIG).close()


def test_a_full_spool_refuses_and_takes_again_when_emptied(tmp_path: Path) -> None:
    spool = Spool(tmp_path, 1_000, segment_bytes=200)
    kept = 0
    while spool.size_bytes < 900:
        spool.append([point(kept)])
        kept += 1
    with pytest.raises(SpoolFullError):
        spool.append([point(kept)] * 5)
    assert kept > 6
    assert spool.size_bytes <= 1_000
    for _ in range(5):
        spool.peek()
        spool.drop()
    spool.append([point(kept)])
    assert drained(spool) == [float(n) for n in range(5, kept + 1)]
    spool.close()


@pytest.mark.parametrize("cut", range(1, 12))
def test_a_torn_last_record_is_cut_off_and_the_rest_kept(tmp_path: Path, cut: int) -> None:
    spool = Spool(tmp_path, BIG)
    fill(spool, 3)
    spool.close()
    path = last_segment(tmp_path)
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size - cut)
    again = Spool(tmp_path, BIG)
    assert again.recovery.records == 2
    assert again.recovery.torn_bytes > 0
    assert again.recovery.damaged == 0
    fill(again, 1, start=10)
    assert drained(again) == [0.0, 1.0, 10.0]
    again.close()


def test_a_changed_byte_is_noticed_and_the_tail_kept_for_a_person(tmp_path: Path) -> None:
    spool = Spool(tmp_path, BIG)
    fill(spool, 3)
    spool.close()
    path = last_segment(tmp_path)
    data = bytearray(path.read_bytes())
    record = (len(data) - len(MAGIC)) // 3
    data[len(MAGIC) + record + 20] ^= 1
    path.write_bytes(data)
    again = Spool(tmp_path, BIG)
    assert (again.recovery.records, again.recovery.damaged) == (1, 1)
    assert drained(again) == [0.0]
    (kept,) = tmp_path.glob("*.damaged")
    assert kept.read_bytes() == bytes(data[len(MAGIC) + record :])
    again.close()


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(junk=st.binary(max_size=300), keep=st.integers(0, 400))
def test_no_bytes_in_a_segment_can_stop_a_start(
    tmp_path_factory: pytest.TempPathFactory, junk: bytes, keep: int
) -> None:
    folder = tmp_path_factory.mktemp("spool")
    spool = Spool(folder, BIG)
    fill(spool, 4)
    spool.close()
    path = last_segment(folder)
    path.write_bytes(path.read_bytes()[:keep] + junk)
    again = Spool(folder, BIG)
    found = drained(again)
    assert found == [float(n) for n in range(len(found))], "only a beginning of what was kept"
    fill(again, 1, start=99)
    assert drained(again) == [99.0]
    again.close()


@settings(max_examples=60, deadline=None)
@given(steps=st.lists(st.sampled_from(["append", "drop", "peek", "reopen"]), max_size=40))
def test_it_behaves_like_a_queue(
    tmp_path_factory: pytest.TempPathFactory, steps: list[str]
) -> None:
    folder = tmp_path_factory.mktemp("spool")
    spool = Spool(folder, BIG, segment_bytes=1)  # a segment a record: nothing is delivered twice
    model: deque[float] = deque()
    number = 0
    for step in steps:
        if step == "append":
            spool.append([point(number)])
            model.append(float(number))
            number += 1
        elif step == "reopen":
            spool.close()
            spool = Spool(folder, BIG, segment_bytes=1)
        elif step == "drop" and model:
            spool.drop()
            model.popleft()
        else:
            batch = spool.peek()
            assert [p.value for p in batch or []] == list(model)[:1]
        assert spool.records == len(model)
        assert spool.empty == (not model)
    assert drained(spool) == list(model)
    spool.close()


class _ShortWrites:
    """A file on a disk that runs full: takes a part, then nothing."""

    def __init__(self, file: BinaryIO, room: int) -> None:
        self._file = file
        self._room = room

    def write(self, data: bytes) -> int:
        if not self._room:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        taken = data[: self._room]
        self._room -= len(taken)
        return self._file.write(taken)

    def fileno(self) -> int:
        return self._file.fileno()

    def close(self) -> None:
        self._file.close()


@pytest.mark.parametrize("room", [0, 1, 7, 8, 20])
def test_a_full_disk_leaves_nothing_half_written(tmp_path: Path, room: int) -> None:
    spool = Spool(tmp_path, BIG)
    fill(spool, 2)
    assert spool._tail is not None
    spool._tail = _ShortWrites(spool._tail, room)  # type: ignore[assignment]
    with pytest.raises(SpoolFullError):
        spool.append([point(2)])
    spool.append([point(3)])
    assert drained(spool) == [0.0, 1.0, 3.0]
    spool.close()


def test_a_segment_that_cannot_be_read_is_set_aside(tmp_path: Path) -> None:
    spool = Spool(tmp_path, BIG, segment_bytes=1)
    fill(spool, 2)
    with min(tmp_path.glob("*.spool")).open("r+b") as file:
        file.truncate(len(MAGIC) + 3)
    with pytest.raises(OSError, match="cannot be read"):
        spool.peek()
    assert spool.set_aside() == 1
    assert drained(spool) == [1.0]
    assert len(list(tmp_path.glob("*.damaged"))) == 1
    spool.close()


@given(
    st.lists(
        st.builds(point, st.integers(-10_000, 10_000), st.sampled_from(["d1", "a-b_c", "0"])),
        max_size=20,
    )
)
def test_any_batch_survives_its_encoding(batch: list[Point]) -> None:
    assert decode_batch(encode_batch(batch)) == batch


@given(st.binary(max_size=200))
def test_foreign_bytes_are_no_batch_and_raise_one_error(body: bytes) -> None:
    try:
        batch = decode_batch(body)
    except ValueError:
        return
    assert encode_batch(batch)


_WRITER = """
import sys
from pathlib import Path
from mqtt.ingest.spool import Spool
from tests.mqtt.ingest.parts import point
spool = Spool(Path(sys.argv[1]), 10**9, segment_bytes=2000)
start = int(sys.argv[2])
for number in range(start, start + 1_000_000):
    spool.append([point(number)] * 3)
    print(number, flush=True)
"""


@pytest.mark.fault
def test_a_killed_writer_loses_nothing_it_had_confirmed(tmp_path: Path) -> None:
    folder, confirmed = tmp_path / "spool", -1
    for round_number in range(3):
        target = confirmed + 40 + 37 * round_number
        child = subprocess.Popen(
            [sys.executable, "-c", _WRITER, str(folder), str(confirmed + 1)],
            stdout=subprocess.PIPE,
        )
        assert child.stdout is not None
        while confirmed < target:
            line = child.stdout.readline()
            assert line, "the writer ended"
            confirmed = int(line)
        child.kill()
        rest = child.stdout.read().split()
        confirmed = int(rest[-1]) if rest else confirmed
        child.stdout.close()
        child.wait()
        spool = Spool(folder, BIG)
        assert spool.recovery.damaged == 0
        assert spool.records in (confirmed + 1, confirmed + 2), "at most one more than confirmed"
        confirmed = spool.records - 1
        spool.close()
    spool = Spool(folder, BIG)
    wait_until(lambda: not spool.empty)
    found = drained(spool)
    spool.close()
    assert found == [float(n) for n in range(confirmed + 1) for _ in range(3)]
