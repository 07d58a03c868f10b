"""Ingest on a real mosquitto: nothing acknowledged is lost, nothing bad stops it."""

import os
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mqtt.contract.codec import encode
from mqtt.contract.examples import EVENT_EXAMPLES
from mqtt.contract.topics import DeviceAddress
from mqtt.ingest import BrokerSettings, Quarantine, SpoolLockedError, read_health, run
from mqtt.ingest.service import IngestService
from mqtt.telemetry import LastValue, open_store
from mqtt.telemetry.embedded import EmbeddedStore
from tests.mqtt.ingest.parts import (
    ANONYMOUS,
    BODY,
    TroubledStore,
    all_points,
    body_topic,
    publish,
    publisher,
    running,
    settings,
)
from tests.services.mosquitto import Broker, Brokers
from tests.services.wait import wait_until

GATE = DeviceAddress("garden", "d1")


@pytest.fixture
def broker(mosquitto: Brokers) -> Iterator[Broker]:
    started = mosquitto(ANONYMOUS)
    yield started
    started.child.stop()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[TroubledStore]:
    with TroubledStore(tmp_path / "telemetry.sqlite") as opened:
        yield opened


def values(store: EmbeddedStore, device: str = "d1") -> list[float]:
    return [point.value for point in all_points(store, device)]


def test_scalars_and_presence_become_points(
    broker: Broker, store: TroubledStore, tmp_path: Path
) -> None:
    before = datetime.now(UTC)
    with running(settings(tmp_path, broker.port), store), publisher(broker.port) as client:
        publish(client, body_topic(), "36.5")
        publish(client, GATE.state("lock", "door"), "UNLOCKED", qos=0)
        publish(client, GATE.state("binary_sensor", "tamper"), "ON")
        publish(client, GATE.status, "online")
        wait_until(lambda: len(store.last("garden", "d1")) == 4)
    last = store.last("garden", "d1")
    assert {key: value.value for key, value in last.items()} == {
        "binary_sensor/tamper": 1.0,
        "lock/door": 0.0,
        "sensor/body_temperature": 36.5,
        "status/online": 1.0,
    }
    assert all(
        before - timedelta(milliseconds=1) <= value.at <= datetime.now(UTC)
        for value in last.values()
    )


def test_a_fast_row_of_values_is_kept_whole_and_in_order(
    broker: Broker, store: TroubledStore, tmp_path: Path
) -> None:
    sent = [20 + number / 100 for number in range(2_000)]
    with running(settings(tmp_path, broker.port), store), publisher(broker.port) as client:
        publish(client, body_topic(), *(f"{value:.2f}" for value in sent))
        wait_until(lambda: len(values(store)) == len(sent), timeout=20)
    assert values(store) == pytest.approx(sent)
    assert max(store.batches) > 20, "batches are formed under load"


def test_what_comes_while_ingest_is_away_waits_at_the_broker(
    broker: Broker, store: TroubledStore, tmp_path: Path
) -> None:
    given = settings(tmp_path, broker.port)
    with running(given, store):
        pass
    with publisher(broker.port) as client:
        publish(client, body_topic(), *(str(20 + n) for n in range(30)))
    with running(given, store):
        wait_until(lambda: len(values(store)) == 30)
    assert values(store) == [20.0 + n for n in range(30)]


def test_a_retained_state_is_not_stored_again_on_every_start(
    broker: Broker, store: TroubledStore, tmp_path: Path
) -> None:
    with publisher(broker.port) as client:
        client.publish(body_topic(), "36.5", qos=1, retain=True).wait_for_publish(10)
        given = settings(tmp_path, broker.port)
        for expected in (36.6, 36.7):
            with running(given, store):
                publish(client, body_topic(), str(expected))
                wait_until(lambda e=expected: e in values(store))
    assert values(store) == [36.6, 36.7]


