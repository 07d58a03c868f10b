"""Delivery: store, spool and quarantine in the right order, without a broker."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry

from mqtt.ingest.delivery import Delivery
from mqtt.ingest.metrics import IngestMetrics
from mqtt.ingest.quarantine import Quarantine
from mqtt.ingest.spool import Spool
from tests.mqtt.ingest.parts import TroubledStore, all_points, point


class Bench:
    """A delivery with a clock that the test moves."""

    def __init__(self, folder: Path, spool_bytes: int = 10**9) -> None:
        self.now = 0.0
        self.store = TroubledStore(folder / "t.sqlite")
        self.spool = Spool(folder / "spool", spool_bytes)
        self.quarantine = Quarantine(folder / "q.sqlite")
        self.metrics = IngestMetrics(CollectorRegistry())
        self.delivery = Delivery(
            self.store,
            self.spool,
            self.quarantine,
            self.metrics,
            (1.0, 8.0),
            monotonic=lambda: self.now,
        )

    def values(self) -> list[float]:
        return [p.value for p in all_points(self.store)]

    def close(self) -> None:
        self.store.close()
        self.spool.close()
        self.quarantine.close()


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    yield made
    made.close()


def test_with_the_store_up_nothing_touches_the_disk_twice(bench: Bench) -> None:
    assert bench.delivery.deliver([point(1), point(2)])
    assert bench.spool.empty
    assert bench.values() == [1.0, 2.0]


def test_the_wait_for_a_store_that_is_away_doubles_up_to_its_bound(bench: Bench) -> None:
    bench.store.away = True
    assert bench.delivery.deliver([point(1)])
    waits = []
    for _ in range(5):
        waits.append(bench.delivery.pause())
        bench.now += bench.delivery.pause()
        bench.delivery.drain(1)
    assert waits == [1.0, 2.0, 4.0, 8.0, 8.0]
    bench.store.away = False
    bench.now += 8
    bench.delivery.drain(1)
    assert (bench.delivery.store_up, bench.delivery.pause()) == (True, 0.0)
    assert bench.values() == [1.0]


def test_new_batches_queue_behind_the_spool(bench: Bench) -> None:
    bench.store.away = True
    assert bench.delivery.deliver([point(1)])
    bench.store.away = False
    bench.now += 100
    assert bench.delivery.deliver([point(2)])
    assert bench.values() == [], "the older one goes first"
    bench.delivery.drain(1)
    assert bench.values() == [1.0, 2.0]


def test_no_room_anywhere_is_said(tmp_path: Path) -> None:
    bench = Bench(tmp_path, spool_bytes=10)
    bench.store.away = True
    assert not bench.delivery.deliver([point(1)])
    assert bench.delivery.spool_full
    bench.store.away = False
    assert not bench.delivery.deliver([point(1)]), "not before the wait is over"
    bench.now += 1
    assert bench.delivery.deliver([point(1)])
    assert bench.values() == [1.0]
    bench.close()


def test_an_outage_while_halving_spools_the_whole_batch(bench: Bench) -> None:
    batch = [point(1), point(2), point(3, "bad-1"), point(4)]
    write = bench.store.write
    calls = 0

    def fail_later(points: object) -> None:
        nonlocal calls
        calls += 1
        bench.store.away = calls >= 3
        write(points)  # type: ignore[arg-type]

    bench.store.write = fail_later  # type: ignore[assignment]
    assert bench.delivery.deliver(batch)
    assert bench.spool.peek() == batch
    assert bench.quarantine.count_by_fault() == {}
    bench.store.write = write  # type: ignore[method-assign]
    bench.store.away = False
    bench.now += 1
    bench.delivery.drain(1)
    assert bench.values() == [1.0, 2.0, 4.0]
    assert bench.quarantine.count_by_fault() == {"refused_by_store": 1}


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    bad=st.sets(st.integers(0, 39)),
    outage=st.booleans(),
)
def test_exactly_the_bad_points_are_put_aside(
    tmp_path_factory: pytest.TempPathFactory, bad: set[int], outage: bool
) -> None:
    bench = Bench(tmp_path_factory.mktemp("bench"))
    bench.store.away = outage
    batch = [point(n, f"bad-{n}" if n in bad else "d1") for n in range(40)]
    assert bench.delivery.deliver(batch)
    bench.store.away = False
    bench.now += 100
    bench.delivery.drain(1)
    assert bench.values() == [float(n) for n in range(40) if n not in bad]
    assert bench.quarantine.count_by_fault() == ({"refused_by_store": len(bad)} if bad else {})
    assert bench.spool.empty
    assert bench.delivery.stored == 40 - len(bad)
    bench.close()


def test_a_quarantine_without_room_stops_nothing(bench: Bench) -> None:
    bench.quarantine.path.write_bytes(b"no database at all, really not one" * 20)
    assert bench.delivery.deliver([point(1), point(2, "bad-1")])
    assert bench.values() == [1.0]
    assert bench.delivery.rejected == 1
