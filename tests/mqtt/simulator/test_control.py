import asyncio
import json
import socket
from pathlib import Path
from typing import Any

import pytest

from mqtt.simulator import control


async def _echo(request: control.Request) -> control.Answer:
    return {"ok": True, "request": request}


def _serving(path: Path, story: Any) -> None:
    async def main() -> None:
        server = await control.serve(path, _echo)
        try:
            await story()
        finally:
            server.close()

    asyncio.run(main())


def test_a_request_is_answered_on_a_socket_only_its_owner_may_use(tmp_path: Path) -> None:
    path = tmp_path / "simulator.sock"

    async def story() -> None:
        answer = await asyncio.to_thread(control.ask, path, {"op": "list", "名": "门"})
        assert answer == {"ok": True, "request": {"op": "list", "名": "门"}}
        assert path.stat().st_mode & 0o777 == 0o600

    _serving(path, story)


def test_a_large_picture_fits_in_a_request(tmp_path: Path) -> None:
    async def story() -> None:
        image = "A" * 3_000_000
        answer = await asyncio.to_thread(control.ask, tmp_path / "simulator.sock", {"image": image})
        assert answer["request"]["image"] == image

    _serving(tmp_path / "simulator.sock", story)


def test_lines_that_are_no_request_are_answered_and_the_channel_stays_open(tmp_path: Path) -> None:
    path = tmp_path / "simulator.sock"

    def talk() -> list[dict[str, Any]]:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as channel:
            channel.connect(str(path))
            channel.sendall(b'{\n[]\n{"op":"x"}\n')
            with channel.makefile("rb") as lines:
                return [json.loads(lines.readline()) for _ in range(3)]

    async def story() -> None:
        answers = await asyncio.to_thread(talk)
        assert [answer.get("error") for answer in answers] == ["not_json", "not_an_object", None]

    _serving(path, story)


def test_a_second_simulator_is_told_that_one_is_running(tmp_path: Path) -> None:
    path = tmp_path / "simulator.sock"

    async def story() -> None:
        with pytest.raises(control.ControlError, match="already running"):
            await control.serve(path, _echo)

    _serving(path, story)


def test_the_socket_a_killed_simulator_left_behind_is_taken_over(tmp_path: Path) -> None:
    path = tmp_path / "simulator.sock"
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as dead:
        dead.bind(str(path))

    async def story() -> None:
        assert (await asyncio.to_thread(control.ask, path, {}))["ok"]

    _serving(path, story)


def test_without_a_simulator_the_caller_is_told_so(tmp_path: Path) -> None:
    with pytest.raises(control.ControlError, match="no simulator is running"):
        control.ask(tmp_path / "simulator.sock", {"op": "list"})


def test_a_path_too_long_for_a_socket_is_named(tmp_path: Path) -> None:
    path = tmp_path / ("x" * 120) / "simulator.sock"

    async def main() -> None:
        with pytest.raises(control.ControlError):
            await control.serve(path, _echo)

    asyncio.run(main())
    with pytest.raises(control.ControlError):
        control.ask(path, {})