def test_bad_messages_are_counted_and_kept_and_the_good_ones_stored(
    broker: Broker, store: TroubledStore, tmp_path: Path
) -> None:
    given = settings(tmp_path, broker.port)
    with running(given, store) as service, publisher(broker.port) as client:
        publish(client, "linli/v1/garden/d1/nonsense", "x")
        publish(client, "linli/v1/UPPER/d1/status", "online")
        publish(client, GATE.state("sensor", "unheard_of"), "1")
        publish(client, body_topic(), "warm", "nan", "400", b"\xff\xfe", "1" * 70_000, '{"a":1}')
        publish(client, GATE.status, "asleep")
        publish(client, body_topic(), "")  # a retained value deleted: not a fault
        publish(client, body_topic(), "36.5")
        wait_until(lambda: values(store) == [36.5])
        wait_until(lambda: service.delivery.rejected == 10)
        reader = Quarantine(given.quarantine_path)
        assert reader.count_by_fault() == {"oversized": 1, "unknown_topic": 3, "wrong_shape": 6}
        (oversized,) = reader.list(fault="oversized")
        assert (oversized.size, len(oversized.payload)) == (70_000, 4096)
        reader.close()
        sample = service.metrics.rejected.labels("wrong_shape")._value.get()
        assert sample == 6


def test_events_commands_and_results_are_none_of_its_business(
    broker: Broker, store: TroubledStore, tmp_path: Path
) -> None:
    given = settings(tmp_path, broker.port)
    with running(given, store) as service, publisher(broker.port) as client:
        publish(
            client, GATE.event("scan"), encode(EVENT_EXAMPLES["scan"]), "broken {", "x" * 70_000
        )
        publish(client, GATE.command("unlock"), "{}")
        publish(client, GATE.result("unlock"), "{}")
        publish(client, body_topic(), "36.5")
        wait_until(lambda: values(store) == [36.5])
        assert service.metrics.ignored._value.get() == 5
    assert Quarantine(given.quarantine_path).count_by_fault() == {}


def test_a_store_outage_is_bridged_by_the_spool_in_order(
    broker: Broker, store: TroubledStore, tmp_path: Path
) -> None:
    given = settings(tmp_path, broker.port, batch_size=10)
    with running(given, store) as service, publisher(broker.port) as client:
        publish(client, body_topic(), "21")
        wait_until(lambda: values(store) == [21.0])
        store.away = True
        publish(client, body_topic(), *(str(22 + n / 10) for n in range(50)))
        wait_until(lambda: service.spool.records >= 5)
        assert not service.delivery.store_up
        store.away = False
        wait_until(lambda: len(values(store)) == 51)
        wait_until(lambda: service.spool.empty)
    assert values(store) == pytest.approx([21.0, *(22 + n / 10 for n in range(50))])


def test_a_bug_in_the_store_loses_nothing(
    broker: Broker, store: TroubledStore, tmp_path: Path
) -> None:
    with running(settings(tmp_path, broker.port), store) as service:
        store.broken = True
        with publisher(broker.port) as client:
            publish(client, body_topic(), "36.5")
            wait_until(lambda: not service.spool.empty)
            store.broken = False
            wait_until(lambda: values(store) == [36.5])


def test_what_the_store_refuses_is_put_aside_and_the_rest_stored(
    broker: Broker, store: TroubledStore, tmp_path: Path
) -> None:
    given = settings(tmp_path, broker.port)
    with running(given, store), publisher(broker.port) as client:
        store.away = True  # so that good and bad come into one batch
        for number in range(20):
            publish(client, body_topic(), str(20 + number))
            if number in (3, 4, 17):
                publish(client, body_topic(f"bad-{number}"), "36.5")
        store.away = False
        wait_until(lambda: len(values(store)) == 20)
        wait_until(lambda: Quarantine(given.quarantine_path).count_by_fault())
    found = Quarantine(given.quarantine_path)
    assert found.count_by_fault() == {"refused_by_store": 3}
    assert {bad.topic for bad in found.list()} == {body_topic(f"bad-{n}") for n in (3, 4, 17)}


