"""Work that notices make: confirmations that are missing after their time (see :mod:`portal.core.work`).

::

    confirm_by passes ──► waiting ──remind──► waits for tomorrow
                             ▲  └──end──► ended ──undo──┐
                             └──────────────────────────┘
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

from flask import url_for
from sqlalchemy import ColumnElement, Select, and_, func, select
from sqlalchemy.orm import Session, joinedload

from portal.core.errors import ConflictError, DomainError
from portal.core.i18n import _, lazy
from portal.core.permissions import Actor, Permission
from portal.core.work import Choice, WorkDetail, WorkItem, WorkSource
from portal.notices import chasing, operations, queries, readers
from portal.notices.models import Notice, NoticeReceipt
from portal.notices.words import audience_text
from portal.regions.directory import within
from portal.regions.models import Region

REMIND: Final = "remind"
END: Final = "end"
PAUSE: Final = timedelta(hours=20)
"""How long a reminder may take to have an effect before the notice waits again."""


def _waiting(now: datetime) -> ColumnElement[bool]:
    confirmed = (
        select(func.count())
        .select_from(NoticeReceipt)
        .where(
            NoticeReceipt.notice_id == Notice.id,
            NoticeReceipt.confirmed_revision >= Notice.asks_revision,
        )
        .scalar_subquery()
    )
    return and_(
        queries.live(now),
        Notice.confirm.is_(True),
        Notice.confirm_by <= now,
        Notice.chase_ended_at.is_(None),
        Notice.reminded_at.is_(None) | (Notice.reminded_at < now - PAUSE),
        confirmed < Notice.reached,
    )


class OverdueConfirmations:
    """Notices whose time to confirm has passed while people are missing."""

    kind = "notices.overdue"
    label: Any = lazy("Confirmations missing")
    icon = "notice"
    permission = Permission.NOTICE_PUBLISH

    def waiting(self, session: Session, actor: Actor, now: datetime, limit: int) -> list[WorkItem]:
        """Those overdue longest first."""
        statement = (
            self._of(actor, now, select(Notice))
            .options(joinedload(Notice.region))
            .order_by(Notice.confirm_by, Notice.id)
            .limit(limit)
        )
        return [_item(notice) for notice in session.scalars(statement)]

    def count(self, session: Session, actor: Actor, now: datetime) -> int:
        """How many are overdue."""
        statement = self._of(actor, now, select(func.count(Notice.id)))
        return session.scalar(statement) or 0

    def _of(self, actor: Actor, now: datetime, statement: Select[Any]) -> Select[Any]:
        return statement.join(Region, Region.id == Notice.region_id).where(
            within(actor.paths(self.permission)), _waiting(now)
        )

    def detail(self, session: Session, actor: Actor, item_id: int, now: datetime) -> WorkDetail:
        """How many have confirmed, and what can be done about the others."""
        notice = queries.whole(session, operations.load(session, actor, item_id))
        counts = readers.counts(session, notice)
        open_now = bool(
            session.scalar(select(Notice.id).where(Notice.id == item_id, _waiting(now)))
        )
        choices = (
            Choice(REMIND, lazy("Remind them"), "main", undoable=False),
            Choice(END, lazy("Do not wait any longer")),
        )
        return WorkDetail(
            item=_item(notice),
            facts=(
                (_("For"), audience_text(notice)),
                (
                    _("Confirmed"),
                    _(
                        "%(done)s of %(all)s",
                        done=counts.confirmed.people,
                        all=counts.reached.people,
                    ),
                ),
                (
                    _("Households without confirmation"),
                    counts.reached.households - counts.confirmed.households,
                ),
            ),
            choices=choices if open_now else (),
        )

    def decide(
        self, session: Session, actor: Actor, item_id: int, choice: str, note: str, now: datetime
    ) -> None:
        """Remind, or wait no longer."""
        if choice == REMIND:
            chasing.remind(session, actor, item_id, now)
        elif choice == END:
            chasing.end_chase(session, actor, item_id, now)
        else:
            raise DomainError("choice_unknown", lazy("Choose one of the ways to decide."))

    def undo(self, session: Session, actor: Actor, item_id: int, now: datetime) -> None:
        """Wait again; a reminder cannot be taken back."""
        notice = operations.load(session, actor, item_id)
        if notice.chase_ended_at is None:
            raise ConflictError("reminded", lazy("A reminder cannot be taken back."))
        chasing.resume_chase(session, actor, item_id)


def _item(notice: Notice) -> WorkItem:
    return WorkItem(
        kind=OverdueConfirmations.kind,
        id=notice.id,
        region_id=notice.region_id,
        title=notice.title,
        about=_("Not everybody has confirmed in time."),
        at=notice.confirm_by or notice.created_at,
        href=url_for("notices.show", notice_id=notice.id),
    )


SOURCES: Final[tuple[WorkSource, ...]] = (OverdueConfirmations(),)
