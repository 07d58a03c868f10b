"""Messages become points, are ignored, or are refused with a fault; nothing else can happen."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mqtt.contract.codec import Fault, MessageError
from mqtt.contract.telemetry import MEASURES, Component
from mqtt.contract.topics import ROOT, Channel, DeviceAddress
from mqtt.ingest.router import ArrivalClock, read
from mqtt.telemetry import Point
from mqtt.telemetry.model import from_ms

NOW = 1_790_000_000_123
HOUSE = DeviceAddress("garden", "d1")
ALL = sorted({(m.component, m.name) for kind in MEASURES.values() for m in kind})


@pytest.mark.parametrize(("component", "name"), ALL)
def test_every_measure_of_the_contract_is_stored(component: Component, name: str) -> None:
    payload = b"0" if component is Component.SENSOR else b"ON"
    if name == "body_temperature":
        payload = b"36.5"
    found = read(HOUSE.state(component, name), payload, ArrivalClock(), NOW)
    assert found is not None
    assert (found.community, found.device) == ("garden", "d1")
    assert found.measure_key == f"{component}/{name}"
    assert found.at == from_ms(NOW)


@pytest.mark.parametrize(("payload", "value"), [(b"online", 1.0), (b"offline", 0.0)])
def test_presence_is_a_series_of_its_own(payload: bytes, value: float) -> None:
    found = read(HOUSE.status, payload, ArrivalClock(), NOW)
    assert found == Point("garden", "d1", "status/online", from_ms(NOW), value)


@pytest.mark.parametrize(
    ("topic", "payload", "fault"),
    [
        ("linli/v2/garden/d1/status", b"online", Fault.TOPIC),
        ("linli/v1/garden/d1", b"", Fault.TOPIC),
        ("linli/v1/garden/d1/sensor/unheard_of/state", b"1", Fault.TOPIC),
        (HOUSE.state("sensor", "battery"), b"full", Fault.SHAPE),
        (HOUSE.state("sensor", "battery"), b"101", Fault.SHAPE),
        (HOUSE.state("sensor", "battery"), b"nan", Fault.SHAPE),
        (HOUSE.state("sensor", "battery"), b"-inf", Fault.SHAPE),
        (HOUSE.state("sensor", "battery"), b"\xff", Fault.SHAPE),
        (HOUSE.state("sensor", "battery"), b"1_0", Fault.SHAPE),
        (HOUSE.state("sensor", "battery"), b"1" * 65, Fault.SIZE),
        (HOUSE.state("lock", "door"), b"1", Fault.SHAPE),
        (HOUSE.status, b"Online", Fault.SHAPE),
        (HOUSE.status, b"x" * 65_537, Fault.SIZE),
    ],
)
def test_what_breaks_the_contract_is_refused_with_its_fault(
    topic: str, payload: bytes, fault: Fault
) -> None:
    with pytest.raises(MessageError) as caught:
        read(topic, payload, ArrivalClock(), NOW)
    assert caught.value.fault is fault


@pytest.mark.parametrize("channel", [Channel.EVENT, Channel.COMMAND, Channel.RESULT])
def test_other_channels_are_ignored_whatever_they_hold(channel: Channel) -> None:
    topic = f"{HOUSE.prefix}/{channel}/scan"
    for payload in (b"", b"{", b"x" * 100_000):
        assert read(topic, payload, ArrivalClock(), NOW) is None


def test_a_deleted_retained_message_is_ignored() -> None:
    assert read(HOUSE.status, b"", ArrivalClock(), NOW) is None
    assert read(HOUSE.state("sensor", "battery"), b"", ArrivalClock(), NOW) is None


@given(
    topic=st.one_of(
        st.text(max_size=80),
        st.builds("/".join, st.lists(st.sampled_from(["linli", "v1", "a", "status"]), max_size=6)),
        st.builds(
            lambda *levels: "/".join((ROOT, *levels)),
            st.sampled_from(["garden", "", "Ünder", "+", "#"]),
            st.sampled_from(["d1", "a b", "$"]),
            st.sampled_from(["status", "sensor/battery/state", "lock/door/state", "event/scan"]),
        ),
    ),
    payload=st.one_of(st.binary(max_size=100), st.floats().map(lambda f: str(f).encode())),
)
def test_no_message_does_anything_else(topic: str, payload: bytes) -> None:
    try:
        found = read(topic, payload, ArrivalClock(), NOW)
    except MessageError:
        return
    assert found is None or found.series


@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 30)), max_size=60))
def test_no_two_arrivals_of_a_topic_share_a_time(arrivals: list[tuple[str, int]]) -> None:
    clock = ArrivalClock()
    now = NOW
    stamped = []
    for topic, step in arrivals:
        now += step // 10
        stamped.append((topic, clock.stamp(topic, now)))
    assert len(set(stamped)) == len(stamped)
    for name in "ab":
        times = [at for topic, at in stamped if topic == name]
        assert times == sorted(times)


def test_a_clock_set_back_is_believed_and_memory_is_bounded() -> None:
    clock = ArrivalClock(max_series=3)
    assert clock.stamp("a", NOW) == NOW
    assert clock.stamp("a", NOW - 3_600_000) == NOW - 3_600_000
    for name in "bcdefg":
        clock.stamp(name, NOW)
    assert len(clock._last) == 3
    assert from_ms(NOW) == datetime.fromtimestamp(NOW / 1000, UTC)
