"""The control channel of a running simulator: a Unix socket with one JSON object a line.

    {"op": "list"}
    {"op": "state", "device": "gate-east"}
    {"op": "scan", "device": …, "code": "LL1:…" | "image": base64 | "path": file, "body_temperature"?}
    {"op": "press", "device": …, "cancel"?: true, "test"?: true}
    {"op": "measure", "device": …, "temperature"?}
    {"op": "open_door", "device": …, "forced"?: true}
    {"op": "close_compartment", "device": …, "compartment": 7, "occupied": true}
    {"op": "pry_compartment", "device": …, "compartment": 7}
    {"op": "power_cut", "device": …}

Every answer has ``ok``; with ``ok`` false it has ``error`` (a code) and ``detail``. The socket lies in
the data folder with mode 0600: who may read the folder may act for the devices.
"""

from __future__ import annotations

import asyncio
import errno
import json
import os
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final

MAX_LINE: Final = 30_000_000
"""An uploaded picture in base64 fits."""
SOCKET_NAME: Final = "simulator.sock"

Request = dict[str, Any]
Answer = dict[str, Any]
Handler = Callable[[Request], Awaitable[Answer]]


class ControlError(RuntimeError):
    """The control channel cannot be opened or does not answer; the message says what to do."""


def failure(error: str, detail: str) -> Answer:
    """An answer that says what went wrong."""
    return {"ok": False, "error": error, "detail": detail}


def _somebody_answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(1)
        try:
            probe.connect(str(path))
        except OSError:
            return False
    return True


async def serve(path: Path, handler: Handler) -> asyncio.Server:
    """Answer requests on ``path`` until the server is closed.

    Raises:
        ControlError: another simulator answers there, or the path cannot be used.
    """
    if path.exists():
        if _somebody_answers(path):
            raise ControlError(f"a simulator is already running on {path}")
        path.unlink()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := await reader.readline():
                answer = await _answer(line, handler)
                writer.write(json.dumps(answer, ensure_ascii=False).encode() + b"\n")
                await writer.drain()
        except (ConnectionError, ValueError):
            pass  # the caller went away, or its line was longer than MAX_LINE
        finally:
            writer.close()

    path.parent.mkdir(parents=True, exist_ok=True)
    before = os.umask(0o177)
    try:
        return await asyncio.start_unix_server(talk, str(path), limit=MAX_LINE)
    except OSError as error:
        raise ControlError(f"{path}: {error.strerror or error}") from error
    finally:
        os.umask(before)


async def _answer(line: bytes, handler: Handler) -> Answer:
    try:
        request = json.loads(line)
    except ValueError as error:
        return failure("not_json", str(error))
    if not isinstance(request, dict):
        return failure("not_an_object", "a request is a JSON object")
    return await handler(request)


def ask(path: Path, request: Request, timeout: float = 40.0) -> Answer:
    """Send one request to the simulator running on ``path`` and wait for its answer.

    Raises:
        ControlError: nobody answers there, or not within ``timeout`` seconds.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as channel:
        channel.settimeout(timeout)
        try:
            channel.connect(str(path))
            channel.sendall(json.dumps(request).encode() + b"\n")
            with channel.makefile("rb") as lines:
                line = lines.readline()
        except TimeoutError as error:
            raise ControlError(f"the simulator did not answer in {timeout:g} s") from error
        except OSError as error:
            absent = error.errno in (errno.ENOENT, errno.ECONNREFUSED)
            reason = "no simulator is running" if absent else str(error.strerror or error)
            raise ControlError(f"{path}: {reason}") from error
    if not line:
        raise ControlError(f"{path}: the simulator closed the channel without an answer")
    answer: Answer = json.loads(line)
    return answer
