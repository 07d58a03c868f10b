"""What a telemetry store holds: points of series, and what is read back from them.

A series is one measure of one device. Stores keep milliseconds: two points of one series within the
same millisecond are one point, and writing a point twice changes nothing.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from mqtt.contract.topics import KEY_PATTERN

MEASURE_PATTERN: Final = r"[a-z][a-z_]{0,31}/[a-z0-9][a-z0-9_-]{0,63}"
"""``component/object``, as in a topic (``sensor/body_temperature``), or ``status/online``."""
STATUS_MEASURE: Final = "status/online"
"""The series of a device's presence: 1 online, 0 offline."""
MAX_BUCKETS: Final = 20_000
"""A query may not ask for more buckets than this; a year in hours is 8,784."""

_KEY: Final = re.compile(KEY_PATTERN)
_MEASURE: Final = re.compile(MEASURE_PATTERN)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_EARLIEST: Final = datetime(2000, 1, 1, tzinfo=UTC)
_LATEST: Final = datetime(2200, 1, 1, tzinfo=UTC)
_MS: Final = timedelta(milliseconds=1)


def to_ms(moment: datetime) -> int:
    """Milliseconds since 1970, rounded down. Raises ``ValueError`` for a time without a zone."""
    if moment.tzinfo is None:
        raise ValueError("a time needs a zone")
    return (moment - _EPOCH) // _MS


def from_ms(milliseconds: int) -> datetime:
    """Aware UTC."""
    return _EPOCH + timedelta(milliseconds=milliseconds)


@dataclass(frozen=True, slots=True)
class Series:
    """One measure of one device.

    Raises:
        ValueError: a key breaks the contract's patterns. Stores build query texts from these keys, so
            nothing that needs quoting may get in.
    """

    community: str
    device: str
    measure_key: str

    def __post_init__(self) -> None:
        for key in (self.community, self.device):
            if not _KEY.fullmatch(key):
                raise ValueError(f"not a valid key: {key!r}")
        if not _MEASURE.fullmatch(self.measure_key):
            raise ValueError(f"not a valid measure: {self.measure_key!r}")


@dataclass(frozen=True, slots=True)
class Point:
    """One value, in the measure's unit, at one moment (aware UTC, kept to the millisecond).

    Raises:
        ValueError: the time has no zone or lies outside 2000–2200, or the value is not finite. The
            keys are checked where they are turned into a ``Series``.
    """

    community: str
    device: str
    measure_key: str
    at: datetime
    value: float

    def __post_init__(self) -> None:
        if self.at.tzinfo is None or not _EARLIEST <= self.at < _LATEST:
            raise ValueError(f"not a usable time: {self.at}")
        if not math.isfinite(self.value):
            raise ValueError(f"not a finite value: {self.value}")

    @property
    def series(self) -> Series:
        """The series it belongs to. Raises ``ValueError`` if a key is not valid."""
        return Series(self.community, self.device, self.measure_key)


@dataclass(frozen=True, slots=True)
class Bucket:
    """What happened in one step of time; ``at`` is where the step begins. Never empty."""

    at: datetime
    mean: float
    min: float
    max: float
    count: int


@dataclass(frozen=True, slots=True)
class LastValue:
    """The newest value of a series."""

    at: datetime
    value: float


@dataclass(frozen=True, slots=True)
class Window:
    """Whole buckets, in milliseconds since 1970: ``[start, end)``, both multiples of ``step``."""

    start: int
    end: int
    step: int

    @classmethod
    def covering(cls, start: datetime, end: datetime, step: timedelta) -> Window:
        """The whole buckets that touch ``[start, end)``; a moving chart keeps the same bucket edges.

        Raises:
            ValueError: no zone, end before start, a step under 1 ms, or more than ``MAX_BUCKETS``.
        """
        width = step // _MS
        if width < 1:
            raise ValueError(f"a step of {step} is too small")
        first, last = to_ms(start), to_ms(end)
        if last < first:
            raise ValueError("the end lies before the start")
        first -= first % width
        last += -last % width
        if (last - first) // width > MAX_BUCKETS:
            raise ValueError(f"more than {MAX_BUCKETS} buckets: take a larger step")
        return cls(first, last, width)
