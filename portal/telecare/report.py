"""How fast alarms were answered, month by month (EN 50134: 97.5 % within 60 s, 99 % within 180 s).

An alarm counts in the month in which it was raised, on the community's clocks. Its time runs from then to
the first acknowledgement; one that nobody acknowledged counts as slower than any target. Presses taken back
in time, tests and suppressed presses raise nothing and are counted beside.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from statistics import median
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.core.permissions import Actor, Permission
from portal.regions.directory import within
from portal.regions.models import Region
from portal.telecare.alarm_models import REAL, Alarm, AlarmState, Cause

MONTHS: Final = 12
SOON_SECONDS: Final = 60
SOON_TARGET: Final = 0.975
LATE_SECONDS: Final = 180
LATE_TARGET: Final = 0.99


@dataclass(frozen=True, slots=True)
class Month:
    """One month; seconds are ``None`` where nothing was answered, shares where nothing was raised."""

    month: str
    """``2026-03``"""
    raised: int
    unanswered: int
    within_60: float | None
    within_180: float | None
    median_s: float | None
    slowest_s: float | None
    real: int
    mistakes: int
    cancelled: int
    tests: int
    suppressed: int

    @property
    def soon_enough(self) -> bool:
        """Whether the first target is met; a month without alarms meets it."""
        return self.within_60 is None or self.within_60 >= SOON_TARGET

    @property
    def late_enough(self) -> bool:
        """Whether the second target is met."""
        return self.within_180 is None or self.within_180 >= LATE_TARGET


@dataclass(frozen=True, slots=True)
class Row:
    """What of an alarm counts."""

    month: str
    state: str
    cause: str
    seconds: float | None
    """From raised to the first acknowledgement."""
    raised: bool


def months(session: Session, actor: Actor, now: datetime) -> list[Month]:
    """The last twelve months that had anything, newest first, over the actor's regions."""
    first = _earliest(now)
    rows = session.execute(
        select(
            Alarm.state,
            Alarm.cause,
            Alarm.received_at,
            Alarm.raised_at,
            Alarm.answered_at,
            Region.timezone,
        )
        .join(Region, Region.id == Alarm.community_id)
        .where(within(actor.paths(Permission.TELECARE_LIST)), Alarm.received_at >= first)
    )
    return summed(_row(row) for row in rows if not _may_still_be_soon(row, now))


def _may_still_be_soon(row: Any, now: datetime) -> bool:
    """Whether it rings and no target is missed yet: it counts when it is answered, or late."""
    ringing = row.raised_at is not None and row.answered_at is None
    return ringing and (now - row.raised_at).total_seconds() <= LATE_SECONDS


def _earliest(now: datetime) -> datetime:
    """The first of the month eleven months ago, a day early for every time zone."""
    month = now.year * 12 + now.month - MONTHS
    return now.replace(
        year=month // 12, month=month % 12 + 1, day=1, hour=0, minute=0, second=0, microsecond=0
    )


def _row(row: Any) -> Row:
    began = row.raised_at or row.received_at
    seconds = None
    if row.raised_at is not None and row.answered_at is not None:
        seconds = max(0.0, (row.answered_at - row.raised_at).total_seconds())
    local = began.astimezone(ZoneInfo(row.timezone))
    return Row(f"{local:%Y-%m}", row.state, row.cause, seconds, row.raised_at is not None)


def summed(rows: Iterable[Row]) -> list[Month]:
    """Rows by month, newest first."""
    by_month: defaultdict[str, list[Row]] = defaultdict(list)
    for row in rows:
        by_month[row.month].append(row)
    return [_month(name, by_month[name]) for name in sorted(by_month, reverse=True)]


def _month(name: str, rows: list[Row]) -> Month:
    raised = [row for row in rows if row.raised]
    times = [row.seconds for row in raised if row.seconds is not None]
    states = Counter(row.state for row in rows)

    def share(limit: float) -> float | None:
        return sum(t <= limit for t in times) / len(raised) if raised else None

    return Month(
        month=name,
        raised=len(raised),
        unanswered=len(raised) - len(times),
        within_60=share(SOON_SECONDS),
        within_180=share(LATE_SECONDS),
        median_s=median(times) if times else None,
        slowest_s=max(times) if times else None,
        real=sum(row.cause in set(REAL) for row in raised),
        mistakes=sum(row.cause == Cause.MISTAKE for row in raised),
        cancelled=states[AlarmState.CANCELLED],
        tests=states[AlarmState.TESTED],
        suppressed=states[AlarmState.SUPPRESSED],
    )


CSV_HEAD: Final = (
    "month",
    "raised",
    "unanswered",
    "within_60_s",
    "within_180_s",
    "median_s",
    "slowest_s",
    "real",
    "mistakes",
    "cancelled",
    "tests",
    "suppressed",
)


def csv_row(month: Month) -> list[str]:
    """One month as cells in the order of :data:`CSV_HEAD`; shares with four digits."""

    def cell(value: float | None, digits: int) -> str:
        return "" if value is None else f"{value:.{digits}f}"

    return [
        month.month,
        str(month.raised),
        str(month.unanswered),
        cell(month.within_60, 4),
        cell(month.within_180, 4),
        cell(month.median_s, 1),
        cell(month.slowest_s, 1),
        *map(str, (month.real, month.mistakes, month.cancelled, month.tests, month.suppressed)),
    ]
