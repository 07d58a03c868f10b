"""The worker between a real broker and a real database."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from prometheus_client import CollectorRegistry
from sqlalchemy import event, select

from mqtt.broker.credentials import BrokerAccess
from mqtt.contract.messages import (
    Acknowledge,
    Alarm,
    Boot,
    Door,
    OfflinePassage,
    Refuse,
    Scan,
    Unlock,
)
from mqtt.contract.topics import DeviceAddress
from portal.access.models import Outcome, Passage
from portal.config import Config
from portal.core import quarantine
from portal.core.bus import Bus
from portal.core.clock import utc_now
from portal.core.db import Database
from portal.core.outbox import OutboxMessage, OutboxState, enqueue, new_transaction
from portal.devices.models import Device, DeviceEvent
from portal.services import Services
from portal.worker import Worker
from portal.worker.health import health_path, read_health
from portal.worker.intake import TOPICS
from tests.portal.gatehouse import EAST, MAIN, Gatehouse
from tests.portal.worker.fake_gate import FakeGate, until
from tests.services.mosquitto import Broker, Brokers

ANONYMOUS = (
    "allow_anonymous true\npersistence false\nset_tcp_nodelay true\nmax_inflight_messages 2000\n"
)


@pytest.fixture
def broker(mosquitto: Brokers) -> Iterator[Broker]:
    started = mosquitto(ANONYMOUS)
    yield started
    started.child.stop()


@pytest.fixture
def live(house: Gatehouse) -> Gatehouse:
    """A gatehouse that lives now: the worker's clock is the real one."""
    house.now = utc_now()
    return house


@pytest.fixture
def live_sqlite(sqlite_house: Gatehouse) -> Gatehouse:
    sqlite_house.now = utc_now()
    return sqlite_house


def access_to(broker: Broker) -> BrokerAccess:
    return BrokerAccess("127.0.0.1", broker.port, "", "")


@contextmanager
def working(
    house: Gatehouse, broker: Broker, folder: Path, db: Database | None = None
) -> Iterator[Worker]:
    """A worker that is connected and subscribed; nothing happens but by its turns."""
    services = Services(config=Config(data_dir=folder), db=db or house.db)
    bus = Bus(access_to(broker), client_id="linli-worker-1", topics=TOPICS)
    worker = Worker(services, bus, CollectorRegistry())
    until(worker.turn, lambda: bus.connected)
    for _ in range(5):
        worker.turn(0.02)
    yield worker
    bus.close()


def scan(house: Gatehouse, code: str, **fields: object) -> Scan:
    return house.scan(code, **({"at": utc_now()} | fields))


def test_a_scan_opens_the_door_and_the_answer_reaches_the_log(
    live: Gatehouse, broker: Broker, tmp_path: Path
) -> None:
    code = live.code(live.resident_pass())
    with working(live, broker, tmp_path) as worker, FakeGate(broker.port, MAIN, answers=True) as g:
        shown = scan(live, code, body_temperature=36.6)
        g.send(shown)
        until(worker.turn, lambda: g.answer_to(shown.id))
        assert isinstance(g.answer_to(shown.id), Unlock)
        until(worker.turn, lambda: live.count(Passage, Passage.opened_at.is_not(None)) == 1)
        [passage] = live.passages()
        assert (passage.outcome, passage.body_temperature) == (Outcome.ALLOW, 36.6)
        assert live.count(OutboxMessage, OutboxMessage.state == OutboxState.DONE) == 1
        again = scan(live, code)
        g.send(again)
        until(worker.turn, lambda: g.answer_to(again.id))
        refusal = g.answer_to(again.id)
        assert isinstance(refusal, Refuse)
        assert refusal.reason == "replayed"
        allowed = {"outcome": "allow", "reason": "ok"}
        assert worker.metrics.registry.get_sample_value("linli_scans_total", allowed) == 1


def test_two_gates_show_one_visitors_code_and_one_opens(
    live: Gatehouse, broker: Broker, tmp_path: Path
) -> None:
    code = live.code(live.visitor_pass())
    with (
        working(live, broker, tmp_path) as worker,
        FakeGate(broker.port, MAIN) as main,
        FakeGate(broker.port, EAST) as east,
    ):
        scans = [(gate, scan(live, code)) for gate in (main, east)]
        for gate, shown in scans:
            gate.send(shown)
        until(worker.turn, lambda: all(gate.answer_to(shown.id) for gate, shown in scans))
        answers = {type(gate.answer_to(shown.id)) for gate, shown in scans}
        assert answers == {Unlock, Refuse}


