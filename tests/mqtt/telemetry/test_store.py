"""What every telemetry store does, on each of them: embedded, InfluxDB 1.6, VictoriaMetrics."""

import json
import urllib.parse
import urllib.request
import uuid
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event, Thread

import pytest

from mqtt.telemetry import (
    LastValue,
    Point,
    StoreRejected,
    StoreUnavailable,
    TelemetryStore,
    open_store,
)
from mqtt.telemetry.http import Address
from mqtt.telemetry.victoria import VictoriaStore

BODY = "sensor/body_temperature"
HOUR = timedelta(hours=1)
NOON = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(days=2)


def eventually(condition: Callable[[], object]) -> None:
    """VictoriaMetrics shows new points after a second and new series after ten."""
    never = Event()
    for _ in range(800):
        if condition():
            return
        never.wait(0.025)
    raise AssertionError("not within 20 s")


class FlushedVictoria(VictoriaStore):
    """Shows what was written at once, as a test cannot wait ten seconds for every new series."""

    def write(self, points: Sequence[Point]) -> None:
        super().write(points)
        self._server.request("GET", "/internal/force_flush", {})


def create_database(base: str) -> str:
    """A new database on an InfluxDB 1.x."""
    name = f"t{uuid.uuid4().hex[:12]}"
    data = urllib.parse.urlencode({"q": f"CREATE DATABASE {name}"}).encode()
    with urllib.request.urlopen(f"{base}/query", data=data, timeout=10) as answer:
        assert "error" not in json.load(answer)["results"][0]
    return name


@pytest.fixture(
    params=[
        "embedded",
        pytest.param("influxdb", marks=pytest.mark.telemetry),
        pytest.param("victoriametrics", marks=pytest.mark.telemetry),
    ]
)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[TelemetryStore]:
    if request.param == "embedded":
        url = f"sqlite:///{tmp_path}/telemetry.sqlite"
    else:
        base = request.getfixturevalue(request.param)
        host = base.removeprefix("http://")
        if request.param == "victoriametrics":
            name, _, port = host.partition(":")
            with FlushedVictoria(Address(name, int(port))) as victoria:
                yield victoria
            return
        url = f"influxdb+v1://{host}/{create_database(base)}"
    with open_store(url) as opened:
        yield opened


@pytest.fixture
def device() -> str:
    """A device nobody else writes to: the servers are shared by all tests."""
    return f"dev-{uuid.uuid4().hex[:12]}"


def points(device: str, *values: tuple[int, float], measure: str = BODY) -> list[Point]:
    """Points so many seconds after noon."""
    return [Point("garden", device, measure, NOON + timedelta(seconds=s), v) for s, v in values]


def written(store: TelemetryStore, batch: list[Point]) -> None:
    """Write, and wait until it can be read."""
    store.write(batch)
    newest = max(batch, key=lambda point: point.at)

    def readable() -> bool:
        found = store.last(newest.community, newest.device).get(newest.measure_key)
        return found is not None and found.at >= newest.at

    eventually(readable)


def test_buckets_hold_mean_extremes_and_count(store: TelemetryStore, device: str) -> None:
    written(store, points(device, (0, 36.0), (10, 37.0), (59, 38.0), (60, 35.5), (180, 36.5)))
    found = store.query("garden", device, BODY, NOON, NOON + HOUR, timedelta(minutes=1))
    assert [(b.at - NOON, b.min, b.max, b.count) for b in found] == [
        (timedelta(0), 36.0, 38.0, 3),
        (timedelta(minutes=1), 35.5, 35.5, 1),
        (timedelta(minutes=3), 36.5, 36.5, 1),
    ]
    assert [b.mean for b in found] == pytest.approx([37.0, 35.5, 36.5])


def test_a_bucket_is_whole_even_where_the_range_begins_inside_it(
    store: TelemetryStore, device: str
) -> None:
    written(store, points(device, (0, 1.0), (3599, 3.0), (3600, 9.0)))
    found = store.query(
        "garden", device, BODY, NOON + timedelta(minutes=30), NOON + timedelta(minutes=40), HOUR
    )
    assert [(b.at, b.min, b.max, b.count) for b in found] == [(NOON, 1.0, 3.0, 2)]


