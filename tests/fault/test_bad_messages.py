"""A flood of bad messages among good ones: consumers live on, good ones are served, bad ones counted."""

import random
import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

import pytest
from paho.mqtt.client import Client, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion
from sqlalchemy import func, select

from mqtt.broker.files import PACKET_SIZE_LIMIT
from mqtt.ingest import Quarantine
from mqtt.simulator.connection import BrokerSettings
from portal.access.models import Outcome
from portal.core import quarantine
from portal.core.quarantine import PAYLOAD_BYTES, QuarantinedMessage
from tests.fault.bad_messages import BadMessage, Nonsense
from tests.fault.meter import Meter, store_of
from tests.fault.people import people
from tests.fault.running import Running, running
from tests.fault.stream import Stream
from tests.services.wait import wait_until

pytestmark = [pytest.mark.fault, pytest.mark.timeout(180)]
SEED = 65536
EACH = 120


@contextmanager
def connected(broker: BrokerSettings) -> Iterator[Client]:
    """A client with the account given."""
    client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTv5)
    client.username_pw_set(broker.username, broker.password)
    client.max_inflight_messages = 1000
    client.connect(broker.host, broker.port)
    client.loop_start()
    try:
        wait_until(client.is_connected)
        yield client
    finally:
        client.disconnect()
        client.loop_stop()


def send(system: Running, messages: list[BadMessage]) -> None:
    """Publish all of them, confirmed by the broker."""
    with connected(system.administrator()) as client:
        sent = [client.publish(m.topic, m.payload, qos=1) for m in messages]
        for info in sent:
            info.wait_for_publish(60)
            assert info.is_published()


def counted(system: Running) -> tuple[dict[str, int], dict[str, int]]:
    """What worker and ingest have counted by fault."""
    with system.db.read() as session:
        by_worker = quarantine.counts(session)
    aside = Quarantine(system.data / "ingest" / "quarantine.sqlite")
    try:
        return by_worker, aside.count_by_fault()
    finally:
        aside.close()


def has_answered(stream: Stream, goal: int) -> bool:
    """Whether so many scans have been answered."""
    return stream.answered >= goal


def total(counts: Iterable[Mapping[str, int]]) -> int:
    """All faults of all consumers."""
    return sum(sum(by_fault.values()) for by_fault in counts)


def as_told(seen: str) -> dict[str, int]:
    """The counts in the doctor's words: ``malformed_json 3, stale 1, …``."""
    words = (part.split() for part in seen.split(", "))
    return {word[0]: int(word[1]) for word in words if len(word) == 2 and word[1].isdecimal()}


def test_bad_messages_are_counted_exactly_and_nobody_waits_for_them(tmp_path: Path) -> None:
    print(f"seed {SEED}")
    rng = random.Random(SEED)
    with running(tmp_path) as system, ExitStack() as stack:
        coming = people(system, rng, 1000)
        system.start()
        devices = system.devices()
        gates = [devices[key] for key in coming.gates]
        flood = Nonsense(rng, gates[0].address).flood(EACH)
        pids = {name: child.pid for name, child in system.child.items()}
        stream = stack.enter_context(Stream(system.broker, gates, coming.following, pace_s=0.02))
        meter = stack.enter_context(
            Meter(system.broker, devices["alarm-1"], qos=0, pace_s=0.02).running()
        )
        for start in range(0, len(flood), 200):
            before = stream.answered
            send(system, flood[start : start + 200])
            wait_until(partial(has_answered, stream, before + 5), what="good scans among the bad")
        wanted = (
            Counter(str(m.worker) for m in flood if m.worker),
            Counter(str(m.ingest) for m in flood if m.ingest),
        )
        wait_until(
            lambda: total(counted(system)) >= total(wanted), 60, what="all counted", interval=0.2
        )
        stream.stop_showing()
        meter.stop()
        wait_until(lambda: not stream.waiting, 60, what="every good event to be answered")
        assert counted(system) == wanted

        with system.db.read() as session:
            passages = system.passages(session)
            longest = select(func.max(func.length(QuarantinedMessage.payload)))
            assert session.scalar(longest) == PAYLOAD_BYTES
        assert len(passages) == stream.shown
        allowed = {row.transaction for row in passages if row.outcome == Outcome.ALLOW}
        assert stream.openings == allowed
        assert len(allowed) > 10
        with store_of(system.config.effective_telemetry_url) as store:
            wait_until(lambda: set(meter.stored(store)) == set(meter.published))
            assert all(len(at) == 1 for at in meter.stored(store).values())

        said = system.doctor()
        assert as_told(said["quarantine (worker)"]["seen"]) == wanted[0]
        assert as_told(said["quarantine (ingest)"]["seen"]) == wanted[1]
        assert said["quarantine (worker)"]["state"] == "warn"
        assert said["quarantine (worker)"]["advice"]
        assert {name: child.pid for name, child in system.child.items()} == pids
        assert all(child.running for child in system.child.values())
        for name in ("worker", "ingest"):
            assert "Traceback" not in system.child[name].log.read_text("utf-8")


def test_who_sends_far_too_much_is_cut_off_and_nobody_else_notices(tmp_path: Path) -> None:
    with running(tmp_path) as system:
        coming = people(system, random.Random(SEED), 20)
        system.start()
        gates = [system.devices()[key] for key in coming.gates]
        with Stream(system.broker, gates) as stream, connected(system.administrator()) as hog:
            cut = threading.Event()
            hog.on_disconnect = lambda *_: cut.set()
            hog.publish(gates[0].address.event("scan"), b"x" * (PACKET_SIZE_LIMIT + 1), qos=0)
            assert cut.wait(10)
            _, code = coming.one_time[0]
            stream.show((coming.gates[0], code))
            wait_until(lambda: stream.answered == 1)
            assert len(stream.openings) == 1
        assert counted(system) == ({}, {})
