import json
from pathlib import Path
from typing import Any

import pytest

from mqtt.contract.telemetry import DeviceKind
from mqtt.simulator.population import PopulationError, invent, load, parse

GATE = {
    "community": "c1",
    "device": "gate-1",
    "kind": "door_lock",
    "title": "东门",
    "username": "u",
    "password": "secret-word",
}


def _text(*devices: Any, version: int = 1) -> str:
    return json.dumps({"version": version, "devices": devices})


def test_a_file_is_read_with_its_extras(tmp_path: Path) -> None:
    path = tmp_path / "simulated-devices.json"
    locker = {**GATE, "device": "locker-1", "kind": "parcel_locker", "compartments": 24}
    path.write_text(_text({**GATE, "thermometer": "t1", "later": 1}, locker), "utf-8")
    gate, box = load(path)
    assert (gate.name, gate.kind, gate.title, gate.thermometer) == (
        "c1/gate-1",
        DeviceKind.DOOR_LOCK,
        "东门",
        "t1",
    )
    assert box.compartments == 24


def test_a_password_is_not_in_what_is_printed() -> None:
    assert "secret-word" not in repr(parse(_text(GATE)))


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("{", "not JSON"),
        ("[]", "version"),
        (_text(GATE, version=2), "version"),
        ('{"version": 1}', "devices"),
        (_text(7), r"devices\[0\]"),
        (_text({**GATE, "device": "Gate 1"}), r"devices\[0\].*key"),
        (_text({**GATE, "kind": "oven"}), "oven"),
        (_text({k: v for k, v in GATE.items() if k != "community"}), "community"),
        (_text({**GATE, "compartments": 0}), "compartments"),
        (_text({**GATE, "latitude": "north"}), "latitude"),
        (_text(GATE, GATE), "twice"),
    ],
)
def test_a_malformed_population_names_what_is_wrong(text: str, named: str) -> None:
    with pytest.raises(PopulationError, match=named):
        parse(text)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(PopulationError, match=r"nothing\.json"):
        load(tmp_path / "nothing.json")


def test_an_invented_population_has_every_kind_and_distinct_names() -> None:
    found = invent(60)
    assert len({device.name for device in found}) == 60
    assert {device.kind for device in found} == set(DeviceKind)
