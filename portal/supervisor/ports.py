"""Are the ports free? A taken one is named, with its holder where that can be seen, and a free one proposed."""

from __future__ import annotations

import socket
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from portal.config import Config

_LISTEN: Final = "0A"
_TABLES: Final = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))


@dataclass(frozen=True, slots=True)
class Port:
    """A port that a process of ours will listen on. ``setting`` is what moves it."""

    setting: str
    what: str
    host: str
    number: int
    first: int
    span: int = 1


@dataclass(frozen=True, slots=True)
class Taken:
    """A port that cannot be had. ``free`` is a proposal for its setting."""

    port: Port
    reason: str
    holder: str
    free: int


def needed(config: Config) -> list[Port]:
    """Ports that `linli up` takes with these settings."""
    first = config.metrics_port
    ports = [
        Port("LINLI_HTTP_PORT", "portal", config.http_host, config.http_port, config.http_port)
    ]
    if config.embedded_broker:
        ports.append(
            Port("LINLI_MQTT_PORT", "broker", "127.0.0.1", config.mqtt_port, config.mqtt_port)
        )
    for offset, name in enumerate(("web", "worker", "ingest")):
        what = f"metrics of {name}"
        ports.append(Port("LINLI_METRICS_PORT", what, "127.0.0.1", first + offset, first, span=3))
    return ports


def clashes(ports: Iterable[Port]) -> list[Taken]:
    """Ports that are taken by others, or wanted twice by us."""
    wanted: dict[int, Port] = {}
    found = []
    listed = list(ports)
    numbers = {port.number for port in listed}
    for port in listed:
        other = wanted.setdefault(port.number, port)
        if other is not port:
            reason, who = f"is also the port of the {other.what}", ""
        else:
            problem = _problem(port.host, port.number)
            if problem is None:
                continue
            reason, who = problem, _holder(port.number)
        found.append(Taken(port, reason, who, _free(port, numbers)))
    return found


def _problem(host: str, number: int) -> str | None:
    if not 0 < number < 65_536:
        return "is not a port"
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, number))
            probe.listen(1)
        except OSError as error:
            return f"cannot be had ({error.strerror})"
    return None


def _free(port: Port, avoid: set[int]) -> int:
    for start in range(port.first + 1, 65_535 - port.span):
        numbers = range(start, start + port.span)
        if not avoid & set(numbers) and all(_problem(port.host, n) is None for n in numbers):
            return start
    return port.first


def _holder(number: int) -> str:
    """``name, pid 123`` of the process that listens there; empty where that cannot be seen."""
    sockets = set()
    for table in _TABLES:
        try:
            rows = table.read_text("ascii").splitlines()[1:]
        except OSError:
            continue
        for row in rows:
            cells = row.split()
            if cells[3] == _LISTEN and int(cells[1].rpartition(":")[2], 16) == number:
                sockets.add(f"socket:[{cells[9]}]")
    if not sockets:
        return ""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and _holds(entry, sockets):
            try:
                name = (entry / "comm").read_text("utf-8", "replace").strip()
            except OSError:
                continue
            return f"{name}, pid {entry.name}"
    return ""


def _holds(process: Path, sockets: set[str]) -> bool:
    try:
        return any(str(link.readlink()) in sockets for link in (process / "fd").iterdir())
    except OSError:
        return False
