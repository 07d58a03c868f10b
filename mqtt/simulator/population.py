"""Which virtual devices there are: read from a file, or invented for a load test.

The file (``simulated-devices.json``, mode 0600, as it carries the devices' passwords)::

    {"version": 1, "devices": [
      {"community": "yuhua-3", "device": "gate-east", "kind": "door_lock", "title": "东门",
       "username": "yuhua-3.gate-east", "password": "…",
       "thermometer": "fever-east",     door_lock: the thermometer that measures who scans
       "compartments": 16,              parcel_locker
       "occupied": [3, 7],              parcel_locker: which hold a parcel; drawn when not given
       "close_after_s": 20,             parcel_locker: until somebody closes a door; drawn when 0
       "latitude": 31.2}]}              every kind, for the weather
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from mqtt.contract.telemetry import DeviceKind
from mqtt.contract.topics import DeviceAddress, TopicError

VERSION: Final = 1
SHANGHAI_LATITUDE: Final = 31.2
MIX: Final = (
    DeviceKind.DOOR_LOCK,
    DeviceKind.ALARM_BUTTON,
    DeviceKind.DOOR_LOCK,
    DeviceKind.THERMOMETER,
    DeviceKind.ALARM_BUTTON,
    DeviceKind.PARCEL_LOCKER,
)
"""Kinds of an invented population, in turn."""


class PopulationError(ValueError):
    """The population file is missing or malformed; the message names the entry and the field."""


@dataclass(frozen=True, slots=True)
class SimulatedDevice:
    """One virtual device with its credentials.

    ``compartments`` counts a locker's doors, ``occupied`` names those that hold a parcel at first (drawn when
    ``None``), and its doors are closed after ``close_after_s`` seconds (a few when 0); ``thermometer`` is the key of the thermometer beside a
    gate, or empty; ``latitude`` in degrees north.
    """

    community: str
    device: str
    kind: DeviceKind
    title: str = ""
    username: str = ""
    password: str = ""
    compartments: int = 16
    occupied: tuple[int, ...] | None = None
    close_after_s: float = 0.0
    thermometer: str = ""
    latitude: float = SHANGHAI_LATITUDE

    def __repr__(self) -> str:
        return f"SimulatedDevice({self.community}/{self.device}, {self.kind})"

    @property
    def address(self) -> DeviceAddress:
        """Where it lives."""
        return DeviceAddress(self.community, self.device)

    @property
    def name(self) -> str:
        """``community/device``, unique in a population."""
        return f"{self.community}/{self.device}"


def _text(entry: Mapping[str, object], field: str, where: str, default: str | None = None) -> str:
    value = entry.get(field, default)
    if not isinstance(value, str):
        raise PopulationError(f"{where}: {field} is missing or no text")
    return value


def _number(
    entry: Mapping[str, object], field: str, where: str, *, default: float, low: float, high: float
) -> float:
    value = entry.get(field, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise PopulationError(f"{where}: {field} is no number from {low:g} to {high:g}")
    return value


def _numbers(entry: Mapping[str, object], field: str, where: str) -> tuple[int, ...] | None:
    value = entry.get(field)
    if value is None:
        return None
    if not isinstance(value, list) or not all(
        type(one) is int and 1 <= one <= 999 for one in value
    ):
        raise PopulationError(f"{where}: {field} is no list of compartments")
    return tuple(value)


def _device(entry: object, where: str) -> SimulatedDevice:
    if not isinstance(entry, dict):
        raise PopulationError(f"{where}: not an object")
    kind = _text(entry, "kind", where)
    if kind not in set(DeviceKind):
        raise PopulationError(f"{where}: kind {kind!r} is none of {', '.join(DeviceKind)}")
    found = SimulatedDevice(
        community=_text(entry, "community", where),
        device=_text(entry, "device", where),
        kind=DeviceKind(kind),
        title=_text(entry, "title", where, ""),
        username=_text(entry, "username", where, ""),
        password=_text(entry, "password", where, ""),
        compartments=int(_number(entry, "compartments", where, default=16, low=1, high=999)),
        occupied=_numbers(entry, "occupied", where),
        close_after_s=_number(entry, "close_after_s", where, default=0, low=0, high=3600),
        thermometer=_text(entry, "thermometer", where, ""),
        latitude=_number(entry, "latitude", where, default=SHANGHAI_LATITUDE, low=-90, high=90),
    )
    try:
        _ = found.address
    except TopicError as error:
        raise PopulationError(f"{where}: {error}") from error
    return found


def parse(text: str) -> tuple[SimulatedDevice, ...]:
    """The population in a file's text. Raises ``PopulationError``."""
    try:
        data = json.loads(text)
    except ValueError as error:
        raise PopulationError(f"not JSON: {error}") from error
    if not isinstance(data, dict) or data.get("version") != VERSION:
        raise PopulationError(f"not a population of version {VERSION}")
    entries = data.get("devices")
    if not isinstance(entries, list):
        raise PopulationError("devices is missing or no list")
    found = tuple(_device(entry, f"devices[{i}]") for i, entry in enumerate(entries))
    names = [device.name for device in found]
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise PopulationError(f"named twice: {', '.join(sorted(twice))}")
    return found


def load(path: Path) -> tuple[SimulatedDevice, ...]:
    """The population in a file. Raises ``PopulationError``."""
    try:
        return parse(path.read_text("utf-8"))
    except OSError as error:
        raise PopulationError(f"{path}: {error.strerror}") from error
    except PopulationError as error:
        raise PopulationError(f"{path}: {error}") from error


def invent(size: int, community: str = "load") -> tuple[SimulatedDevice, ...]:
    """``size`` devices of mixed kinds without credentials, for a broker that asks for none."""
    return tuple(
        SimulatedDevice(community, f"{kind.value.replace('_', '-')}-{i + 1}", kind)
        for i, kind in enumerate(MIX[n % len(MIX)] for n in range(size))
    )
