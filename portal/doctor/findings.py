"""What a check found."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """How a part is. Only ``fail`` makes the exit code 1."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Finding:
    """One row: what was looked at, how it is, what was seen, what to do about it (empty when well)."""

    part: str
    state: State
    seen: str
    advice: str = ""


def ok(part: str, seen: str) -> Finding:
    """All well."""
    return Finding(part, State.OK, seen)


def warn(part: str, seen: str, advice: str) -> Finding:
    """Worth a look."""
    return Finding(part, State.WARN, seen, advice)


def fail(part: str, seen: str, advice: str) -> Finding:
    """Something does not work."""
    return Finding(part, State.FAIL, seen, advice)
