import importlib
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mqtt.contract import codec, homeassistant, telemetry
from mqtt.contract.examples import COMMAND_EXAMPLES, EVENT_EXAMPLES, RESULT_EXAMPLE
from mqtt.contract.generate import NOTICE
from mqtt.contract.messages import EXAMPLE_MOMENT
from mqtt.contract.topics import DeviceAddress


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModuleType]:
    place = tmp_path_factory.mktemp("integration")
    package = place / "contract_copy_under_test"
    package.mkdir()
    for name, data in homeassistant.artefacts(NOTICE).items():
        (package / name).write_bytes(data)
    sys.path.insert(0, str(place))
    for name in ("errors", "measures", "messages", "topics"):
        importlib.import_module(f"contract_copy_under_test.{name}")
    yield sys.modules["contract_copy_under_test"]
    sys.path.remove(str(place))
    for name in [n for n in sys.modules if n.startswith("contract_copy_under_test")]:
        del sys.modules[name]


@pytest.mark.parametrize("kind", EVENT_EXAMPLES)
def test_an_event_written_by_the_contract_is_read_and_written_back(copy: Any, kind: str) -> None:
    payload = codec.encode(EVENT_EXAMPLES[kind])
    event = copy.messages.decode_event(kind, payload)
    assert type(event).__name__ == type(EVENT_EXAMPLES[kind]).__name__
    again = copy.messages.encode(event).encode()
    assert codec.decode_event(kind, again, EXAMPLE_MOMENT) == EVENT_EXAMPLES[kind]


@pytest.mark.parametrize("name", COMMAND_EXAMPLES)
def test_a_command_written_by_the_copy_is_read_by_the_contract(copy: Any, name: str) -> None:
    command = copy.messages.decode_command(name, codec.encode(COMMAND_EXAMPLES[name]))
    assert (
        codec.decode_command(name, copy.messages.encode(command).encode()) == COMMAND_EXAMPLES[name]
    )


def test_a_result_is_read_and_written_back(copy: Any) -> None:
    result = copy.messages.decode_result("unlock", codec.encode(RESULT_EXAMPLE))
    assert codec.decode_result("unlock", copy.messages.encode(result).encode()) == RESULT_EXAMPLE


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=40),
    lambda children: (
        st.lists(children, max_size=3) | st.dictionaries(st.text(), children, max_size=3)
    ),
    max_leaves=4,
)


@pytest.mark.parametrize("kind", EVENT_EXAMPLES)
def test_copy_and_contract_agree_on_every_spoiled_event(copy: Any, kind: str) -> None:
    data = json.loads(codec.encode(EVENT_EXAMPLES[kind]))

    @given(field=st.sampled_from(sorted(set(data) - {"at"})), value=JSON)
    def agree(field: str, value: object) -> None:
        payload = json.dumps({**data, field: value}).encode()
        try:
            codec.decode_event(kind, payload, EXAMPLE_MOMENT)
            allowed = True
        except codec.MessageError:
            allowed = False
        try:
            copy.messages.decode_event(kind, payload)
        except copy.errors.MessageError:
            assert not allowed, payload
        else:
            assert allowed, payload

    agree()


@pytest.mark.parametrize(
    "number", ["1.0", "-0.0", "1e3", "1e400", "NaN", "true", "null", '"1"', "10001"]
)
def test_copy_and_contract_agree_on_what_is_no_whole_number(copy: Any, number: str) -> None:
    data = json.loads(codec.encode(EVENT_EXAMPLES["reading"]))
    payload = json.dumps({**data, "distance_mm": "?"}).replace('"?"', number).encode()
    with pytest.raises(codec.MessageError):
        codec.decode_event("reading", payload, EXAMPLE_MOMENT)
    with pytest.raises(copy.errors.MessageError):
        copy.messages.decode_event("reading", payload)


@given(payload=st.binary(max_size=300))
def test_nothing_but_a_message_error_leaves_the_copys_reader(copy: Any, payload: bytes) -> None:
    for kind in EVENT_EXAMPLES:
        with pytest.raises(copy.errors.MessageError):
            copy.messages.decode_event(kind, payload)


def test_topics_and_measures_are_the_contracts(copy: Any) -> None:
    mine, theirs = DeviceAddress("c1", "gate-1"), copy.topics.DeviceAddress("c1", "gate-1")
    assert theirs.event("scan") == mine.event("scan")
    assert theirs.state("lock", "door") == mine.state("lock", "door")
    assert {
        (kind.value, m.key, m.unit, m.minimum, m.maximum, m.device_class)
        for kind, measures in copy.measures.MEASURES.items()
        for m in measures
    } == {
        (kind.value, m.key, m.unit, m.minimum, m.maximum, m.device_class)
        for kind, measures in telemetry.MEASURES.items()
        for m in measures
    }
    topic = copy.topics.parse("linli/v1/c1/gate-1/sensor/signal/state")
    assert copy.measures.parse_scalar(topic, b"-60")[1] == -60.0


def test_the_copy_passes_strict_type_checking_and_imports_the_standard_library_only(
    tmp_path: Path,
) -> None:
    package = tmp_path / "contract_copy"
    package.mkdir()
    for name, data in homeassistant.artefacts(NOTICE).items():
        (package / name).write_bytes(data)
        assert b"msgspec" not in data
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file=", "-p", "contract_copy"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
