import contextlib
import json
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mqtt.contract.codec import (
    MAX_AGE,
    MAX_AHEAD,
    Fault,
    MessageError,
    decode_command,
    decode_event,
    decode_result,
    encode,
    event_id,
)
from mqtt.contract.examples import COMMAND_EXAMPLES, EVENT_EXAMPLES, RESULT_EXAMPLE
from mqtt.contract.messages import COMMANDS, EVENTS, EXAMPLE_MOMENT
from mqtt.contract.topics import MAX_PAYLOAD_BYTES

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=40),
    lambda children: (
        st.lists(children, max_size=3) | st.dictionaries(st.text(), children, max_size=3)
    ),
    max_leaves=5,
)
KINDS = [*EVENTS, *COMMANDS, "nothing", ""]


def _decode_anything(kind: str, payload: bytes) -> None:
    for decode in (
        lambda: decode_event(kind, payload, EXAMPLE_MOMENT),
        lambda: decode_command(kind, payload),
        lambda: decode_result(kind, payload),
    ):
        with contextlib.suppress(MessageError):
            decode()


@pytest.mark.parametrize("kind", EVENT_EXAMPLES)
def test_every_event_example_comes_back(kind: str) -> None:
    event = EVENT_EXAMPLES[kind]
    assert decode_event(kind, encode(event), EXAMPLE_MOMENT) == event


@pytest.mark.parametrize("name", COMMAND_EXAMPLES)
def test_every_command_example_comes_back(name: str) -> None:
    command = COMMAND_EXAMPLES[name]
    assert decode_command(name, encode(command)) == command


def test_the_result_comes_back() -> None:
    assert decode_result("unlock", encode(RESULT_EXAMPLE)) == RESULT_EXAMPLE


@given(kind=st.sampled_from(KINDS), payload=st.binary(max_size=400))
def test_no_bytes_raise_anything_but_a_message_error(kind: str, payload: bytes) -> None:
    _decode_anything(kind, payload)


@given(kind=st.sampled_from(KINDS), value=JSON)
def test_no_json_raises_anything_but_a_message_error(kind: str, value: object) -> None:
    _decode_anything(kind, json.dumps(value).encode())


@given(data=st.data())
def test_no_spoiled_field_raises_anything_but_a_message_error(data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from(sorted(EVENTS)))
    good = json.loads(encode(EVENT_EXAMPLES[kind]))
    field = data.draw(st.sampled_from(sorted(good)))
    _decode_anything(kind, json.dumps({**good, field: data.draw(JSON)}).encode())


@given(
    moment=st.datetimes(
        timezones=st.integers(-1439, 1439).map(lambda m: timezone(timedelta(minutes=m)))
    )
)
def test_no_moment_raises_anything_but_a_message_error(moment: datetime) -> None:
    data = {**json.loads(encode(EVENT_EXAMPLES["tamper"])), "at": moment.isoformat()}
    _decode_anything("tamper", json.dumps(data).encode())


@pytest.mark.parametrize(
    ("payload", "fault"),
    [
        (b"{", Fault.JSON),
        (b"\xff\xfe", Fault.JSON),
        (b'{"x":' + b"[" * 20_000, Fault.JSON),
        (b"[]", Fault.SHAPE),
        (b'{"id": 1}', Fault.SHAPE),
        (b'{"id":"abcdefgh","at":"2026-03-02T08:00:00","active":true}', Fault.SHAPE),
        (b" " * (MAX_PAYLOAD_BYTES + 1), Fault.SIZE),
    ],
)
def test_each_kind_of_wrong_bytes_has_its_fault(payload: bytes, fault: Fault) -> None:
    with pytest.raises(MessageError) as caught:
        decode_event("tamper", payload, EXAMPLE_MOMENT)
    assert caught.value.fault is fault


def test_an_event_older_than_the_queue_or_ahead_of_the_clock_is_refused() -> None:
    payload = encode(EVENT_EXAMPLES["tamper"])
    edge = timedelta(seconds=1)
    assert decode_event("tamper", payload, EXAMPLE_MOMENT + MAX_AGE)
    assert decode_event("tamper", payload, EXAMPLE_MOMENT - MAX_AHEAD)
    for now, fault in (
        (EXAMPLE_MOMENT + MAX_AGE + edge, Fault.STALE),
        (EXAMPLE_MOMENT - MAX_AHEAD - edge, Fault.FUTURE),
    ):
        with pytest.raises(MessageError) as caught:
            decode_event("tamper", payload, now)
        assert caught.value.fault is fault


@pytest.mark.parametrize(
    ("payload", "found"),
    [
        (encode(EVENT_EXAMPLES["tamper"]), EVENT_EXAMPLES["tamper"].id),
        (b'{"id":"abcdefgh","at":7,"active":"perhaps"}', "abcdefgh"),
        (b'{"id":"short"}', None),
        (b'{"id":7}', None),
        (b"[]", None),
        (b"{", None),
        (b"\xff\xfe", None),
        (b'{"x":' + b"[" * 20_000, None),
        (b'{"id":"abcdefgh","x":"' + b" " * MAX_PAYLOAD_BYTES + b'"}', None),
    ],
)
def test_an_event_names_itself_however_wrong_the_rest_is(payload: bytes, found: str | None) -> None:
    assert event_id(payload) == found


def test_an_unknown_kind_is_named() -> None:
    for decode in (decode_command, decode_result):
        with pytest.raises(MessageError) as caught:
            decode("explode", b"{}")
        assert caught.value.fault is Fault.KIND
