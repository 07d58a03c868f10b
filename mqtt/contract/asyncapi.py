"""The contract as an AsyncAPI 3.0.0 document, written from the portal's point of view.

The portal *receives* status, telemetry, events and results, and *sends* commands; a command's reply
is the device's result. Every message has a channel of its own, so that a reader sees which payload
travels where.
"""

from __future__ import annotations

import json
from typing import Any, Final

from mqtt.contract import codec, schemas
from mqtt.contract.delivery import ANSWERED, DELIVERY
from mqtt.contract.examples import COMMAND_EXAMPLES, EVENT_EXAMPLES, RESULT_EXAMPLE
from mqtt.contract.messages import COMMANDS, EVENTS, Message, Result, Status
from mqtt.contract.telemetry import MEASURES, Component, Measure
from mqtt.contract.topics import KEY_PATTERN, MAX_PAYLOAD_BYTES, ROOT, Channel

VERSION: Final = "1.0.0"
"""The contract's version: the first number is the root's, the second grows with each addition."""
BINDING: Final = "0.2.0"
"""Version of AsyncAPI's MQTT binding."""

_PARAMETERS: Final = {
    "community": {"$ref": "#/components/parameters/community"},
    "device": {"$ref": "#/components/parameters/device"},
}
_DESCRIPTION: Final = f"""\
Devices of a residential community over MQTT 5. A device publishes and subscribes below its own
prefix {ROOT}/{{community}}/{{device}} only. Events carry an id and are repeated with the same id until
answered; commands carry a transaction and expire. No topic and no payload carries personal data.
A payload above {MAX_PAYLOAD_BYTES} bytes is refused unread."""


def _binding(channel: Channel) -> dict[str, Any]:
    delivery = DELIVERY[channel]
    return {"mqtt": {"qos": delivery.qos, "retain": delivery.retain, "bindingVersion": BINDING}}


def _json_message(name: str, kind: type[Message], example: Message) -> dict[str, Any]:
    return {
        "name": name,
        "title": kind.TITLE,
        "summary": (kind.__doc__ or "").strip(),
        "contentType": "application/json",
        "payload": {"$ref": f"#/components/schemas/{kind.__name__}"},
        "examples": [{"name": "example", "payload": json.loads(codec.encode(example))}],
    }


def _text_message(name: str, title: str, payload: dict[str, Any], example: Any) -> dict[str, Any]:
    return {
        "name": name,
        "title": title,
        "contentType": "text/plain",
        "payload": payload,
        "examples": [{"name": "example", "payload": example}],
    }


def _measures() -> dict[str, tuple[Measure, list[str]]]:
    found: dict[str, tuple[Measure, list[str]]] = {}
    for kind, measures in MEASURES.items():
        for measure in measures:
            found.setdefault(measure.key, (measure, []))[1].append(kind.value)
    return dict(sorted(found.items()))


def _state_message(measure: Measure, kinds: list[str]) -> dict[str, Any]:
    name = f"state_{measure.component}_{measure.name}"
    title = f"{measure.title}, {measure.unit}" if measure.unit else measure.title
    if measure.component is Component.SENSOR:
        payload: dict[str, Any] = {
            "type": "number",
            "minimum": measure.minimum,
            "maximum": measure.maximum,
        }
        example: Any = 36.5 if measure.minimum <= 36.5 <= measure.maximum else measure.minimum
    else:
        words = ["LOCKED", "UNLOCKED"] if measure.component is Component.LOCK else ["ON", "OFF"]
        payload = {"type": "string", "enum": words}
        example = words[0]
    message = _text_message(name, title, payload, example)
    message["summary"] = (
        f"Reported at least every {measure.interval_s} s by {', '.join(sorted(kinds))}."
    )
    return message


class _Document:
    """Gathers channels, operations and messages."""

    def __init__(self) -> None:
        self.channels: dict[str, Any] = {}
        self.operations: dict[str, Any] = {}
        self.messages: dict[str, Any] = {}

    def add(self, name: str, tail: str, channel: Channel, message: dict[str, Any]) -> None:
        """One message on one topic, with the portal's operation on it."""
        key = message["name"]
        self.messages.setdefault(key, message)
        self.channels[name] = {
            "address": f"{ROOT}/{{community}}/{{device}}/{tail}",
            "title": message["title"],
            "parameters": _PARAMETERS,
            "messages": {key: {"$ref": f"#/components/messages/{key}"}},
        }
        action = "send" if channel is Channel.COMMAND else "receive"
        self.operations[f"{action}_{name}"] = {
            "action": action,
            "channel": {"$ref": f"#/channels/{name}"},
            "title": message["title"],
            "bindings": _binding(channel),
            "messages": [{"$ref": f"#/channels/{name}/messages/{key}"}],
        }

    def reply(self, command: str) -> None:
        """Name the result as the command's reply."""
        self.operations[f"send_command_{command}"]["reply"] = {
            "channel": {"$ref": f"#/channels/result_{command}"},
            "messages": [{"$ref": f"#/channels/result_{command}/messages/result"}],
        }


def document() -> dict[str, Any]:
    """The whole document as plain data."""
    built = _Document()
    status = _text_message(
        "status",
        "Whether the device is connected",
        {"type": "string", "enum": list(Status)},
        "online",
    )
    built.add("status", "status", Channel.STATUS, status)
    for measure, kinds in _measures().values():
        message = _state_message(measure, kinds)
        built.add(message["name"], f"{measure.key}/state", Channel.STATE, message)
    for name, event in EVENTS.items():
        message = _json_message(f"event_{name}", event, EVENT_EXAMPLES[name])
        built.add(f"event_{name}", f"event/{name}", Channel.EVENT, message)
    result = _json_message("result", Result, RESULT_EXAMPLE)
    for name, command in COMMANDS.items():
        message = _json_message(f"command_{name}", command, COMMAND_EXAMPLES[name])
        built.add(f"command_{name}", f"command/{name}", Channel.COMMAND, message)
        if name in ANSWERED:
            built.add(f"result_{name}", f"result/{name}", Channel.RESULT, result)
            built.reply(name)
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Linli device contract",
            "version": VERSION,
            "description": _DESCRIPTION,
            "license": {
                "name": "Apache-2.0",
                "url": "https://www.apache.org/licenses/LICENSE-2.0",
            },
        },
        "defaultContentType": "application/json",
        "channels": built.channels,
        "operations": built.operations,
        "components": {
            "parameters": {
                "community": {"description": f"A community's key: {KEY_PATTERN}"},
                "device": {"description": f"A device's key, unique there: {KEY_PATTERN}"},
            },
            "messages": built.messages,
            "schemas": schemas.components("#/components/schemas/{name}"),
        },
    }
