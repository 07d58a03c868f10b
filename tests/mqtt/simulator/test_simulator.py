"""Whole virtual communities on a real broker."""

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mqtt.contract.telemetry import DeviceKind
from mqtt.simulator import door_lock, simulator
from mqtt.simulator.alarm_button import AlarmButton
from mqtt.simulator.connection import BrokerSettings, BrokerUrlError
from mqtt.simulator.door_lock import DoorLock
from mqtt.simulator.population import SimulatedDevice, invent
from mqtt.simulator.simulator import Simulator, UnknownDeviceError
from tests.mqtt.simulator.answering_portal import (
    ALLOWED,
    REFUSED,
    AnsweringPortal,
    answering_portal,
)
from tests.services.mosquitto import Broker, Brokers
from tests.services.wait import wait_until

GATE = SimulatedDevice("c1", "gate", DeviceKind.DOOR_LOCK, "东门", thermometer="fever")
FEVER = SimulatedDevice("c1", "fever", DeviceKind.THERMOMETER)
LOCKER = SimulatedDevice("c1", "locker", DeviceKind.PARCEL_LOCKER)
BUTTON = SimulatedDevice("c1", "button", DeviceKind.ALARM_BUTTON)
ALL = (GATE, FEVER, LOCKER, BUTTON)


@pytest.fixture(scope="module")
def broker(mosquitto: Brokers) -> Broker:
    return mosquitto("allow_anonymous true\npersistence false\nmax_queued_messages 0\n")


@pytest.fixture
def portal(broker: Broker) -> Iterator[AnsweringPortal]:
    with answering_portal(broker.port) as found:
        yield found


async def _until(condition: Callable[[], Any], timeout: float = 20) -> Any:
    deadline = time.monotonic() + timeout
    while not (found := condition()):
        assert time.monotonic() < deadline, "not in time"
        await asyncio.sleep(0.01)
    return found


def _run(
    broker: Broker,
    story: Callable[[Simulator], Coroutine[Any, Any, None]],
    population: tuple[SimulatedDevice, ...] = ALL,
    **options: Any,
) -> None:
    async def main() -> None:
        options.setdefault("rate", 0)
        settings = BrokerSettings.parse(broker.url)
        world = Simulator(population, settings, **options)
        await world.start()
        try:
            await asyncio.wait_for(world.wait_ready(), 30)
            await story(world)
        finally:
            await world.stop()

    asyncio.run(main())


def test_devices_are_online_while_they_run_and_offline_afterwards(
    broker: Broker, portal: AnsweringPortal
) -> None:
    async def story(_world: Simulator) -> None:
        await _until(lambda: all(portal.last(s.address.status) == b"online" for s in ALL))
        await _until(lambda: len({e["id"] for e in portal.events("boot")}) == len(ALL))

    _run(broker, story)
    wait_until(lambda: all(portal.last(s.address.status) == b"offline" for s in ALL))
    assert portal.faults == []


def test_a_scan_is_decided_and_the_door_opens(broker: Broker, portal: AnsweringPortal) -> None:
    async def story(world: Simulator) -> None:
        gate = world.find("gate")
        assert isinstance(gate, DoorLock)
        allowed = await world.scan(gate, ALLOWED, 36.6)
        assert (allowed.outcome, gate.locked) == ("unlock", False)
        assert 0 < allowed.milliseconds < 5000
        await _until(lambda: [e for e in portal.events("door") if e["state"] == "opened"])
        refused = await world.scan(gate, REFUSED)
        assert (refused.outcome, refused.reason) == ("refuse", "revoked")
        await _until(lambda: not len(gate.queue))
        assert world.row(gate).milliseconds == refused.milliseconds
        first, second = portal.events("scan")[-2:]
        assert first["body_temperature"] == 36.6
        assert 35 <= second["body_temperature"] <= 39.5
        readings = await _until(lambda: [*portal.events("reading", "fever")][1:])
        assert {r["scan"] for r in portal.events("reading")} >= {first["id"], second["id"]}
        assert readings

    _run(broker, story)
    assert portal.faults == []