def test_other_events_are_recorded_once_and_acknowledged(
    live: Gatehouse, broker: Broker, tmp_path: Path
) -> None:
    with working(live, broker, tmp_path) as worker, FakeGate(broker.port, MAIN) as gate:
        alarm = Alarm(id=uuid4().hex, at=utc_now(), action="pressed", battery=80)
        boot = Boot(id=uuid4().hex, at=utc_now(), firmware="2026.3.1")
        for sent in (alarm, boot, alarm):
            gate.send(sent)
        until(worker.turn, lambda: gate.answer_to(alarm.id) and gate.answer_to(boot.id))
        assert isinstance(gate.answer_to(alarm.id), Acknowledge)
        assert live.count(DeviceEvent) == 2
        with live.db.read() as session:
            body = session.scalar(select(DeviceEvent.body).where(DeviceEvent.kind == "alarm"))
            assert body == {"action": "pressed", "battery": 80, "presses": 1}
            assert session.scalar(select(Device.firmware).where(Device.key == MAIN.device)) == (
                "2026.3.1"
            )


def test_a_passage_decided_offline_is_recorded_with_its_pass(
    live: Gatehouse, broker: Broker, tmp_path: Path
) -> None:
    pass_id = live.visitor_pass(uses=2)
    code = live.code(pass_id)
    with working(live, broker, tmp_path) as worker, FakeGate(broker.port, MAIN) as gate:
        passed = OfflinePassage(
            id=uuid4().hex,
            at=utc_now(),
            code=code,
            outcome="allow",
            reason="ok",
            revocation_age_s=60,
        )
        gate.send(passed)
        gate.send(passed)
        until(worker.turn, lambda: gate.answer_to(passed.id))
        [passage] = live.passages()
        assert (passage.offline, passage.pass_id) == (True, pass_id)
        assert passage.resident_id == live.residents["101"]
        assert live.uses(pass_id) == 1


def test_a_retained_status_is_noted_at_connect_and_when_it_changes(
    live_sqlite: Gatehouse, broker: Broker, tmp_path: Path
) -> None:
    house = live_sqlite

    def online() -> bool | None:
        with house.db.read() as session:
            return session.scalar(select(Device.online).where(Device.key == MAIN.device))

    with FakeGate(broker.port, MAIN) as gate:
        gate.publish(MAIN.status, b"online", retain=True)
        gate.publish(DeviceAddress("spring", "gone").status, b"online", retain=True)
        with working(house, broker, tmp_path) as worker:
            until(worker.turn, online)
            gate.publish(MAIN.status, b"offline", retain=True)
            until(worker.turn, lambda: not online())
            assert house.count(quarantine.QuarantinedMessage) == 0


def test_malformed_messages_are_put_aside_and_scans_go_on(
    live: Gatehouse, broker: Broker, tmp_path: Path
) -> None:
    code = live.code(live.resident_pass())
    bad: list[tuple[str, bytes, str]] = [
        (MAIN.event("scan"), b"{", "malformed_json"),
        (MAIN.event("scan"), b"\xff\xfe", "malformed_json"),
        (MAIN.event("scan"), b'{"id": 7}', "wrong_shape"),
        (MAIN.event("scan"), b'{"id": "a-scan-of-what"}', "wrong_shape"),
        (MAIN.event("scan"), b"[" * 60_000, "wrong_shape"),
        (MAIN.event("scan"), b" " * 65_537, "oversized"),
        (MAIN.event("dance"), b"{}", "unknown_kind"),
        (MAIN.result("dance"), b"{}", "unknown_kind"),
        (MAIN.status, b"perhaps", "wrong_shape"),
        ("linli/v1/SPRING/x/event/scan", b"{}", "unknown_topic"),
    ]
    with working(live, broker, tmp_path) as worker, FakeGate(broker.port, MAIN) as gate:
        stale = scan(live, code, at=utc_now() - timedelta(days=8))
        future = scan(live, code, at=utc_now() + timedelta(hours=1))
        for _ in range(20):
            for topic, payload, _fault in bad:
                gate.publish(topic, payload)
            gate.send(stale)
            gate.send(future)
        with FakeGate(broker.port, DeviceAddress("spring", "stranger")) as stranger:
            stranger.send(scan(live, code))
            stranger.send(Boot(id=uuid4().hex, at=utc_now(), firmware="1"))
            shown = scan(live, code)
            gate.send(shown)
            until(worker.turn, lambda: gate.answer_to(shown.id), 30)

            def counted() -> dict[str, int]:
                with live.db.read() as session:
                    return quarantine.counts(session)

            expected = {"stale": 20, "future": 20, "unknown_device": 2}
            for _topic, _payload, fault in bad:
                expected[fault] = expected.get(fault, 0) + 20
            until(worker.turn, lambda: sum(counted().values()) >= sum(expected.values()))
            assert counted() == expected
        refused = [stale.id, future.id, "a-scan-of-what"]
        until(worker.turn, lambda: all(map(gate.answer_to, refused)))
    assert all(isinstance(gate.answer_to(event), Acknowledge) for event in refused)
    assert stranger.commands == []
    assert isinstance(gate.answer_to(shown.id), Unlock)


