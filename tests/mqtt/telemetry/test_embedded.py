"""What only the embedded store promises: whole batches, one file, other readers, survival."""

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mqtt.telemetry import LastValue, Point, StoreRejected, StoreUnavailable, open_store
from mqtt.telemetry.embedded import EmbeddedStore

BODY = "sensor/body_temperature"
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[EmbeddedStore]:
    with EmbeddedStore(tmp_path / "t.sqlite") as opened:
        yield opened


def point(seconds: float, value: float = 1.0, device: str = "d1") -> Point:
    return Point("garden", device, BODY, NOON + timedelta(seconds=seconds), value)


def everything(store: EmbeddedStore, device: str = "d1") -> list[Point]:
    return store.raw("garden", device, BODY, NOON - 1000 * HOUR, NOON + 1000 * HOUR, 10**6)


def test_a_batch_with_one_bad_point_leaves_nothing(store: EmbeddedStore) -> None:
    store.write([point(0)])
    with pytest.raises(StoreRejected):
        store.write([point(1), point(2, device="new"), point(3, device="NOT VALID")])
    assert everything(store) == [point(0)]
    assert store.last("garden", "new") == {}
    store.write([point(2, device="new")])
    assert everything(store, "new") == [point(2, device="new")], "the undone series is made again"


def test_a_second_value_for_one_moment_replaces_the_first(store: EmbeddedStore) -> None:
    store.write([point(0, 36.0)])
    store.write([point(0, 37.0)])
    assert everything(store) == [point(0, 37.0)]
    assert store.last("garden", "d1") == {BODY: LastValue(NOON, 37.0)}


