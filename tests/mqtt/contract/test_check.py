import pytest

from mqtt.contract.check import check
from mqtt.contract.codec import MAX_AGE, Fault, MessageError, encode
from mqtt.contract.examples import COMMAND_EXAMPLES, EVENT_EXAMPLES, RESULT_EXAMPLE
from mqtt.contract.messages import EXAMPLE_MOMENT
from mqtt.contract.telemetry import MEASURES, Component
from mqtt.contract.topics import Channel, DeviceAddress

GATE = DeviceAddress("c1", "gate-1")


def test_every_example_may_travel_on_its_topic() -> None:
    for kind, event in EVENT_EXAMPLES.items():
        assert check(GATE.event(kind), encode(event)).name == kind
    for name, command in COMMAND_EXAMPLES.items():
        assert check(GATE.command(name), encode(command)).channel is Channel.COMMAND
        assert check(GATE.result(name), encode(RESULT_EXAMPLE)).channel is Channel.RESULT
    assert check(GATE.status, b"online").channel is Channel.STATUS


def test_every_measure_may_travel_at_its_limits_and_not_beyond() -> None:
    for measures in MEASURES.values():
        for measure in measures:
            topic = GATE.state(measure.component, measure.name)
            if measure.component is Component.SENSOR:
                check(topic, str(measure.minimum).encode())
                check(topic, str(measure.maximum).encode())
                beyond = [str(measure.maximum + 1000).encode(), b"nan", b"inf", b"warm"]
            else:
                check(topic, b"LOCKED" if measure.component is Component.LOCK else b"ON")
                beyond = [b"1", b"maybe"]
            for payload in beyond:
                with pytest.raises(MessageError):
                    check(topic, payload)


@pytest.mark.parametrize(
    ("topic", "payload", "fault"),
    [
        ("linli/v1/c1/gate-1", b"", Fault.TOPIC),
        (GATE.status, b"asleep", Fault.SHAPE),
        (GATE.state("sensor", "mood"), b"1", Fault.TOPIC),
        (GATE.event("mood"), b"{}", Fault.KIND),
        (GATE.event("scan"), b"{}", Fault.SHAPE),
        (GATE.command("unlock"), b"{", Fault.JSON),
    ],
)
def test_what_may_not_travel_is_refused(topic: str, payload: bytes, fault: Fault) -> None:
    with pytest.raises(MessageError) as caught:
        check(topic, payload)
    assert caught.value.fault is fault


def test_age_counts_only_when_the_time_is_given() -> None:
    payload = encode(EVENT_EXAMPLES["scan"])
    check(GATE.event("scan"), payload)
    with pytest.raises(MessageError) as caught:
        check(GATE.event("scan"), payload, EXAMPLE_MOMENT + 2 * MAX_AGE)
    assert caught.value.fault is Fault.STALE
