"""Following a notice up: reminding those it has not reached, and waiting for missing confirmations.

A reminder marks the notice for everybody who has not read it, or has not confirmed where that is asked,
on their list and on their home page.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from portal.core.errors import ConflictError
from portal.core.i18n import lazy
from portal.core.permissions import Actor
from portal.notices.models import Notice, NoticeState
from portal.notices.operations import is_out, is_over, load, move, record
from portal.regions.models import Region


def remind(session: Session, actor: Actor, notice_id: int, now: datetime) -> Notice:
    """Remind those who have not read it, or not confirmed: at most once a day of the region's calendar.

    Raises:
        NotFoundError, ForbiddenError: see :func:`portal.core.permissions.require`.
        ConflictError: reminded today already, or not published now.
    """
    notice = load(session, actor, notice_id)
    if not is_out(notice, now) or is_over(notice, now):
        raise ConflictError("not_published", lazy("Only a published notice can be reminded of."))
    won = move(
        session,
        notice.id,
        Notice.state == NoticeState.RELEASED,
        Notice.reminded_at.is_(None) | (Notice.reminded_at < today(notice.region, now)),
        reminded_at=now,
        reminders=Notice.reminders + 1,
    )
    if not won:
        raise ConflictError(
            "reminded_today", lazy("People have been reminded today. Try again tomorrow.")
        )
    session.refresh(notice)
    record(session, actor, "remind", notice, time=notice.reminders)
    return notice


def end_chase(session: Session, actor: Actor, notice_id: int, now: datetime) -> Notice:
    """Stop waiting for confirmations that are missing; residents can still confirm.

    Raises:
        NotFoundError, ForbiddenError: see :func:`portal.core.permissions.require`.
        ConflictError: nobody waits any more.
    """
    return _chase(session, actor, notice_id, Notice.chase_ended_at.is_(None), now)


def resume_chase(session: Session, actor: Actor, notice_id: int) -> Notice:
    """Wait for missing confirmations again. Raises as :func:`end_chase`."""
    return _chase(session, actor, notice_id, Notice.chase_ended_at.is_not(None), None)


def _chase(
    session: Session, actor: Actor, notice_id: int, condition: Any, ended: datetime | None
) -> Notice:
    notice = load(session, actor, notice_id)
    if not move(session, notice.id, condition, chase_ended_at=ended):
        raise ConflictError(
            "chase_changed", lazy("This has been decided by somebody else in the meantime.")
        )
    session.refresh(notice)
    record(session, actor, "end_chase" if ended else "resume_chase", notice)
    return notice


def today(region: Region, now: datetime) -> datetime:
    """When this day began, by the region's clocks."""
    local = now.astimezone(ZoneInfo(region.timezone))
    return local - timedelta(
        hours=local.hour, minutes=local.minute, seconds=local.second, microseconds=local.microsecond
    )
