"""Writing, releasing, changing and withdrawing a notice.

States as drawn in :mod:`portal.notices.models`; every change of state is one conditional UPDATE, so that of
two at once exactly one succeeds and the other gets :class:`ConflictError`.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from portal.core import audit
from portal.core.db import won
from portal.core.errors import ConflictError, DomainError, NotFoundError
from portal.core.i18n import lazy
from portal.core.permissions import Actor, Permission, found, require
from portal.notices import audience as audiences
from portal.notices.draft import REASON_LENGTH, Draft, faults
from portal.notices.models import (
    Notice,
    NoticePlace,
    NoticeRevision,
    NoticeState,
)
from portal.notices.text import one_line
from portal.regions.models import Building, Region, Unit

MEANWHILE: Final = lazy(
    "Somebody has changed this notice in the meantime. Compare it with yours and save again."
)


def create(session: Session, actor: Actor, draft: Draft, now: datetime) -> Notice:
    """Write a notice down; nobody sees it before :func:`release`.

    Raises:
        NotFoundError, ForbiddenError: see :func:`portal.core.permissions.require`.
        DomainError: the draft is at fault.
    """
    region = _region(session, actor, draft)
    for fault in faults(draft, now) or audience_faults(session, draft, region):
        raise fault
    notice = Notice(
        region_id=region.id,
        title=draft.title,
        body=draft.body,
        state=NoticeState.DRAFT,
        created_at=now,
        created_by=actor.user_id,
    )
    for name, value in _values(draft).items():
        setattr(notice, name, value)
    notice.places = _places(draft)
    session.add(notice)
    session.flush()
    record(session, actor, "create", notice)
    return notice


def audience_faults(session: Session, draft: Draft, region: Region) -> list[DomainError]:
    """What is wrong with the audience by what there is: foreign buildings, or nobody at all."""
    audience = draft.audience
    known = select(Building.id).where(Building.community_id == region.id)
    buildings = set(session.scalars(known.where(Building.id.in_(audience.buildings))))
    units = set(
        session.scalars(
            select(Unit.id).where(Unit.id.in_(audience.units), Unit.building_id.in_(known))
        )
    )
    if buildings != audience.buildings or units != audience.units:
        sentence = lazy("Choose buildings and units of this community.")
        return [DomainError("places_foreign", sentence, field="places")]
    if not draft.public and not audiences.reach(session, audience, region).people:
        sentence = lazy("Nobody lives there whom this would reach. Choose more, or make it public.")
        return [DomainError("nobody_reached", sentence, field="places")]
    return []


def edit(
    session: Session,
    actor: Actor,
    notice_id: int,
    draft: Draft,
    *,
    seen: int,
    now: datetime,
    again: bool = False,
) -> Notice:
    """Save changes. Once it is published, its audience and start stay as they are.

    A changed text of a released notice becomes a revision; readers see when it was changed.

    Args:
        seen: the ``version`` that whoever edits had before them.
        again: everybody is to read, and where asked to confirm, the new text.

    Raises:
        NotFoundError, ForbiddenError: see :func:`portal.core.permissions.require`.
        DomainError: the draft is at fault.
        ConflictError: changed meanwhile, withdrawn or expired.
    """
    notice = load(session, actor, notice_id)
    out = is_out(notice, now)
    if is_over(notice, now):
        raise ConflictError("over", lazy("This notice is over; write a new one."))
    wrong = faults(draft, now, published=out)
    region = notice.region
    if not out:
        region = _region(session, actor, draft)
        wrong = wrong or audience_faults(session, draft, region)
    for fault in wrong:
        raise fault
    rewritten = notice.state == NoticeState.RELEASED and (
        (notice.title, notice.body) != (draft.title, draft.body) or (out and again)
    )
    values = _values(draft)
    if out:
        for name in ("relation", "narrowed", "publish_at"):
            del values[name]
    else:
        values |= _moved(session, notice, draft, region, now)
    if rewritten:
        values |= _rewritten(notice, now, out=out, again=again)
    if draft.confirm_by != notice.confirm_by:
        values["chase_ended_at"] = None
    changed = move(
        session,
        notice.id,
        Notice.version == seen,
        Notice.state != NoticeState.WITHDRAWN,
        version=seen + 1,
        **values,
    )
    if not changed:
        raise ConflictError("changed_meanwhile", MEANWHILE)
    session.refresh(notice)
    if not out:
        notice.places = _places(draft)
    if rewritten:
        _keep_revision(session, actor, notice, now)
    session.flush()
    record(session, actor, "edit", notice, revision=notice.revision)
    return notice


def _moved(
    session: Session, notice: Notice, draft: Draft, region: Region, now: datetime
) -> dict[str, Any]:
    """What changes with place and start, as long as nobody has seen the notice."""
    values: dict[str, Any] = {"region_id": region.id}
    if notice.state == NoticeState.RELEASED:
        reach = audiences.reach(session, draft.audience, region)
        values |= {"reached": reach.people, "households": reach.households}
        values["publish_at"] = max(draft.publish_at or now, now)
    return values


def _rewritten(notice: Notice, now: datetime, *, out: bool, again: bool) -> dict[str, Any]:
    """What changes with the text of a released notice."""
    values: dict[str, Any] = {"revision": notice.revision + 1}
    if out:
        values["changed_at"] = now
    if out and again:
        values["asks_revision"] = notice.revision + 1
    return values


def release(session: Session, actor: Actor, notice_id: int, now: datetime) -> Notice:
    """Publish a draft, at once or at its time.

    Raises:
        NotFoundError, ForbiddenError: see :func:`portal.core.permissions.require`.
        ConflictError: released, withdrawn or discarded meanwhile, its end has passed, or it reaches nobody.
    """
    notice = load(session, actor, notice_id)
    start = max(notice.publish_at or now, now)
    if notice.expires_at is not None and notice.expires_at <= start:
        raise ConflictError(
            "end_before_start", lazy("Its end has passed. Edit the notice and choose a later one.")
        )
    reach = audiences.reach(session, audiences.of(notice), notice.region)
    if not reach.people and not notice.public:
        raise ConflictError(
            "nobody_reached", lazy("Nobody lives there any more. Edit whom the notice is for.")
        )
    changed = move(
        session,
        notice.id,
        Notice.state == NoticeState.DRAFT,
        state=NoticeState.RELEASED,
        version=Notice.version + 1,
        publish_at=start,
        reached=reach.people,
        households=reach.households,
    )
    if not changed:
        raise ConflictError("not_a_draft", lazy("This notice has been published already."))
    session.refresh(notice)
    _keep_revision(session, actor, notice, now)
    record(session, actor, "release", notice, people=reach.people)
    return notice


def withdraw(session: Session, actor: Actor, notice_id: int, reason: str, now: datetime) -> Notice:
    """Take a released notice back. Those it was for see that it was withdrawn, and why.

    Raises:
        DomainError: no reason, or a long one.
        NotFoundError, ForbiddenError: see :func:`portal.core.permissions.require`.
        ConflictError: it is a draft, or withdrawn or expired already.
    """
    notice = load(session, actor, notice_id)
    said = one_line(reason)
    if not said:
        raise DomainError(
            "reason_missing", lazy("Write one sentence that tells readers why."), field="reason"
        )
    if len(said) > REASON_LENGTH:
        raise DomainError(
            "reason_long", lazy("A reason has at most 200 characters."), field="reason"
        )
    changed = move(
        session,
        notice.id,
        Notice.state == NoticeState.RELEASED,
        Notice.expires_at.is_(None) | (Notice.expires_at > now),
        state=NoticeState.WITHDRAWN,
        version=Notice.version + 1,
        withdrawn_at=now,
        withdrawn_by=actor.user_id,
        withdrawn_reason=said,
    )
    if not changed:
        raise ConflictError("not_released", lazy("This notice is not published any more."))
    session.refresh(notice)
    record(session, actor, "withdraw", notice)
    return notice


def discard(session: Session, actor: Actor, notice_id: int) -> list[str]:
    """Throw a draft away.

    Returns:
        The keys of its files, for whoever keeps the files.

    Raises:
        NotFoundError, ForbiddenError: see :func:`portal.core.permissions.require`.
        ConflictError: it has been published.
    """
    notice = load(session, actor, notice_id)
    changed = move(
        session, notice.id, Notice.state == NoticeState.DRAFT, state=NoticeState.WITHDRAWN
    )
    if not changed:
        raise ConflictError("not_a_draft", lazy("This notice has been published already."))
    keys = [file.key for file in notice.files]
    record(session, actor, "discard", notice)
    session.delete(notice)
    session.flush()
    return keys


def load(session: Session, actor: Actor, notice_id: int) -> Notice:
    """One notice, for whoever may publish where it belongs.

    Raises:
        NotFoundError, ForbiddenError: see :func:`portal.core.permissions.require`.
    """
    notice = found(session.get(Notice, notice_id))
    require(actor, Permission.NOTICE_PUBLISH, notice.region.path)
    return notice


def is_out(notice: Notice, now: datetime) -> bool:
    """Whether readers could see it: released, and its time has come (it may be over again)."""
    released = notice.state != NoticeState.DRAFT
    return released and notice.publish_at is not None and notice.publish_at <= now


def is_over(notice: Notice, now: datetime) -> bool:
    """Whether it is withdrawn, or released and past its end."""
    if notice.state == NoticeState.WITHDRAWN:
        return True
    ended = notice.expires_at is not None and notice.expires_at <= now
    return notice.state == NoticeState.RELEASED and ended


def _region(session: Session, actor: Actor, draft: Draft) -> Region:
    region = session.get(Region, draft.audience.region_id)
    try:
        require(actor, Permission.NOTICE_PUBLISH, found(region).path)
    except NotFoundError:
        raise DomainError(
            "region_unknown", lazy("Choose where from the list."), field="region"
        ) from None
    return found(region)


def _values(draft: Draft) -> dict[str, Any]:
    return {
        "title": draft.title,
        "body": draft.body,
        "narrowed": draft.audience.narrowed,
        "relation": draft.audience.relation,
        "public": draft.public,
        "priority": draft.priority,
        "pinned": draft.pinned,
        "confirm": draft.confirm,
        "confirm_by": draft.confirm_by,
        "publish_at": draft.publish_at,
        "expires_at": draft.expires_at,
    }


def _places(draft: Draft) -> list[NoticePlace]:
    return [
        *(NoticePlace(building_id=b) for b in sorted(draft.audience.buildings)),
        *(NoticePlace(unit_id=u) for u in sorted(draft.audience.units)),
    ]


def _keep_revision(session: Session, actor: Actor, notice: Notice, now: datetime) -> None:
    session.add(
        NoticeRevision(
            notice_id=notice.id,
            number=notice.revision,
            title=notice.title,
            body=notice.body,
            at=now,
            by=actor.user_id,
        )
    )
    session.flush()


def move(session: Session, notice_id: int, *conditions: Any, **values: Any) -> bool:
    """Change a notice if these conditions still hold; whether they did."""
    return won(session, update(Notice).where(Notice.id == notice_id, *conditions).values(**values))


def record(session: Session, actor: Actor, verb: str, notice: Notice, **detail: Any) -> None:
    """Write an act on a notice into the audit."""
    audit.record(
        session, actor, f"notice.{verb}", ("notice", notice.id), path=notice.region.path, **detail
    )