def test_a_door_that_opened_is_noted_although_the_locks_answer_was_lost(
    live: Gatehouse, broker: Broker, tmp_path: Path
) -> None:
    code = live.code(live.resident_pass())
    with working(live, broker, tmp_path) as worker, FakeGate(broker.port, MAIN) as gate:
        shown = scan(live, code)
        gate.send(shown)
        until(worker.turn, lambda: gate.answer_to(shown.id))
        answer = gate.answer_to(shown.id)
        assert answer is not None
        moved = Door(id=uuid4().hex, at=utc_now(), state="opened", transaction=answer.transaction)
        gate.send(moved)
        until(worker.turn, lambda: live.count(Passage, Passage.opened_at.is_not(None)) == 1)
        [passage] = live.passages()
        assert passage.opened_at == moved.at


def test_a_restarted_worker_publishes_what_a_killed_one_left(
    live: Gatehouse, broker: Broker, tmp_path: Path
) -> None:
    now = utc_now() - timedelta(seconds=1)
    fresh = Unlock(transaction=new_transaction(), at=now, expires_at=now + timedelta(seconds=30))
    over = Unlock(transaction=new_transaction(), at=now, expires_at=now)
    with live.db.write() as session:
        for command in (fresh, over):
            enqueue(session, MAIN, command, now)
    with FakeGate(broker.port, MAIN) as gate, working(live, broker, tmp_path) as worker:
        until(worker.turn, lambda: gate.commands)
        published = OutboxMessage.state == OutboxState.PUBLISHED
        until(worker.turn, lambda: live.count(OutboxMessage, published) == 1)
        until(worker.turn, lambda: live.count(OutboxMessage, OutboxMessage.state == "expired") == 1)
        assert gate.commands == [fresh]


def test_scans_sent_while_the_worker_was_away_are_decided(
    live: Gatehouse, broker: Broker, tmp_path: Path
) -> None:
    code = live.code(live.resident_pass())
    with FakeGate(broker.port, MAIN) as gate:
        with working(live, broker, tmp_path):
            pass
        shown = scan(live, code)
        gate.send(shown)
        with working(live, broker, tmp_path) as worker:
            until(worker.turn, lambda: gate.answer_to(shown.id))
    assert isinstance(gate.answer_to(shown.id), Unlock)


def test_a_worker_outlives_its_broker(live: Gatehouse, broker: Broker, tmp_path: Path) -> None:
    pass_id = live.resident_pass()
    with working(live, broker, tmp_path) as worker:
        broker.child.kill()
        until(worker.turn, lambda: not worker.health().connected)
        broker.child.start()
        until(worker.turn, lambda: worker.health().connected)
        with FakeGate(broker.port, MAIN) as gate:
            shown = scan(live, live.code(pass_id))
            gate.send(shown)
            until(worker.turn, lambda: gate.answer_to(shown.id))


def test_a_broker_that_is_down_at_the_start_is_waited_for(
    live_sqlite: Gatehouse, broker: Broker, tmp_path: Path
) -> None:
    broker.child.stop()
    services = Services(config=Config(data_dir=tmp_path), db=live_sqlite.db)
    bus = Bus(access_to(broker), client_id="linli-worker-1", topics=TOPICS)
    worker = Worker(services, bus, CollectorRegistry())
    for _ in range(3):
        worker.turn()
    assert not worker.health().connected
    broker.child.start()
    until(worker.turn, lambda: worker.health().connected)
    bus.close()