def test_the_last_millisecond_of_a_bucket_belongs_to_it(store: TelemetryStore, device: str) -> None:
    edge = NOON + timedelta(minutes=1)
    before = edge - timedelta(milliseconds=1)
    written(
        store,
        [
            Point("garden", device, BODY, before, 1.0),
            Point("garden", device, BODY, edge, 2.0),
        ],
    )
    found = store.query("garden", device, BODY, NOON, NOON + HOUR, timedelta(minutes=1))
    assert [(b.at, b.max, b.count) for b in found] == [(NOON, 1.0, 1), (edge, 2.0, 1)]


def test_a_chart_over_a_month_finds_every_hour(store: TelemetryStore, device: str) -> None:
    start = NOON - timedelta(days=30)
    batch = [
        Point("garden", device, BODY, start + hour * HOUR, float(hour % 24)) for hour in range(720)
    ]
    written(store, batch)
    days = store.query("garden", device, BODY, start, NOON, timedelta(hours=1))
    assert len(days) == 720
    assert [b.at for b in days] == [point.at for point in batch]
    assert sum(b.count for b in days) == 720


def test_writing_a_batch_again_changes_nothing(store: TelemetryStore, device: str) -> None:
    batch = points(device, (0, 36.0), (10, 37.0))
    written(store, batch)
    store.write(batch)
    written(store, points(device, (20, 37.5)))
    (bucket,) = store.query("garden", device, BODY, NOON, NOON + HOUR, HOUR)
    assert (bucket.count, bucket.min, bucket.max) == (3, 36.0, 37.5)
    found = store.raw("garden", device, BODY, NOON, NOON + HOUR)
    assert [point.value for point in found] == [36.0, 37.0, 37.5]


def test_raw_points_come_back_as_they_were_written(store: TelemetryStore, device: str) -> None:
    batch = [
        Point("garden", device, BODY, NOON + timedelta(milliseconds=ms), value)
        for ms, value in ((0, 36.4), (1, -0.125), (999, 4e9), (1000, 0.0))
    ]
    written(store, batch)
    assert store.raw("garden", device, BODY, NOON, NOON + HOUR) == batch
    assert store.raw("garden", device, BODY, NOON, NOON + timedelta(seconds=1)) == batch[:3]
    assert store.raw("garden", device, BODY, NOON, NOON + HOUR, limit=2) == batch[:2]


def test_the_last_value_of_each_measure_is_the_newest(store: TelemetryStore, device: str) -> None:
    store.write(points(device, (0, 1.0), measure="binary_sensor/tamper"))
    store.write(points(device, (30, 36.5), (10, 36.0)))
    written(store, points(device, (20, 99.0), measure="sensor/battery"))
    store.write(points(device, (5, 35.0)))  # late, must not become the last value
    eventually(lambda: len(store.last("garden", device)) == 3)
    assert store.last("garden", device) == {
        "binary_sensor/tamper": LastValue(NOON, 1.0),
        BODY: LastValue(NOON + timedelta(seconds=30), 36.5),
        "sensor/battery": LastValue(NOON + timedelta(seconds=20), 99.0),
    }


def test_devices_and_communities_do_not_mix(store: TelemetryStore, device: str) -> None:
    other = Point("forest", device, BODY, NOON, 40.0)
    store.write([other])
    written(store, points(device, (0, 36.0)))
    written(store, points(f"{device}-2", (0, 38.0)))
    eventually(lambda: store.last("forest", device))
    (bucket,) = store.query("garden", device, BODY, NOON, NOON + HOUR, HOUR)
    assert (bucket.count, bucket.mean) == (1, 36.0)
    assert store.last("forest", device) == {BODY: LastValue(NOON, 40.0)}


def test_an_unknown_device_has_nothing(store: TelemetryStore, device: str) -> None:
    assert store.query("garden", device, BODY, NOON, NOON + HOUR, HOUR) == []
    assert store.raw("garden", device, BODY, NOON, NOON + HOUR) == []
    assert store.last("garden", device) == {}


def test_an_empty_range_and_an_empty_batch_are_fine(store: TelemetryStore, device: str) -> None:
    store.write([])
    assert store.query("garden", device, BODY, NOON, NOON, HOUR) == []
    assert store.raw("garden", device, BODY, NOON, NOON) == []


