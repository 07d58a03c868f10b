"""Virtual gates of the running demo: a picture is held before one, and its door is looked at."""

import base64
import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

from PIL import Image

from mqtt.simulator import control, zbar
from tests.services.up import Up
from tests.services.wait import wait_until

ALLOWED, REFUSED = 0, 1


def scan(up: Up, gate: str, picture: Path) -> tuple[int, dict[str, Any]]:
    """`linli simulate scan` with a picture: its exit code and its answer."""
    done = up.run("simulate", "scan", gate, "--image", str(picture), "--json")
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


def state(up: Up, gate: str) -> dict[str, Any]:
    """Lock and door of a gate, as they are: `lock`, `door`, `waiting`."""
    answer = control.ask(up.data / control.SOCKET_NAME, {"op": "state", "device": gate}, timeout=10)
    return dict(answer["state"])


def wait_for_door(up: Up, gate: str, door: str, lock: str) -> None:
    """Until the door is open (or shut) and the bolt as named."""
    wait_until(
        lambda: (state(up, gate)["door"], state(up, gate)["lock"]) == (door, lock),
        15,
        what=f"{gate} {door} and {lock}",
    )


def read_code(picture: Path) -> str:
    """What pyzbar reads in a picture; exactly one code."""
    with Image.open(picture) as image:
        found = zbar.load().decode(image.convert("L"))
    assert len(found) == 1, found
    text: str = found[0].data.decode("ascii")
    return text


def show_at_once(up: Up, names: Sequence[str], picture: Path) -> dict[str, dict[str, Any]]:
    """The same picture before several gates at the same moment: each one's answer."""
    image = base64.b64encode(picture.read_bytes()).decode("ascii")
    together = Barrier(len(names))

    def show(gate: str) -> dict[str, Any]:
        together.wait(10)
        place = up.data / control.SOCKET_NAME
        return control.ask(place, {"op": "scan", "device": gate, "image": image})

    with ThreadPoolExecutor(len(names)) as pool:
        return dict(zip(names, pool.map(show, names), strict=True))