def test_a_full_disk_loses_no_scan_and_uses_no_pass_twice(
    live_sqlite: Gatehouse, broker: Broker, tmp_path: Path
) -> None:
    """A real SQLITE_FULL: the database may not grow for a while."""
    house = live_sqlite
    pass_id = house.visitor_pass()
    code = house.code(pass_id)
    pages: list[object] = []

    def limit(connection: sqlite3.Connection, _record: object, _proxy: object) -> None:
        if not pages:
            used = connection.execute("PRAGMA page_count").fetchone()[0]
            connection.execute(f"PRAGMA max_page_count={used}")

    with working(house, broker, tmp_path) as worker, FakeGate(broker.port, MAIN) as gate:
        with house.db.write() as session:
            enqueue(
                session,
                MAIN,
                Unlock(transaction=new_transaction(), at=utc_now(), expires_at=utc_now()),
                utc_now(),
            )
        event.listen(house.db.engine, "checkout", limit)
        shown = [scan(house, "x" * 1000) for _ in range(40)]
        for each in shown:
            gate.send(each)
        waited = threading.Timer(1.0, lambda: pages.append(1))

        def relief(connection: sqlite3.Connection, _record: object, _proxy: object) -> None:
            if pages:
                connection.execute("PRAGMA max_page_count=1000000")

        event.listen(house.db.engine, "checkout", relief)
        waited.start()
        last = scan(house, code)
        gate.send(last)
        until(worker.turn, lambda: gate.answer_to(last.id), 30)
        assert worker.health().retries > 0
        waited.join()
    assert isinstance(gate.answer_to(last.id), Unlock)
    assert house.uses(pass_id) == 1
    assert house.count(Passage) == len(shown) + 1


def test_a_locked_database_is_waited_for(
    live_sqlite: Gatehouse, broker: Broker, tmp_path: Path
) -> None:
    house = live_sqlite
    code = house.code(house.resident_pass())
    impatient = Database(str(house.db.engine.url))

    @event.listens_for(impatient.engine, "checkout")
    def do_not_wait(connection: sqlite3.Connection, _record: object, _proxy: object) -> None:
        connection.execute("PRAGMA busy_timeout=50")

    path = house.db.engine.url.database
    assert path is not None
    with (
        working(house, broker, tmp_path, impatient) as worker,
        FakeGate(broker.port, MAIN) as gate,
    ):
        lock = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        lock.execute("BEGIN IMMEDIATE")
        release = threading.Timer(1.0, lambda: lock.execute("ROLLBACK"))
        release.start()
        shown = scan(house, code)
        gate.send(shown)
        until(worker.turn, lambda: gate.answer_to(shown.id), 30)
        release.join()
        lock.close()
        assert worker.health().retries > 0
        assert worker.health().database_up
    impatient.close()
    assert isinstance(gate.answer_to(shown.id), Unlock)


def test_one_scan_the_database_refuses_does_not_stop_the_others(
    live: Gatehouse, broker: Broker, tmp_path: Path
) -> None:
    code = live.code(live.resident_pass())
    poison = f"poison-{uuid4().hex}"

    def refuse(
        _connection: object,
        _cursor: object,
        statement: str,
        parameters: object,
        _context: object,
        _many: object,
    ) -> None:
        if statement.startswith("INSERT INTO passages") and poison in str(parameters):
            raise ValueError("this value is refused")

    with working(live, broker, tmp_path) as worker, FakeGate(broker.port, MAIN) as gate:
        event.listen(live.db.engine, "before_cursor_execute", refuse)
        good = scan(live, code)
        gate.send(scan(live, code, id=poison))
        gate.send(good)
        until(worker.turn, lambda: gate.answer_to(good.id))

        def counted() -> dict[str, int]:
            with live.db.read() as session:
                return quarantine.counts(session)

        until(worker.turn, lambda: counted() == {"unprocessable": 1})
        event.remove(live.db.engine, "before_cursor_execute", refuse)
    assert isinstance(gate.answer_to(good.id), Unlock)


def test_a_worker_that_is_asked_to_stop_says_so_in_its_health_file(
    live_sqlite: Gatehouse, broker: Broker, tmp_path: Path
) -> None:
    services = Services(config=Config(data_dir=tmp_path), db=live_sqlite.db)
    bus = Bus(access_to(broker), client_id="linli-worker-1", topics=TOPICS)
    worker = Worker(services, bus, CollectorRegistry())
    stop = threading.Event()
    thread = threading.Thread(target=worker.run_forever, args=(stop,))
    thread.start()
    code = live_sqlite.code(live_sqlite.resident_pass())
    try:
        with FakeGate(broker.port, MAIN) as gate:
            shown = scan(live_sqlite, code)
            until(lambda: gate.send(shown), lambda: gate.answer_to(shown.id))
            path = health_path(tmp_path)
            health = read_health(path)
            assert health is not None
            assert health.fresh(utc_now())
    finally:
        stop.set()
        thread.join(20)
    assert not thread.is_alive()
    health = read_health(path)
    assert health is not None
    assert health.stopped
    assert not health.fresh(utc_now())
    assert live_sqlite.allowed() == 1