@pytest.mark.parametrize("key", ["", "Upper", "a b", "x'--", 'x"}', "x,y=1", "-x", "a" * 33])
def test_a_key_that_breaks_the_contract_reaches_no_query(store: TelemetryStore, key: str) -> None:
    with pytest.raises(ValueError, match="key"):
        store.last(key, "d1")
    with pytest.raises(ValueError, match="key"):
        store.query("garden", key, BODY, NOON, NOON + HOUR, HOUR)
    with pytest.raises(ValueError, match="measure"):
        store.raw("garden", "d1", key, NOON, NOON + HOUR)
    with pytest.raises(StoreRejected):
        store.write([Point("garden", key, BODY, NOON, 1.0)])


def test_a_healthy_store_says_so(store: TelemetryStore) -> None:
    report = store.check()
    assert report.ok, report
    assert report.name in ("sqlite", "influxdb", "victoriametrics")


def test_threads_share_a_store(store: TelemetryStore, device: str) -> None:
    failures: list[BaseException] = []

    def work(number: int) -> None:
        try:
            for second in range(5):
                store.write(points(f"{device}-{number}", (second, float(second))))
                store.last("garden", f"{device}-{number}")
        except BaseException as error:
            failures.append(error)

    threads = [Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    newest = LastValue(NOON + timedelta(seconds=4), 4.0)

    def complete() -> bool:
        return all(
            store.last("garden", f"{device}-{number}").get(BODY) == newest for number in range(4)
        )

    eventually(complete)


@pytest.mark.telemetry
def test_influxdb_without_the_database_is_unavailable_and_says_so(influxdb: str) -> None:
    with open_store(f"influxdb+v1://{influxdb.removeprefix('http://')}/missing") as store:
        with pytest.raises(StoreUnavailable, match="not found"):
            store.write(points("d1", (0, 1.0)))
        report = store.check()
    assert (report.writable, report.advice) == (False, "missing_database")
    assert report.version.startswith("1.6")


@pytest.mark.telemetry
def test_influxdb_rejects_for_good_what_it_will_never_take(influxdb: str) -> None:
    name = create_database(influxdb)
    host = influxdb.removeprefix("http://")
    with open_store(f"influxdb+v1://{host}/{name}") as store:
        # the field's type is fixed by whoever writes first: a string here
        body = b'linli,community=garden,device=d1,measure=sensor/body_temperature value="text"'
        request = urllib.request.Request(f"{influxdb}/write?db={name}", data=body)
        urllib.request.urlopen(request, timeout=10).close()
        with pytest.raises(StoreRejected, match="conflict"):
            store.write([Point("garden", "d1", BODY, datetime.now(UTC), 1.0)])


@pytest.mark.telemetry
def test_influxdb_writes_to_the_retention_policy_of_the_url(influxdb: str) -> None:
    name = create_database(influxdb)
    text = f'CREATE RETENTION POLICY "short" ON {name} DURATION 30d REPLICATION 1'
    data = urllib.parse.urlencode({"q": text}).encode()
    urllib.request.urlopen(f"{influxdb}/query", data=data, timeout=10).close()
    host = influxdb.removeprefix("http://")
    with open_store(f"influxdb+v1://{host}/{name}?rp=short") as short:
        short.write(points("d1", (0, 36.0)))
        assert short.last("garden", "d1") == {BODY: LastValue(NOON, 36.0)}
    with open_store(f"influxdb+v1://{host}/{name}") as default:
        assert default.last("garden", "d1") == {}


@pytest.mark.parametrize(
    "url",
    [
        "influxdb+v1://reader:topsecret@127.0.0.1:{port}/t",
        "influxdb://topsecret@127.0.0.1:{port}/org/bucket",
        "victoria://reader:topsecret@127.0.0.1:{port}",
    ],
)
def test_a_server_that_is_away_is_unavailable_and_no_secret_is_told(
    url: str, unused_port: int
) -> None:
    with open_store(url.format(port=unused_port)) as store:
        with pytest.raises(StoreUnavailable) as caught:
            store.write(points("d1", (0, 36.0)))
        with pytest.raises(StoreUnavailable):
            store.last("garden", "d1")
        report = store.check()
    assert (report.readable, report.writable, report.advice) == (False, False, "unreachable")
    assert "topsecret" not in f"{caught.value!r}{report!r}"