def test_with_the_spool_full_nothing_is_acknowledged_and_nothing_lost(
    broker: Broker, store: TroubledStore, tmp_path: Path
) -> None:
    given = settings(tmp_path, broker.port, batch_size=5, spool_max_bytes=2_000, receive_maximum=20)
    store.away = True
    with running(given, store) as service, publisher(broker.port) as client:
        publish(client, body_topic(), *(str(20 + n / 100) for n in range(200)))
        wait_until(lambda: service.delivery.spool_full)
        assert service.spool.size_bytes <= 2_000
        assert service.spool.records * 5 < 200, "the rest waits unacknowledged"
    # stopped while full: what was not acknowledged is still at the broker
    store.away = False
    with running(given, store):
        wait_until(lambda: len(values(store)) == 200)
    assert values(store) == pytest.approx([20 + n / 100 for n in range(200)])


def test_a_message_repeated_after_a_lost_connection_is_one_point(
    broker: Broker, store: TroubledStore, tmp_path: Path
) -> None:
    given = settings(tmp_path, broker.port, spool_max_bytes=1)
    store.away = True  # no room anywhere: messages stay unacknowledged
    with running(given, store) as service, publisher(broker.port) as client:
        publish(client, body_topic(), "36.1", "36.2", "36.3")
        wait_until(lambda: service.delivery.spool_full)
        cut = service.intake._client.socket()
        assert cut is not None
        cut.shutdown(socket.SHUT_RDWR)
        wait_until(lambda: service.metrics.redelivered._value.get() == 3)
        store.away = False
        wait_until(lambda: len(values(store)) == 3)
        wait_until(lambda: not service.intake._pending, what="all acknowledged")
    assert values(store) == [36.1, 36.2, 36.3]
    with running(given, store), publisher(broker.port) as client:
        publish(client, body_topic(), "36.4")
        wait_until(lambda: 36.4 in values(store))
    assert values(store) == [36.1, 36.2, 36.3, 36.4], "the broker had nothing left to repeat"


def test_a_broker_that_comes_late_and_goes_away_is_survived(
    mosquitto: Brokers, store: TroubledStore, tmp_path: Path
) -> None:
    late = mosquitto(ANONYMOUS)
    late.child.stop()
    given = settings(tmp_path, late.port)
    with running(given, store, subscribed=False) as service:
        wait_until(lambda: (health := read_health(given.health_path)) and not health.connected)
        late.child.start()
        wait_until(lambda: service.intake.subscribed, timeout=20)
        late.child.kill()
        wait_until(lambda: not service.intake.connected)
        late.child.start()
        wait_until(lambda: service.intake.subscribed, timeout=20)
        with publisher(late.port) as client:
            publish(client, body_topic(), "36.5")
            wait_until(lambda: values(store) == [36.5])
    late.child.stop()


def test_health_and_metrics_tell_how_it_is(
    broker: Broker, store: TroubledStore, tmp_path: Path
) -> None:
    given = settings(tmp_path, broker.port, metrics_port=0)
    with running(given, store) as service, publisher(broker.port) as client:
        publish(client, body_topic(), "36.5", "hot")
        wait_until(lambda: (h := read_health(given.health_path)) and h.stored == 1)
        health = read_health(given.health_path)
        assert health is not None
        assert health.well
        assert health.fresh(datetime.now(UTC))
        assert (health.pid, health.rejected) == (os.getpid(), 1)
        url = f"http://127.0.0.1:{service.metrics_port}/metrics"
        with urllib.request.urlopen(url, timeout=5) as answer:
            text = answer.read().decode()
        assert "linli_ingest_stored_total 1.0" in text
        assert 'linli_ingest_rejected_total{fault="wrong_shape"} 1.0' in text
    after = read_health(given.health_path)
    assert after is not None
    assert after.stopped
    assert not after.fresh(datetime.now(UTC))


def test_two_processes_do_not_share_a_data_folder(tmp_path: Path, store: TroubledStore) -> None:
    given = settings(tmp_path, 1883)
    first = IngestService(given, store)
    with pytest.raises(SpoolLockedError):
        IngestService(given, store)
    first.spool.close()


