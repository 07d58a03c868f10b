import pytest
from hypothesis import given
from hypothesis import strategies as st

from mqtt.contract.messages import COMMANDS, EVENTS
from mqtt.contract.topics import (
    KEY_PATTERN,
    ROOT,
    Channel,
    DeviceAddress,
    Topic,
    TopicError,
    everything,
    parse,
    subscription,
)

KEYS = st.from_regex(KEY_PATTERN, fullmatch=True)
ADDRESSES = st.builds(DeviceAddress, KEYS, KEYS)


def _matches(pattern: str, topic: str) -> bool:
    wanted, got = pattern.split("/"), topic.split("/")
    if wanted[-1] == "#":
        return got[: len(wanted) - 1] == wanted[:-1]
    return len(wanted) == len(got) and all(w in ("+", g) for w, g in zip(wanted, got, strict=True))


@given(ADDRESSES, st.sampled_from(sorted(EVENTS)), st.sampled_from(sorted(COMMANDS)))
def test_what_is_built_is_parsed_back(address: DeviceAddress, event: str, command: str) -> None:
    assert parse(address.status) == Topic(address, Channel.STATUS)
    assert parse(address.event(event)) == Topic(address, Channel.EVENT, name=event)
    assert parse(address.command(command)) == Topic(address, Channel.COMMAND, name=command)
    assert parse(address.result(command)) == Topic(address, Channel.RESULT, name=command)
    assert parse(address.state("sensor", "signal")) == Topic(
        address, Channel.STATE, name="signal", component="sensor"
    )


@given(ADDRESSES, st.sampled_from(sorted(EVENTS)))
def test_a_subscription_takes_its_own_channel_and_no_other(
    address: DeviceAddress, event: str
) -> None:
    topics = {
        Channel.STATUS: address.status,
        Channel.STATE: address.state("lock", "door"),
        Channel.EVENT: address.event(event),
        Channel.COMMAND: address.command("unlock"),
        Channel.RESULT: address.result("unlock"),
    }
    for channel in Channel:
        pattern = subscription(channel, community=address.community)
        assert [c for c, topic in topics.items() if _matches(pattern, topic)] == [channel]
        assert _matches(everything(), topics[channel])


def test_a_group_makes_a_shared_subscription() -> None:
    assert subscription(Channel.EVENT, group="worker") == f"$share/worker/{ROOT}/+/+/event/+"
    assert everything(group="ingest") == f"$share/ingest/{ROOT}/#"


@given(st.text(max_size=80))
def test_any_other_text_is_a_topic_error(text: str) -> None:
    with pytest.raises(TopicError):
        parse(text)


@pytest.mark.parametrize(
    "topic",
    [
        f"{ROOT}/c1/gate-1",
        f"{ROOT}/c1/gate-1/status/more",
        f"{ROOT}/c1/gate-1/status\n",
        f"{ROOT}/C1/gate-1/status",
        f"{ROOT}/c1//status",
        f"{ROOT}/{'c' * 33}/gate-1/status",
        "linli/v2/c1/gate-1/status",
        f"{ROOT}/+/gate-1/status",
        f"{ROOT}/c1/gate-1/event/Scan",
    ],
)
def test_a_near_miss_is_refused(topic: str) -> None:
    with pytest.raises(TopicError):
        parse(topic)


@given(st.text(max_size=40))
def test_a_key_cannot_break_out_of_its_level(text: str) -> None:
    try:
        address = DeviceAddress(text, "gate-1")
    except TopicError:
        return
    assert address.status.count("/") == 4
    assert not set("+#/") & set(text)
