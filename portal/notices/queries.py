"""Reading notices: a resident's own, those of a community's public page, those of staff."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, and_, case, func, or_, select
from sqlalchemy.orm import Session, joinedload, selectinload

from portal.core.i18n import lazy
from portal.core.paging import Page, paginate
from portal.core.permissions import Actor, Permission, found, not_found
from portal.notices import audience
from portal.notices.models import (
    Notice,
    NoticePlace,
    NoticeReceipt,
    NoticeRevision,
    NoticeState,
    Priority,
)
from portal.notices.operations import is_out, is_over
from portal.regions.directory import within
from portal.regions.models import Region, Unit


class Shown(StrEnum):
    """The state a person sees: the stored one and what the clock has made of it."""

    DRAFT = "draft"
    SCHEDULED = "scheduled"
    PUBLISHED = "published"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"


SHOWN_NAMES: Final[dict[Shown, Any]] = {
    Shown.DRAFT: lazy("Draft"),
    Shown.SCHEDULED: lazy("Scheduled"),
    Shown.PUBLISHED: lazy("Published"),
    Shown.EXPIRED: lazy("Over"),
    Shown.WITHDRAWN: lazy("Taken back"),
}


def shown_state(notice: Notice, now: datetime) -> Shown:
    """The state to show."""
    if notice.state == NoticeState.DRAFT:
        return Shown.DRAFT
    if notice.state == NoticeState.WITHDRAWN:
        return Shown.WITHDRAWN
    if is_over(notice, now):
        return Shown.EXPIRED
    return Shown.PUBLISHED if is_out(notice, now) else Shown.SCHEDULED


def live(now: datetime) -> ColumnElement[bool]:
    """SQL: published and not over."""
    return and_(
        Notice.state == NoticeState.RELEASED,
        Notice.publish_at <= now,
        or_(Notice.expires_at.is_(None), Notice.expires_at > now),
    )


def _in_state(state: Shown, now: datetime) -> ColumnElement[bool]:
    released = Notice.state == NoticeState.RELEASED
    conditions: dict[Shown, ColumnElement[bool]] = {
        Shown.DRAFT: Notice.state == NoticeState.DRAFT,
        Shown.SCHEDULED: and_(released, Notice.publish_at > now),
        Shown.PUBLISHED: live(now),
        Shown.EXPIRED: and_(released, Notice.expires_at <= now),
        Shown.WITHDRAWN: Notice.state == NoticeState.WITHDRAWN,
    }
    return conditions[state]


@dataclass(frozen=True, slots=True)
class Mine:
    """A notice as it stands with one resident."""

    notice: Notice
    receipt: NoticeReceipt | None
    over: bool = False

    @property
    def unread(self) -> bool:
        """Not opened since it asks for reading."""
        seen = self.receipt.read_revision if self.receipt else None
        return not self.over and (seen is None or seen < self.notice.asks_revision)

    @property
    def to_confirm(self) -> bool:
        """Confirmation is asked for and not given."""
        said = self.receipt.confirmed_revision if self.receipt else None
        missing = said is None or said < self.notice.asks_revision
        return not self.over and self.notice.confirm and missing

    @property
    def urgent(self) -> bool:
        """Marked so by the staff."""
        return self.notice.priority == Priority.URGENT

    @property
    def reminded(self) -> bool:
        """The staff have reminded of it, and it still waits for this resident."""
        return self.notice.reminded_at is not None and (self.unread or self.to_confirm)

    @property
    def changed(self) -> bool:
        """The text has changed since this resident read it."""
        seen = self.receipt.read_revision if self.receipt else None
        return seen is not None and seen < self.notice.revision


def _unread() -> ColumnElement[bool]:
    seen = NoticeReceipt.read_revision
    return or_(seen.is_(None), seen < Notice.asks_revision)


def _unconfirmed() -> ColumnElement[bool]:
    said = NoticeReceipt.confirmed_revision
    return and_(Notice.confirm.is_(True), or_(said.is_(None), said < Notice.asks_revision))


def _for(session: Session, resident_id: int) -> Select[Any]:
    """Notices addressed to a resident beside their receipt, whatever their state."""
    return (
        select(Notice)
        .outerjoin(
            NoticeReceipt,
            and_(NoticeReceipt.notice_id == Notice.id, NoticeReceipt.resident_id == resident_id),
        )
        .where(audience.addressed(audience.homes(session, resident_id)))
    )


def own(
    session: Session, resident_id: int, now: datetime, page: int, *, earlier: bool = False
) -> Page[Mine]:
    """A resident's notices: what is to be done first, then pinned, then newest.

    Args:
        earlier: those withdrawn or over instead, newest first.
    """
    statement = _for(session, resident_id)
    newest = (Notice.publish_at.desc(), Notice.id.desc())
    if earlier:
        past = and_(
            Notice.state != NoticeState.DRAFT,
            Notice.publish_at <= now,
            or_(Notice.state == NoticeState.WITHDRAWN, Notice.expires_at <= now),
        )
        statement = statement.where(past).order_by(*newest)
    else:
        waits = case((or_(_unread(), _unconfirmed()), 0), else_=1)
        urgent = case((Notice.priority == Priority.URGENT, 0), else_=1)
        order = (waits, case((waits == 0, urgent), else_=1), Notice.pinned.desc(), *newest)
        statement = statement.where(live(now)).order_by(*order)
    found_page = paginate(session, statement, page)
    items = _with_receipts(session, resident_id, found_page.items, over=earlier)
    return Page(items, found_page.number, found_page.size, found_page.has_next)


def _with_receipts(
    session: Session, resident_id: int, notices: Sequence[Notice], *, over: bool = False
) -> list[Mine]:
    rows = session.scalars(
        select(NoticeReceipt).where(
            NoticeReceipt.resident_id == resident_id,
            NoticeReceipt.notice_id.in_([n.id for n in notices]),
        )
    )
    receipts = {row.notice_id: row for row in rows}
    return [Mine(notice, receipts.get(notice.id), over) for notice in notices]


def waiting(session: Session, resident_id: int, now: datetime, limit: int) -> list[Mine]:
    """What a resident has not read, or has to confirm: urgent first, then oldest deadline, newest."""
    statement = (
        _for(session, resident_id)
        .where(live(now), or_(_unread(), _unconfirmed()))
        .order_by(
            case((Notice.priority == Priority.URGENT, 0), else_=1),
            Notice.publish_at.desc(),
            Notice.id.desc(),
        )
        .limit(limit)
    )
    return _with_receipts(session, resident_id, session.scalars(statement).all())


def count_unread(session: Session, resident_id: int, now: datetime) -> int:
    """How many a resident has not read."""
    inner = _for(session, resident_id).with_only_columns(Notice.id).where(live(now), _unread())
    return session.scalar(select(func.count()).select_from(inner.subquery())) or 0


def own_one(session: Session, actor: Actor, notice_id: int, now: datetime) -> Notice:
    """One notice for a resident it is addressed to; withdrawn ones and those over too.

    Raises:
        NotFoundError: it is not for this resident, or has never been out.
    """
    if actor.resident_id is None:
        raise not_found()
    statement = _for(session, actor.resident_id).where(Notice.id == notice_id)
    notice: Notice = found(session.scalars(statement.options(*_whole())).one_or_none())
    if not is_out(notice, now):
        raise not_found()
    return notice


def receipt_of(session: Session, actor: Actor, notice: Notice) -> NoticeReceipt | None:
    """How far the notice has come with this resident."""
    return session.get(NoticeReceipt, (notice.id, actor.resident_id))


def _whole() -> tuple[Any, ...]:
    return (
        joinedload(Notice.region),
        selectinload(Notice.files),
        selectinload(Notice.places).joinedload(NoticePlace.building),
        selectinload(Notice.places).joinedload(NoticePlace.unit).joinedload(Unit.building),
    )


def whole(session: Session, notice: Notice) -> Notice:
    """A notice with its region, places and files, to be shown after the session has ended."""
    statement = select(Notice).where(Notice.id == notice.id).options(*_whole())
    return session.scalars(statement.execution_options(populate_existing=True)).one()


def revisions(session: Session, notice: Notice) -> Sequence[NoticeRevision]:
    """The texts that readers could see, newest first."""
    return session.scalars(
        select(NoticeRevision)
        .where(NoticeRevision.notice_id == notice.id)
        .order_by(NoticeRevision.number.desc())
    ).all()


def public(session: Session, community: Region, now: datetime, page: int) -> Page[Notice]:
    """The public notices of a community and of the regions above it: pinned first, then newest."""
    statement = _public(community, now).order_by(
        Notice.pinned.desc(), Notice.publish_at.desc(), Notice.id.desc()
    )
    return paginate(session, statement, page)


def public_one(session: Session, community: Region, notice_id: int, now: datetime) -> Notice:
    """One public notice of a community.

    Raises:
        NotFoundError: there is none, or it is not public or not out any more.
    """
    statement = _public(community, now).where(Notice.id == notice_id).options(*_whole())
    notice: Notice = found(session.scalars(statement).one_or_none())
    return notice


def _public(community: Region, now: datetime) -> Select[Any]:
    return select(Notice).where(
        Notice.public.is_(True), Notice.region_id.in_(audience.chain(community.path)), live(now)
    )


def for_staff(
    session: Session, actor: Actor, state: Shown, now: datetime, page: int
) -> Page[Notice]:
    """The notices in a state that the actor may publish, newest first."""
    statement = (
        select(Notice)
        .join(Region, Region.id == Notice.region_id)
        .options(*_whole())
        .where(within(actor.paths(Permission.NOTICE_PUBLISH)), _in_state(state, now))
        .order_by(func.coalesce(Notice.publish_at, Notice.created_at).desc(), Notice.id.desc())
    )
    return paginate(session, statement, page)


def count_by_state(session: Session, actor: Actor, now: datetime) -> dict[Shown, int]:
    """How many notices stand in each state, over what the actor may publish."""
    state = case(*((_in_state(s, now), s.value) for s in Shown), else_="")
    rows = session.execute(
        select(state, func.count())
        .select_from(Notice)
        .join(Region, Region.id == Notice.region_id)
        .where(within(actor.paths(Permission.NOTICE_PUBLISH)))
        .group_by(state)
    )
    counts = {name: int(number) for name, number in rows}
    return {s: counts.get(s.value, 0) for s in Shown}


def delivered_ids(items: Iterable[Mine]) -> list[int]:
    """Those of a list that this resident gets to see for the first time."""
    return [mine.notice.id for mine in items if mine.receipt is None and not mine.over]
