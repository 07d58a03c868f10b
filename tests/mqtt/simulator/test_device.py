import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mqtt.contract.check import check
from mqtt.contract.messages import COMMANDS, RESEND_SECONDS
from mqtt.contract.telemetry import MEASURES, DeviceKind
from mqtt.contract.topics import Channel
from mqtt.simulator.device import REMEMBERED_RESULTS
from tests.mqtt.simulator.machines import NOW, command, events, machine, results, run, seconds

KINDS = list(DeviceKind)


@pytest.mark.parametrize("kind", KINDS)
def test_a_connected_device_says_online_first_then_boot_and_every_known_state(
    kind: DeviceKind,
) -> None:
    device = machine(kind, online=False)
    said = device.on_connected(NOW)
    assert (said[0].payload, said[0].retain) == (b"online", True)
    assert [event["kind"] for event in events(said)] == ["boot"]
    reported = {item.topic for item in said}
    for measure in MEASURES[kind]:
        if measure.key != "sensor/body_temperature":
            assert device.address.state(measure.component, measure.name) in reported
    assert device.last_will.payload == b"offline"
    assert device.last_will.retain


@pytest.mark.parametrize("kind", KINDS)
def test_it_boots_once_however_often_it_connects(kind: DeviceKind) -> None:
    device = machine(kind)
    device.on_disconnected()
    assert events(device.on_connected(NOW + seconds(5))) == []


@pytest.mark.parametrize("kind", KINDS)
def test_a_quiet_hour_reports_every_measure_at_its_interval_within_its_range(
    kind: DeviceKind,
) -> None:
    device = machine(kind)
    said = run(device, NOW, 3600)
    for item in said:
        check(item.topic, item.payload)
    for measure in MEASURES[kind]:
        if measure.key != "sensor/body_temperature":
            topic = device.address.state(measure.component, measure.name)
            assert sum(item.topic == topic for item in said) == 3600 // measure.interval_s


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_seed_tells_the_same_story_and_another_seed_another(kind: DeviceKind) -> None:
    def story(seed: int) -> list[bytes]:
        device = machine(kind, seed=seed)
        return [item.payload for item in run(device, NOW, 600)]

    assert story(7) == story(7)
    assert story(7) != story(8)


def test_an_unanswered_event_is_repeated_unchanged_until_it_is_acknowledged() -> None:
    button = machine(DeviceKind.ALARM_BUTTON)
    first = [item for item in button.press(NOW) if "/event/" in item.topic]
    repeated = [item for item in run(button, NOW, 10) if "/event/" in item.topic]
    assert repeated == first * (10 // RESEND_SECONDS)
    button.on_command(
        "acknowledge", command("acknowledge", events=(button.last_alarm,)), NOW + seconds(10)
    )
    assert events(run(button, NOW + seconds(10), 30)) == []


def test_events_of_an_offline_device_are_sent_in_order_when_it_is_back() -> None:
    button = machine(DeviceKind.ALARM_BUTTON)
    button.on_disconnected()
    assert button.press(NOW) == []
    assert button.test(NOW + seconds(1)) == []
    assert run(button, NOW, 60) == []
    said = events(button.on_connected(NOW + seconds(60)))
    assert [event["action"] for event in said] == ["pressed", "tested"]
    assert [event["at"][:19] for event in said] == ["2026-03-02T08:00:00", "2026-03-02T08:00:01"]


def test_a_repeated_transaction_gets_the_first_answer_and_changes_nothing() -> None:
    thermometer = machine(DeviceKind.THERMOMETER)
    first = thermometer.on_command(
        "set_threshold", command("set_threshold", body_temperature=38.0), NOW
    )
    again = thermometer.on_command(
        "set_threshold", command("set_threshold", body_temperature=36.0), NOW + seconds(5)
    )
    assert results(first) == [(True, "")]
    assert again == first
    assert thermometer.threshold == 38.0


def test_an_expired_command_is_refused_and_stays_refused() -> None:
    thermometer = machine(DeviceKind.THERMOMETER)
    payload = command("set_threshold", body_temperature=38.0)
    late = thermometer.on_command("set_threshold", payload, NOW + seconds(10))
    assert results(late) == [(False, "expired")]
    assert thermometer.on_command("set_threshold", payload, NOW) == late
    assert thermometer.threshold != 38.0


@pytest.mark.parametrize(
    ("kind", "name", "fields"),
    [
        (DeviceKind.THERMOMETER, "unlock", {}),
        (DeviceKind.DOOR_LOCK, "set_threshold", {"body_temperature": 38.0}),
        (DeviceKind.PARCEL_LOCKER, "unlock", {}),
        (DeviceKind.ALARM_BUTTON, "open_compartment", {"compartment": 1}),
    ],
)
def test_a_command_of_another_kind_of_device_is_not_supported(
    kind: DeviceKind, name: str, fields: dict[str, float]
) -> None:
    said = machine(kind).on_command(name, command(name, **fields), NOW)
    assert results(said) == [(False, "not_supported")]


def test_old_transactions_are_forgotten_so_that_memory_stays_bounded() -> None:
    thermometer = machine(DeviceKind.THERMOMETER)
    for number in range(REMEMBERED_RESULTS + 10):
        payload = command(
            "set_threshold", transaction=f"transaction-{number}", body_temperature=38.0
        )
        thermometer.on_command("set_threshold", payload, NOW)
    assert len(thermometer._answers) == REMEMBERED_RESULTS


@given(name=st.sampled_from([*COMMANDS, "explode", ""]), payload=st.binary(max_size=200))
def test_a_malformed_command_is_counted_and_answered_with_nothing(
    name: str, payload: bytes
) -> None:
    lock = machine(DeviceKind.DOOR_LOCK)
    assert lock.on_command(name, payload, NOW) == []
    assert lock.ignored == 1


OPERATIONS = st.lists(
    st.tuples(
        st.sampled_from(
            ["scan", "unlock", "refuse", "exit", "force", "tamper", "tick", "offline", "online"]
        ),
        st.floats(0, 40),
        st.integers(0, 5),
    ),
    max_size=40,
)


@given(OPERATIONS)
def test_whatever_happens_a_lock_keeps_to_the_contract(
    operations: list[tuple[str, float, int]],
) -> None:
    lock = machine(DeviceKind.DOOR_LOCK)
    now, scans, seen = NOW, ["none-yet-1"], {}
    for name, pause, number in operations:
        now += seconds(pause)
        said = run(lock, now - seconds(pause), pause)
        event = scans[number % len(scans)]
        fields = {"transaction": f"transaction-{number}", "event": event}
        match name:
            case "scan":
                made, sent = lock.scan("LL1:X", now)
                scans.append(made)
                said += sent
            case "unlock":
                said += lock.on_command("unlock", command("unlock", now, **fields), now)
            case "refuse":
                payload = command("refuse", now, reason="revoked", **fields)
                said += lock.on_command("refuse", payload, now)
            case "exit":
                said += lock.exit(now)
            case "force":
                said += lock.force(now)
            case "tamper":
                said += lock.tamper(True, now)
            case "offline":
                lock.on_disconnected()
            case "online":
                said += lock.on_connected(now)
        for item in said:
            topic = check(item.topic, item.payload, now)
            if topic.channel is Channel.EVENT:
                data = json.loads(item.payload)
                assert seen.setdefault(data["id"], item) == item, "same id, other content"
    lock.on_disconnected()
    run(lock, now, 120)
    assert lock.locked
    assert not lock.contact_open
    assert not lock._people