def test_another_process_reads_while_this_one_writes(store: EmbeddedStore, tmp_path: Path) -> None:
    store.write([point(0, 36.5)])
    code = (
        "import sys; from mqtt.telemetry import open_store;"
        "s = open_store(sys.argv[1]); print(s.last('garden', 'd1')); s.close()"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code, f"sqlite:///{tmp_path}/t.sqlite"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "36.5" in done.stdout
    store.write([point(1)])


def test_a_full_store_is_unavailable_and_takes_again_after_pruning(tmp_path: Path) -> None:
    with EmbeddedStore(tmp_path / "t.sqlite", max_bytes=100_000) as store:
        written = 0
        failure: StoreUnavailable | None = None
        while failure is None and written < 100:
            batch = [point(written * 3600 + n) for n in range(100)]
            try:
                store.write(batch)
                written += 1
            except StoreUnavailable as error:
                failure = error
        assert failure is not None
        assert "full" in str(failure)
        assert len(everything(store)) == written * 100, "the failed batch left nothing"
        report = store.check()
        assert report.readable
        # half of it goes, and there is room again
        gone = store.prune(NOON + timedelta(hours=written // 2))
        assert gone == written // 2 * 100
        store.write(batch)
        assert len(everything(store)) == written * 100 - gone + 100


def test_pruning_keeps_newer_hours_and_last_values(store: EmbeddedStore) -> None:
    store.write([point(-7200, 1.0), point(-3600, 2.0), point(0, 3.0)])
    store.write([point(-7200, 9.0, "old")])
    assert store.prune(NOON - timedelta(minutes=30)) == 2
    assert [p.value for p in everything(store)] == [2.0, 3.0]
    assert store.last("garden", "old") == {BODY: LastValue(NOON - 2 * HOUR, 9.0)}
    assert store.prune(NOON - timedelta(minutes=30)) == 0


def test_a_file_that_is_no_store_is_reported_as_damaged(tmp_path: Path) -> None:
    path = tmp_path / "t.sqlite"
    path.write_bytes(b"certainly no database " * 100)
    with EmbeddedStore(path) as store:
        with pytest.raises(StoreUnavailable):
            store.write([point(0)])
        report = store.check()
    assert (report.writable, report.readable, report.advice) == (False, False, "damaged")


def test_a_file_of_a_later_release_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "t.sqlite"
    with EmbeddedStore(path) as store:
        store.write([point(0)])
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with EmbeddedStore(path) as store:
        with pytest.raises(StoreUnavailable, match="schema 99"):
            store.last("garden", "d1")
        assert store.check().advice == "newer_schema"


def test_a_folder_that_cannot_be_made_is_unreachable(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with EmbeddedStore(tmp_path / "file" / "t.sqlite") as store:
        with pytest.raises(StoreUnavailable):
            store.write([point(0)])
        assert store.check().advice == "unreachable"


def test_a_writer_waits_for_another_process_and_gives_up_in_time(
    store: EmbeddedStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mqtt.telemetry.embedded.BUSY_MS", 50)
    store.write([point(0)])
    store.close()
    other = sqlite3.connect(store.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreUnavailable, match="locked"):
        store.write([point(1)])
    other.execute("ROLLBACK")
    other.close()
    store.write([point(1)])
    assert len(everything(store)) == 2


def test_the_store_works_again_after_being_closed(store: EmbeddedStore) -> None:
    store.write([point(0)])
    store.close()
    store.close()
    store.write([point(1)])
    assert len(everything(store)) == 2


@settings(max_examples=40, deadline=None)
@given(
    offsets=st.lists(st.integers(-50_000_000, 50_000_000), min_size=1, max_size=60),
    start=st.integers(-60_000_000, 60_000_000),
    length=st.integers(0, 90_000_000),
    step=st.sampled_from([60_000, 900_000, 3_600_000, 5_400_000, 86_400_000]),
)
def test_buckets_agree_with_a_plain_count(
    tmp_path_factory: pytest.TempPathFactory,
    offsets: list[int],
    start: int,
    length: int,
    step: int,
) -> None:
    ms = timedelta(milliseconds=1)
    points = {
        NOON + at * ms: Point("garden", "d1", BODY, NOON + at * ms, at / 1000) for at in offsets
    }
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    first, end = NOON + start * ms, NOON + (start + length) * ms
    whole_first = epoch + (first - epoch) // (step * ms) * (step * ms)
    whole_end = epoch - (epoch - end) // (step * ms) * (step * ms)
    expected: dict[datetime, list[float]] = {}
    for at, value in points.items():
        if whole_first <= at < whole_end:
            bucket = epoch + (at - epoch) // (step * ms) * (step * ms)
            expected.setdefault(bucket, []).append(value.value)
    with EmbeddedStore(tmp_path_factory.mktemp("t") / "t.sqlite") as store:
        store.write(list(points.values()))
        found = store.query("garden", "d1", BODY, first, end, step * ms)
    assert [(b.at, b.count, b.min, b.max) for b in found] == [
        (at, len(v), min(v), max(v)) for at, v in sorted(expected.items())
    ]
    assert [b.mean for b in found] == pytest.approx(
        [sum(v) / len(v) for _, v in sorted(expected.items())], abs=1e-6
    )


@pytest.mark.parametrize(
    ("start", "end", "step", "words"),
    [
        (NOON, NOON - HOUR, HOUR, "before the start"),
        (NOON, NOON + HOUR, timedelta(0), "too small"),
        (NOON, NOON + 10_000 * HOUR, timedelta(seconds=1), "larger step"),
        (NOON.replace(tzinfo=None), NOON, HOUR, "zone"),
    ],
)
def test_a_range_that_makes_no_sense_is_refused(
    store: EmbeddedStore, start: datetime, end: datetime, step: timedelta, words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        store.query("garden", "d1", BODY, start, end, step)


@pytest.mark.parametrize(
    ("at", "value"),
    [
        (NOON.replace(tzinfo=None), 1.0),
        (NOON.replace(year=1970), 1.0),
        (NOON.replace(year=2500), 1.0),
        (NOON, float("nan")),
        (NOON, float("inf")),
    ],
)
def test_a_point_that_no_store_could_keep_cannot_be_made(at: datetime, value: float) -> None:
    with pytest.raises(ValueError, match=r"usable time|finite"):
        Point("garden", "d1", BODY, at, value)


_WRITER = """
import sys
from datetime import UTC, datetime, timedelta
from mqtt.telemetry import Point, open_store
store, start = open_store(sys.argv[1]), int(sys.argv[2])
noon = datetime(2026, 3, 2, 12, tzinfo=UTC)
for batch in range(start, 10**9):
    store.write([Point("garden", "d1", "sensor/body_temperature",
        noon + timedelta(seconds=batch, milliseconds=n), float(batch)) for n in range(50)])
    print(batch, flush=True)
"""


@pytest.mark.fault
def test_a_killed_writer_leaves_whole_batches_and_all_confirmed_ones(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/t.sqlite"
    confirmed = -1
    for _ in range(3):
        child = subprocess.Popen(
            [sys.executable, "-c", _WRITER, url, str(confirmed + 1)], stdout=subprocess.PIPE
        )
        assert child.stdout is not None
        target = confirmed + 30
        while confirmed < target:
            confirmed = int(child.stdout.readline())
        child.kill()
        rest = child.stdout.read().split()
        confirmed = int(rest[-1]) if rest else confirmed
        child.stdout.close()
        child.wait()
        with open_store(url) as store:
            assert isinstance(store, EmbeddedStore)
            found = everything(store)
        assert len(found) % 50 == 0
        assert len(found) // 50 in (confirmed + 1, confirmed + 2)
        confirmed = len(found) // 50 - 1
