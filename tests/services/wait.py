"""Waiting on a condition instead of for a time."""

import time
from collections.abc import Callable
from threading import Event
from typing import TypeVar

T = TypeVar("T")
_never = Event()


def wait_until(
    condition: Callable[[], T], timeout: float = 10.0, *, what: str = "", interval: float = 0.02
) -> T:
    """Ask `condition` every `interval` seconds until its answer is true, and return that answer.

    Raises TimeoutError, naming `what`, when no answer in `timeout` seconds was true. What
    `condition` raises goes through to the caller.
    """
    deadline = time.monotonic() + timeout
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() >= deadline:
            name = what or getattr(condition, "__qualname__", repr(condition))
            raise TimeoutError(f"not within {timeout} s: {name}")
        _never.wait(interval)