_CHILD = """
import sys
from pathlib import Path
from mqtt.ingest import BrokerSettings, IngestSettings, run
port, folder = int(sys.argv[1]), Path(sys.argv[2])
run(IngestSettings(BrokerSettings("127.0.0.1", port, client_id="killed"),
    f"sqlite:///{folder}/telemetry.sqlite", folder / "ingest"))
"""


def _child(port: int, folder: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", _CHILD, str(port), str(folder)], stdout=subprocess.DEVNULL
    )


def _is_subscribed(folder: Path, pid: int) -> bool:
    health = read_health(folder / "ingest" / "health.json")
    return health is not None and health.pid == pid and health.subscribed


@pytest.mark.fault
def test_nothing_acknowledged_is_lost_when_the_process_is_killed(
    broker: Broker, tmp_path: Path
) -> None:
    sent = 0
    with publisher(broker.port) as client:
        for _ in range(4):
            child = _child(broker.port, tmp_path)
            wait_until(lambda pid=child.pid: _is_subscribed(tmp_path, pid), timeout=20)
            messages = []
            for _ in range(500):
                messages.append(client.publish(body_topic(), f"{20 + sent / 100:.2f}", qos=1))
                sent += 1
            messages[250].wait_for_publish(20)
            child.kill()
            child.wait()
            for message in messages:
                message.wait_for_publish(20)
        child = _child(broker.port, tmp_path)
        expected = {20 + n / 100 for n in range(sent)}
        with open_store(f"sqlite:///{tmp_path}/telemetry.sqlite") as reader:
            assert isinstance(reader, EmbeddedStore)
            wait_until(lambda: len(set(values(reader))) == sent, timeout=30)
            assert {round(value, 2) for value in values(reader)} == {
                round(value, 2) for value in expected
            }
        child.send_signal(signal.SIGTERM)
        assert child.wait(20) == 0


def test_sigterm_ends_it_in_good_order(broker: Broker, tmp_path: Path) -> None:
    child = _child(broker.port, tmp_path)
    wait_until(lambda: _is_subscribed(tmp_path, child.pid), timeout=20)
    with publisher(broker.port) as client:
        publish(client, body_topic(), "36.5")
    child.send_signal(signal.SIGTERM)
    assert child.wait(20) == 0
    health = read_health(tmp_path / "ingest" / "health.json")
    assert health is not None
    assert health.stopped
    with running(
        settings(
            tmp_path,
            broker.port,
            broker=BrokerSettings("127.0.0.1", broker.port, client_id="killed"),
        ),
        store := TroubledStore(tmp_path / "telemetry.sqlite"),
    ):
        wait_until(lambda: values(store) == [36.5])
    assert store.last("garden", "d1")[BODY].value == 36.5
    store.close()


def test_run_names_a_wrong_store_url(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="scheme"):
        run(settings(tmp_path, 1883, store_url="mysql://x"))


def test_points_reach_victoriametrics_over_an_outage(
    broker: Broker, victoriametrics: str, tmp_path: Path
) -> None:
    """The real thing: the server is unreachable first (a wrong port), the spool is taken over."""
    host = victoriametrics.removeprefix("http://")
    device = f"vm-{tmp_path.name[-20:]}".lower().replace("_", "-")
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        closed = f"victoria://127.0.0.1:{held.getsockname()[1]}"
        given = settings(tmp_path, broker.port)
        with open_store(closed) as away, running(given, away) as service:  # type: ignore[arg-type]
            with publisher(broker.port) as client:
                publish(client, body_topic(device), "36.5", "36.6")
            wait_until(lambda: not service.spool.empty)
    with open_store(f"victoria://{host}") as there:
        with running(given, there) as service:  # type: ignore[arg-type]
            wait_until(lambda: service.spool.empty)

        def newest() -> LastValue | None:
            return there.last("garden", device).get(BODY)

        found = wait_until(newest, timeout=20)
        assert found is not None
        assert found.value == 36.6
