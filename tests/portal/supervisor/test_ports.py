"""Taken ports are named and free ones proposed."""

import os
import socket
import sys

import pytest

from portal import config as configuration
from portal.supervisor.ports import Port, clashes, needed
from tests.services.child import free_port


def port(number: int, setting: str = "LINLI_HTTP_PORT", span: int = 1) -> Port:
    return Port(setting, "portal", "127.0.0.1", number, number, span)


def test_free_ports_clash_with_nothing() -> None:
    assert clashes([port(free_port()), port(free_port(), "LINLI_MQTT_PORT")]) == []


def test_a_taken_port_is_named_with_a_free_one_for_its_setting() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen(1)
        number = taken.getsockname()[1]
        (found,) = clashes([port(number)])
        assert found.port.number == number
        assert found.free != number
        assert clashes([port(found.free)]) == []


@pytest.mark.skipif(sys.platform != "linux", reason="the holder is read from /proc")
def test_the_holder_is_seen() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen(1)
        (found,) = clashes([port(taken.getsockname()[1])])
        assert found.holder.endswith(f"pid {os.getpid()}")


def test_a_port_wanted_twice_by_ourselves_is_a_clash() -> None:
    number = free_port()
    (found,) = clashes(
        [port(number), Port("LINLI_MQTT_PORT", "broker", "127.0.0.1", number, number)]
    )
    assert found.port.setting == "LINLI_MQTT_PORT"
    assert found.free != number


def test_metrics_take_three_ports_together() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen(1)
        middle = taken.getsockname()[1]
        config, _ = configuration.load({"LINLI_METRICS_PORT": str(middle - 1)})
        found = [c for c in clashes(needed(config)) if c.port.number == middle]
        assert [c.port.what for c in found] == ["metrics of worker"]
        proposal = found[0].free
        assert middle not in range(proposal, proposal + 3)


def test_no_broker_port_is_needed_beside_another_broker() -> None:
    config, _ = configuration.load({"LINLI_MQTT_URL": "mqtt://broker.example"})
    assert "LINLI_MQTT_PORT" not in {p.setting for p in needed(config)}
