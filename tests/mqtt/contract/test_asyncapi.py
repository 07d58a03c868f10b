import gzip
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from mqtt.contract import asyncapi
from mqtt.contract.delivery import ANSWERED
from mqtt.contract.generate import NOTICE
from mqtt.contract.messages import COMMANDS, EVENTS
from mqtt.contract.topics import Channel, parse
from mqtt.contract.yaml_text import to_yaml

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    text = to_yaml(asyncapi.document(), NOTICE).decode()
    loaded: dict[str, Any] = yaml.safe_load(text)
    return loaded


def _follow(document: dict[str, Any], reference: str) -> Any:
    node: Any = document
    for part in reference.removeprefix("#/").split("/"):
        node = node[part]
    return node


def _references(node: Any) -> list[str]:
    if isinstance(node, dict):
        own = [node["$ref"]] if isinstance(node.get("$ref"), str) else []
        return own + [found for item in node.values() for found in _references(item)]
    if isinstance(node, list):
        return [found for item in node for found in _references(item)]
    return []


def test_the_document_follows_the_published_schema_of_asyncapi(document: dict[str, Any]) -> None:
    schema = json.loads(gzip.decompress((HERE / "asyncapi-3.0.0.schema.json.gz").read_bytes()))
    validator = jsonschema.Draft7Validator(schema)
    assert [error.message for error in validator.iter_errors(document)] == []
    broken = {**document, "channels": {"x": {"addresses": "nowhere"}}}
    assert list(validator.iter_errors(broken))


def test_the_yaml_reads_back_as_the_same_data(document: dict[str, Any]) -> None:
    assert document == json.loads(json.dumps(asyncapi.document()))


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    references = _references(document)
    assert references
    for reference in references:
        assert _follow(document, reference)


def test_every_address_is_a_topic_of_the_contract(document: dict[str, Any]) -> None:
    for name, channel in document["channels"].items():
        topic = parse(channel["address"].format(community="c1", device="gate-1"))
        assert (topic.channel is Channel.STATUS) == (name == "status")


def test_the_portal_sends_commands_and_receives_everything_else(document: dict[str, Any]) -> None:
    sent = {n for n, op in document["operations"].items() if op["action"] == "send"}
    assert sent == {f"send_command_{name}" for name in COMMANDS}
    assert {f"receive_event_{name}" for name in EVENTS} <= set(document["operations"])
    answered = {n for n in sent if "reply" in document["operations"][n]}
    assert answered == {f"send_command_{name}" for name in ANSWERED}


def test_the_status_is_retained_and_a_command_is_not(document: dict[str, Any]) -> None:
    operations = document["operations"]
    assert operations["receive_status"]["bindings"]["mqtt"]["retain"] is True
    assert operations["send_command_unlock"]["bindings"]["mqtt"] == {
        "qos": 1,
        "retain": False,
        "bindingVersion": "0.2.0",
    }


def test_every_example_fits_its_payload_schema(document: dict[str, Any]) -> None:
    for message in document["components"]["messages"].values():
        schema = {"components": document["components"], **message["payload"]}
        for example in message["examples"]:
            jsonschema.Draft7Validator(schema).validate(example["payload"])