def test_a_scan_without_an_answer_ends_as_no_answer(
    broker: Broker, portal: AnsweringPortal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(door_lock, "PATIENCE_SECONDS", 0.5)
    monkeypatch.setattr(simulator, "PATIENCE_SECONDS", 0.5)
    portal.mute = True

    async def story(world: Simulator) -> None:
        gate = world.find("c1/gate")
        assert isinstance(gate, DoorLock)
        decision = await world.scan(gate, ALLOWED)
        assert decision.outcome == "no_answer"
        assert decision.event in gate.queue
        assert gate.locked

    _run(broker, story)


def test_an_alarm_is_repeated_until_the_portal_has_it(
    broker: Broker, portal: AnsweringPortal
) -> None:
    portal.mute = True

    async def story(world: Simulator) -> None:
        button = world.find("button")
        assert isinstance(button, AlarmButton)
        pressed = asyncio.create_task(world.alarm(button, button.press))
        await _until(lambda: len(portal.events("alarm")) >= 2)
        portal.mute = False
        milliseconds = await pressed
        assert milliseconds is not None
        assert milliseconds > 3000
        assert len({event["id"] for event in portal.events("alarm")}) == 1
        await _until(lambda: not len(button.queue))

    _run(broker, story)


def test_a_command_is_carried_out_once_however_often_it_comes(
    broker: Broker, portal: AnsweringPortal
) -> None:
    async def story(world: Simulator) -> None:
        locker = world.find("locker")
        locker.jam_share = 0.0  # type: ignore[attr-defined]
        for _ in range(3):
            portal.command(
                LOCKER.address, "open_compartment", compartment=5, transaction="transaction-once"
            )
        topic = LOCKER.address.result("open_compartment")
        await _until(lambda: len([1 for name, _ in portal.heard if name == topic]) == 3)
        await _until(lambda: [e for e in portal.events("compartment") if e["state"] == "closed"])
        opened = {e["id"] for e in portal.events("compartment") if e["state"] == "opened"}
        assert len(opened) == 1
        assert len({data for name, data in portal.heard if name == topic}) == 1

    _run(broker, story)


def test_devices_return_after_the_broker_was_killed_and_lose_no_event(mosquitto: Brokers) -> None:
    own = mosquitto("allow_anonymous true\npersistence false\n")
    with answering_portal(own.port) as portal:

        async def story(world: Simulator) -> None:
            button = world.find("button")
            assert isinstance(button, AlarmButton)
            own.child.kill()
            await _until(lambda: {row.status for row in world.rows()} != {"online"})
            await _until(lambda: not button.online)
            world.perform(button, button.press)
            await asyncio.to_thread(own.child.start)
            await asyncio.wait_for(world.wait_ready(), 30)
            await _until(lambda: portal.events("alarm"))
            await _until(lambda: not len(button.queue))

        _run(own, story)


def test_each_device_uses_its_own_credentials_and_a_wrong_one_is_named(mosquitto: Brokers) -> None:
    passwd = mosquitto.mosquitto.passwd
    if passwd is None:
        pytest.skip("mosquitto_passwd came without mosquitto")
    import subprocess

    own = mosquitto(
        "password_file ${folder}/passwords\nallow_anonymous false\npersistence false\n",
        {"passwords": ""},
    )
    for name in ("gate-user", "portal"):
        subprocess.run([passwd, "-b", own.folder / "passwords", name, f"{name}-word"], check=True)
    own.child.stop()
    own.child.start()
    right = replace(GATE, username="gate-user", password="gate-user-word")
    wrong = replace(BUTTON, username="gate-user", password="other-word")
    with answering_portal(own.port, username="portal", password="portal-word") as portal:

        async def main() -> None:
            world = Simulator((right, wrong), BrokerSettings.parse(own.url), rate=0)
            await world.start()
            try:
                gate = world.find("gate")
                assert isinstance(gate, DoorLock)
                await _until(lambda: world.row(gate).status == "online")
                assert (await world.scan(gate, ALLOWED)).outcome == "unlock"
                button = world.find("button")
                await _until(lambda: "authori" in world.row(button).status.lower())
            finally:
                await world.stop()

        asyncio.run(main())
        assert portal.last(BUTTON.address.status) is None


def test_a_broker_that_is_not_there_stops_nobody(broker: Broker) -> None:
    async def main() -> None:
        world = Simulator(ALL, BrokerSettings("127.0.0.1", 1), rate=0)
        await world.start()
        await _until(lambda: all("refused" in row.status.lower() for row in world.rows()))
        await world.stop()

    asyncio.run(main())


def test_two_hundred_devices_live_in_one_process(broker: Broker, portal: AnsweringPortal) -> None:
    population = invent(200)

    async def story(world: Simulator) -> None:
        gates = [d for d in world.devices.values() if isinstance(d, DoorLock)]
        decisions = await asyncio.gather(*(world.scan(gate, ALLOWED) for gate in gates))
        assert {decision.outcome for decision in decisions} == {"unlock"}
        await _until(lambda: portal.events("reading"))

    _run(broker, story, population, rate=6000)
    assert portal.faults == []


def test_codes_are_scanned_at_random_gates(broker: Broker, portal: AnsweringPortal) -> None:
    async def story(_world: Simulator) -> None:
        await _until(lambda: portal.events("scan"))

    _run(broker, story, (GATE,), rate=6000, codes=(REFUSED,))
    assert {event["code"] for event in portal.events("scan")} == {REFUSED}


def test_a_key_that_names_two_devices_or_none_is_refused(broker: Broker) -> None:
    async def story(world: Simulator) -> None:
        assert world.find("c2/gate").spec.community == "c2"
        for name in ("gate", "c3/gate", ""):
            with pytest.raises(UnknownDeviceError):
                world.find(name)

    _run(broker, story, (GATE, replace(GATE, community="c2")))


def test_an_ended_simulator_leaves_its_queue_to_the_next(
    broker: Broker, portal: AnsweringPortal, tmp_path: Path
) -> None:
    portal.mute = True
    ids = []

    async def first(world: Simulator) -> None:
        button = world.find("button")
        world.perform(button, button.press)  # type: ignore[attr-defined]
        ids.append(button.last_alarm)  # type: ignore[attr-defined]
        await _until(lambda: portal.events("alarm"))

    _run(broker, first, (BUTTON,), queue_folder=tmp_path)
    portal.heard.clear()
    portal.mute = False

    async def second(world: Simulator) -> None:
        await _until(lambda: ids[0] in {e["id"] for e in portal.events("alarm")})
        await _until(lambda: not len(world.find("button").queue))

    _run(broker, second, (BUTTON,), queue_folder=tmp_path)


@pytest.mark.parametrize("url", ["http://x", "mqtt://", "mqtt://x:port", "", "mqtt://x:99999"])
def test_what_is_no_broker_address_is_refused(url: str) -> None:
    with pytest.raises(BrokerUrlError):
        BrokerSettings.parse(url)


def test_an_address_is_taken_apart_and_its_password_not_printed() -> None:
    settings = BrokerSettings.parse("mqtts://user:p%40ss@broker.example")
    assert (settings.port, settings.tls, settings.password) == (8883, True, "p@ss")
    assert "p@ss" not in repr(settings)
