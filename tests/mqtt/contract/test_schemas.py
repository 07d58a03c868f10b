import json

import jsonschema
import pytest

from mqtt.contract import schemas
from mqtt.contract.codec import encode
from mqtt.contract.examples import COMMAND_EXAMPLES, EVENT_EXAMPLES, RESULT_EXAMPLE
from mqtt.contract.messages import Message

EXAMPLES: dict[str, Message] = {
    **{f"event-{name}": event for name, event in EVENT_EXAMPLES.items()},
    **{f"command-{name}": command for name, command in COMMAND_EXAMPLES.items()},
    "result": RESULT_EXAMPLE,
}


def test_there_is_an_example_for_every_schema() -> None:
    assert EXAMPLES.keys() == schemas.KINDS.keys()


@pytest.mark.parametrize("stem", EXAMPLES)
def test_the_example_fits_the_schema(stem: str) -> None:
    schema = schemas.schema(stem)
    jsonschema.Draft202012Validator.check_schema(schema)
    checker = jsonschema.Draft202012Validator(
        schema, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER
    )
    checker.validate(json.loads(encode(EXAMPLES[stem])))


@pytest.mark.parametrize("stem", EXAMPLES)
def test_a_missing_required_field_is_refused(stem: str) -> None:
    schema = schemas.schema(stem)
    data = json.loads(encode(EXAMPLES[stem]))
    for name in schema["required"]:
        short = {key: value for key, value in data.items() if key != name}
        assert not jsonschema.Draft202012Validator(schema).is_valid(short), name


@pytest.mark.parametrize("stem", EXAMPLES)
def test_an_unknown_field_is_allowed(stem: str) -> None:
    data = {**json.loads(encode(EXAMPLES[stem])), "later_addition": 1}
    assert jsonschema.Draft202012Validator(schemas.schema(stem)).is_valid(data)
