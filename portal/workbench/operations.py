"""Claim, decide, take back. The rules of each kind stay in its feature; here is who does it, and when.

States as drawn in :mod:`portal.core.work`. A claim is one INSERT that gives way only to a claim that is
over or one's own; a decision is the feature's one conditional UPDATE: of two at once exactly one wins.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import delete, or_, select, update
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite
from sqlalchemy.orm import Session

from portal.accounts.models import User
from portal.core import audit
from portal.core.db import won
from portal.core.errors import ConflictError, DomainError
from portal.core.i18n import lazy
from portal.core.permissions import Actor, Permission, found, require
from portal.core.work import CLAIM_LIFE, UNDO_WINDOW, Note, WorkItem
from portal.regions.models import Region
from portal.workbench.models import WorkClaim, WorkDecision
from portal.workbench.sources import consequences, source_of

NOTE_LENGTH: Final = 200
KEPT: Final = timedelta(days=1)
"""How long decisions stay beside the audit: longer than they can be taken back."""


def claim(session: Session, actor: Actor, kind: str, item_id: int, now: datetime) -> None:
    """Take an item for a while; one's own claim begins anew.

    Raises:
        NotFoundError, ForbiddenError: see the source.
        ConflictError: ``already_decided``; ``claimed`` by somebody else.
    """
    item = _waiting(session, actor, kind, item_id, now)
    if not _take(session, actor, item, now, from_anybody=False):
        raise _held(session, kind, item_id)
    _told(session, actor, "work.claim", item)


def take_over(session: Session, actor: Actor, kind: str, item_id: int, now: datetime) -> None:
    """Take an item from whoever is at it.

    Raises:
        NotFoundError, ForbiddenError: see the source; the actor is no supervisor there.
        ConflictError: ``already_decided``.
    """
    item = _waiting(session, actor, kind, item_id, now)
    require(actor, Permission.WORK_TAKE_OVER, _path(session, item.region_id))
    _take(session, actor, item, now, from_anybody=True)
    _told(session, actor, "work.take_over", item)


def release(session: Session, actor: Actor, kind: str, item_id: int, now: datetime) -> None:
    """Leave an item to others. What is not the actor's stays as it is.

    Raises:
        NotFoundError, ForbiddenError: see the source.
    """
    item = source_of(kind).detail(session, actor, item_id, now).item
    if _drop(session, kind, item_id, WorkClaim.user_id == actor.user_id):
        _told(session, actor, "work.release", item)


def decide(
    session: Session,
    actor: Actor,
    kind: str,
    item_id: int,
    choice: str,
    note: str,
    now: datetime,
) -> WorkDecision:
    """Carry a choice out.

    Raises:
        NotFoundError, ForbiddenError: see the source.
        DomainError: the choice is unknown; the note is missing or too long (field ``note``).
        ConflictError: decided meanwhile, or somebody else is at it.
    """
    source = source_of(kind)
    detail = source.detail(session, actor, item_id, now)
    chosen = next((c for c in detail.choices if c.value == choice), None)
    if chosen is None:
        if detail.choices:
            raise DomainError("unknown_choice", lazy("Choose one of the buttons."))
        try:
            source.decide(session, actor, item_id, choice, note, now)  # says why not
        except DomainError as error:
            if error.status != 422:
                raise
        raise _decided()
    note = "" if chosen.note is Note.NONE else note.strip()
    if len(note) > NOTE_LENGTH:
        raise DomainError("note_long", lazy("A note has at most 200 characters."), field="note")
    if chosen.note is Note.REQUIRED and not note:
        raise DomainError("note_missing", lazy("Write one sentence that says why."), field="note")
    if _holder(session, kind, item_id, now) not in (None, actor.user_id):
        raise _held(session, kind, item_id)
    source.decide(session, actor, item_id, choice, note, now)
    _drop(session, kind, item_id)
    if actor.user_id is None:
        raise ConflictError("nobody", lazy("Only people decide here."))
    decision = WorkDecision(
        kind=kind,
        item_id=item_id,
        region_id=detail.item.region_id,
        user_id=actor.user_id,
        choice=choice,
        undoable=chosen.undoable,
        decided_at=now,
    )
    session.execute(
        delete(WorkDecision).where(
            WorkDecision.user_id == actor.user_id, WorkDecision.decided_at < now - KEPT
        )
    )
    session.add(decision)
    session.flush()
    _told(session, actor, "work.decide", detail.item, choice=choice)
    return decision


def undo(session: Session, actor: Actor, decision_id: int, now: datetime) -> WorkDecision:
    """Take one's own decision back, with all that has come of it.

    Raises:
        NotFoundError: it is not the actor's, or not there; ForbiddenError: the actor may no longer decide.
        ConflictError: ``undo_late``, ``undone`` before, or something has come of it.
    """
    decision = found(session.get(WorkDecision, decision_id))
    found(decision if decision.user_id == actor.user_id else None)
    if now - decision.decided_at > UNDO_WINDOW:
        raise ConflictError("undo_late", lazy("It is too late to take this back."))
    taken_back = won(
        session,
        update(WorkDecision)
        .where(
            WorkDecision.id == decision_id,
            WorkDecision.undone_at.is_(None),
            WorkDecision.undoable.is_(True),
        )
        .values(undone_at=now),
    )
    if not taken_back:
        raise ConflictError("undone", lazy("This has been taken back already, or cannot be."))
    source = source_of(decision.kind)
    item = source.detail(session, actor, decision.item_id, now).item
    for consequence in consequences(decision.kind):
        consequence(session, actor, decision.item_id, decision.decided_at, now)
    source.undo(session, actor, decision.item_id, now)
    session.refresh(decision)
    _told(session, actor, "work.undo", item, choice=decision.choice)
    return decision


def _waiting(session: Session, actor: Actor, kind: str, item_id: int, now: datetime) -> WorkItem:
    source = source_of(kind)
    detail = source.detail(session, actor, item_id, now)
    if not detail.choices:
        raise _decided()
    return detail.item


def _take(
    session: Session, actor: Actor, item: WorkItem, now: datetime, *, from_anybody: bool
) -> bool:
    sqlite = session.get_bind().dialect.name == "sqlite"
    insert: Any = insert_sqlite if sqlite else insert_postgresql
    values = {"user_id": actor.user_id, "claimed_at": now, "expires_at": now + CLAIM_LIFE}
    free = or_(WorkClaim.expires_at <= now, WorkClaim.user_id == actor.user_id)
    taken = session.scalar(
        insert(WorkClaim)
        .values(kind=item.kind, item_id=item.id, region_id=item.region_id, **values)
        .on_conflict_do_update(
            index_elements=["kind", "item_id"],
            set_=values,
            where=None if from_anybody else free,
        )
        .returning(WorkClaim.id)
    )
    return taken is not None


def _holder(session: Session, kind: str, item_id: int, now: datetime) -> int | None:
    return session.scalar(
        select(WorkClaim.user_id).where(
            WorkClaim.kind == kind, WorkClaim.item_id == item_id, WorkClaim.expires_at > now
        )
    )


def _drop(session: Session, kind: str, item_id: int, *which: Any) -> bool:
    return won(
        session,
        delete(WorkClaim).where(WorkClaim.kind == kind, WorkClaim.item_id == item_id, *which),
    )


def _held(session: Session, kind: str, item_id: int) -> ConflictError:
    name = session.scalar(
        select(User.username)
        .join(WorkClaim, WorkClaim.user_id == User.id)
        .where(WorkClaim.kind == kind, WorkClaim.item_id == item_id)
    )
    return ConflictError(
        "claimed",
        lazy("%(name)s is at it. Wait, or speak to each other.", name=name or "–"),
    )


def _decided() -> ConflictError:
    return ConflictError("already_decided", lazy("Somebody else has decided this already."))


def _path(session: Session, region_id: int) -> str:
    return session.scalar(select(Region.path).where(Region.id == region_id)) or "/"


def _told(session: Session, actor: Actor, action: str, item: WorkItem, **detail: Any) -> None:
    target = (item.kind, item.id)
    path = _path(session, item.region_id)
    audit.record(session, actor, action, target, path=path, **detail)
