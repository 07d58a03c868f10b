"""Machines for the tests, with a clock of the tests' own."""

import json
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from mqtt.contract.check import check
from mqtt.contract.codec import encode
from mqtt.contract.messages import COMMANDS
from mqtt.contract.telemetry import DeviceKind
from mqtt.contract.topics import Channel
from mqtt.simulator.device import Device, Publication
from mqtt.simulator.fleet import CLASSES
from mqtt.simulator.population import SimulatedDevice

NOW = datetime(2026, 3, 2, 8, 0, 0, tzinfo=UTC)
CODE = "LL1:6BFOXN*TS0BI$ZD4N9:9S6RCVN5+O30K3"


def seconds(number: float) -> timedelta:
    return timedelta(seconds=number)


def machine(kind: DeviceKind, *, online: bool = True, **options: Any) -> Any:
    numbers = count(1)
    spec = SimulatedDevice("c1", f"{kind.value.replace('_', '-')}-1", kind)
    device = CLASSES[kind](spec, NOW, make_id=lambda: f"event-{next(numbers):04}", **options)
    if online:
        device.on_connected(NOW)
        device.queue.answer(["event-0001"])  # the boot
    return device


def command(name: str, at: datetime = NOW, **fields: Any) -> bytes:
    fields.setdefault("transaction", "transaction-1")
    fields.setdefault("expires_at", at + seconds(10))
    return encode(COMMANDS[name](at=at, **fields))


def run(device: Device, start: datetime, length: float) -> list[Publication]:
    """Everything the device says within ``length`` seconds, ticking when it wants to."""
    said: list[Publication] = []
    end = start + seconds(length)
    while (due := device.next_tick()) is not None and due <= end:
        said += device.on_tick(max(due, start))
    return said


def events(said: list[Publication], kind: str = "") -> list[dict[str, Any]]:
    found = []
    for item in said:
        topic = check(item.topic, item.payload)
        if topic.channel is Channel.EVENT and kind in ("", topic.name):
            found.append({"kind": topic.name, **json.loads(item.payload)})
    return found


def results(said: list[Publication]) -> list[tuple[bool, str]]:
    found = []
    for item in said:
        if check(item.topic, item.payload).channel is Channel.RESULT:
            data = json.loads(item.payload)
            found.append((data["ok"], data["reason"]))
    return found


def states(said: list[Publication], name: str) -> list[str]:
    return [item.payload.decode() for item in said if item.topic.endswith(f"/{name}/state")]
