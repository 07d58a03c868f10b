"""How far a notice comes with one person: delivered, read, confirmed, each written once.

States as drawn in :mod:`portal.notices.models`. Only residents of the audience have receipts; a second
reading, or two at once, changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import update
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.orm import Session

from portal.core import audit
from portal.core.errors import ConflictError
from portal.core.i18n import lazy
from portal.core.permissions import Actor, not_found
from portal.notices.models import Notice, NoticeReceipt
from portal.notices.operations import is_over
from portal.notices.queries import own_one


def deliver(session: Session, resident_id: int, notices: Iterable[int], now: datetime) -> None:
    """These notices stand on a list that the resident has opened."""
    rows = [
        {"notice_id": notice, "resident_id": resident_id, "delivered_at": now}
        for notice in sorted(set(notices))
    ]
    if not rows:
        return
    postgres = session.get_bind().dialect.name == "postgresql"
    insert: Any = postgres_insert if postgres else sqlite_insert
    session.execute(insert(NoticeReceipt).on_conflict_do_nothing(), rows)


def read(session: Session, actor: Actor, notice_id: int, now: datetime) -> None:
    """The resident has the notice open.

    Raises:
        NotFoundError: it is not for this resident, or not out.
    """
    if actor.resident_id is None:
        raise not_found()
    notice = own_one(session, actor, notice_id, now)
    if is_over(notice, now):
        return
    deliver(session, actor.resident_id, [notice.id], now)
    session.execute(
        update(NoticeReceipt)
        .where(
            NoticeReceipt.notice_id == notice.id,
            NoticeReceipt.resident_id == actor.resident_id,
            NoticeReceipt.read_revision.is_(None) | (NoticeReceipt.read_revision < notice.revision),
        )
        .values(read_at=now, read_revision=notice.revision)
    )


def confirm(session: Session, actor: Actor, notice_id: int, revision: int, now: datetime) -> Notice:
    """The resident says that they have read and understood this text.

    Args:
        revision: of the text that was on their screen.

    Raises:
        NotFoundError: it is not for this resident, or not out.
        ConflictError: the text has changed meanwhile, no confirmation is asked for, or it is over.
    """
    read(session, actor, notice_id, now)
    notice = own_one(session, actor, notice_id, now)
    if is_over(notice, now) or not notice.confirm:
        raise ConflictError(
            "not_asked", lazy("This notice does not ask for a confirmation any more.")
        )
    if notice.revision != revision:
        raise ConflictError(
            "text_changed",
            lazy("The text has changed since you opened it. Read it again, then confirm."),
        )
    session.execute(
        update(NoticeReceipt)
        .where(
            NoticeReceipt.notice_id == notice.id,
            NoticeReceipt.resident_id == actor.resident_id,
            NoticeReceipt.confirmed_revision.is_(None)
            | (NoticeReceipt.confirmed_revision < notice.asks_revision),
        )
        .values(confirmed_at=now, confirmed_revision=revision)
    )
    audit.record(
        session,
        actor,
        "notice.confirm",
        ("notice", notice.id),
        path=notice.region.path,
        revision=revision,
    )
    return notice
