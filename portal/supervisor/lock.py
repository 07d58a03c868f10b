"""One supervisor a data folder: a lock that ends with the process, however it ends."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Final

FILE: Final = "run/up.json"


class AlreadyRunningError(RuntimeError):
    """Another supervisor holds the data folder; ``told`` is what it wrote about itself."""

    def __init__(self, told: Mapping[str, Any]) -> None:
        super().__init__("already running")
        self.told = told


class RunLock:
    """Held as long as the context lasts; the file says who holds it and where to click.

    Raises:
        AlreadyRunningError: it is held by another process.
    """

    def __init__(self, data_dir: Path) -> None:
        self._path = data_dir / FILE
        self._descriptor: int | None = None

    def __enter__(self) -> RunLock:
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            raise AlreadyRunningError(read(self._path)) from None
        self._descriptor = descriptor
        self.tell({})
        return self

    def tell(self, facts: Mapping[str, Any]) -> None:
        """Write down what another `linli up` should say about this one; ``pid`` is added."""
        if self._descriptor is None:
            raise RuntimeError("the lock is not held")
        text = json.dumps({"pid": os.getpid(), **facts}, ensure_ascii=False, default=_text)
        # Written in place: another file under this name would carry no lock.
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, text.encode(), 0)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._descriptor is not None:
            os.ftruncate(self._descriptor, 0)
            os.close(self._descriptor)
            self._descriptor = None


def holder(data_dir: Path) -> dict[str, Any] | None:
    """What the running supervisor has written, or ``None`` when none is running."""
    path = data_dir / FILE
    try:
        descriptor = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return read(path)
    finally:
        os.close(descriptor)
    return None


def read(path: Path) -> dict[str, Any]:
    """The file's facts; empty when there are none yet."""
    try:
        facts = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return facts if isinstance(facts, dict) else {}


def _text(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
