"""Changing one region: its name, its place and number in the tree, its credit code; each with history."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from portal.core import audit
from portal.core.errors import ConflictError, DomainError, ForbiddenError
from portal.core.i18n import lazy
from portal.core.identifiers import check_uscc, sentence
from portal.core.permissions import SYSTEM, Actor, Role
from portal.regions import setting_changes, settings
from portal.regions.authority import require_manage
from portal.regions.codes import Code, parse, rebased
from portal.regions.models import Change, Level, Region, RegionHistory
from portal.regions.names import change_reason, region_name


def lock_tree(session: Session) -> None:
    """Let one change of the tree's shape happen at a time (rows of the roots; SQLite queues anyway)."""
    session.execute(select(Region.id).where(Region.parent_id.is_(None)).with_for_update()).all()
    session.expire_all()


def note(
    session: Session,
    actor: Actor,
    region: Region,
    change: Change,
    now: datetime,
    *,
    from_code: str | None = None,
    from_name: str | None = None,
    from_uscc: str | None = None,
    reason: str = "",
    counts: dict[str, Any] | None = None,
) -> None:
    """Write what happened into the history of the region as it is now."""
    session.add(
        RegionHistory(
            region_id=region.id,
            change=change,
            from_code=from_code or region.code,
            to_code=region.code,
            from_name=from_name or region.name,
            to_name=region.name,
            from_uscc=from_uscc,
            at=now,
            by=actor.user_id,
            reason=reason,
            counts=counts or {},
        )
    )


def rename(
    session: Session, actor: Actor, region: Region, name: str, reason: str, now: datetime
) -> None:
    """Give a region another name.

    Raises:
        NotFoundError, ForbiddenError: see :func:`portal.regions.authority.require_manage`.
        DomainError: name or reason is at fault.
        ConflictError: somebody renamed it in the meantime.
    """
    require_manage(actor, region)
    new, why = region_name(name), change_reason(reason)
    old = region.name
    if new == old:
        raise DomainError("name_same", lazy("This is its name already."), field="name")
    won = session.execute(
        update(Region)
        .where(Region.id == region.id, Region.name == old)
        .values(name=new)
        .returning(Region.id)
        .execution_options(synchronize_session=False)
    ).all()
    if not won:
        raise ConflictError(
            "renamed_meanwhile", lazy("Somebody has changed this region in the meantime.")
        )
    session.refresh(region)
    note(session, actor, region, Change.RENAME, now, from_name=old, reason=why)
    audit.record(session, actor, "region.rename", ("region", region.id), path=region.path)


def relocate(
    session: Session,
    actor: Actor,
    region: Region,
    code: Code,
    now: datetime,
    *,
    parent: Region | None = None,
    reason: str = "",
) -> int:
    """Give a region another number and the parent that goes with it; all below follows.

    Codes and paths of the whole subtree are rewritten, each old code stays findable.

    Args:
        parent: the new parent; found by the code when not given.

    Returns:
        Number of regions that changed.
    """
    session.refresh(region)
    if parent is None and code.parent is not None:
        parent = session.scalars(select(Region).where(Region.code == code.parent)).one()
    old, old_path = parse(region.code), region.path
    new_path = f"{parent.path if parent else '/'}{region.id}/"
    below = session.scalars(
        select(Region)
        .where(Region.path.startswith(old_path, autoescape=True))
        .order_by(Region.path)
    ).all()
    changed = 0
    for one in below:
        before = one.code
        one.path = new_path + one.path[len(old_path) :]
        one.code = code.text if one.id == region.id else rebased(parse(one.code).text, old, code)
        if one.code != before:
            changed += 1
            note(
                session,
                actor,
                one,
                Change.MOVE,
                now,
                from_code=parse(before).text,
                reason=reason,
            )
    if changed == 0 and new_path != old_path:
        note(session, actor, region, Change.MOVE, now, reason=reason)
    region.parent_id = parent.id if parent else None
    session.flush()
    settings.forget(session)
    setting_changes.write_zones(session, region)
    return changed


def set_uscc(
    session: Session,
    actor: Actor,
    region: Region,
    typed: str,
    now: datetime,
    *,
    override: bool = False,
    reason: str = "",
) -> None:
    """Give a community its unified social credit code (GB 32100-2015).

    Args:
        override: take a code whose check characters do not fit. A few early codes were legally issued
            so; a system administrator may say so, with the reason, which history and audit keep.

    Raises:
        NotFoundError, ForbiddenError: see :func:`portal.regions.authority.require_manage`; only a system
            administrator may override.
        DomainError: malformed, in use elsewhere, or the reason is missing.
    """
    require_manage(actor, region)
    if region.level != Level.COMMUNITY:
        raise DomainError(
            "uscc_level",
            lazy("Only communities have a unified social credit code here."),
            field="uscc",
        )
    checked = check_uscc(typed)
    why = reason.strip()
    if not checked.valid:
        if not (override and checked.overridable):
            raise DomainError(f"uscc_{checked.reason}", sentence(checked), field="uscc")
        if not _is_administrator(actor, region):
            raise ForbiddenError(
                "override_role", lazy("Only a system administrator may accept such a code.")
            )
        why = change_reason(reason)
    before = region.uscc
    if checked.value == before:
        raise DomainError("uscc_same", lazy("This is its code already."), field="uscc")
    taken = DomainError(
        "uscc_taken",
        lazy("Another community has this unified social credit code."),
        field="uscc",
    )
    if session.scalar(select(Region.id).where(Region.uscc == checked.value)) is not None:
        raise taken
    region.uscc = checked.value
    try:
        session.flush()
    except IntegrityError:
        raise taken from None
    note(session, actor, region, Change.USCC, now, from_uscc=before, reason=why)
    audit.record(
        session,
        actor,
        "region.uscc" if checked.valid else "region.uscc_override",
        ("region", region.id),
        path=region.path,
        uscc=checked.value,
    )


def _is_administrator(actor: Actor, region: Region) -> bool:
    return actor is SYSTEM or any(
        g.role is Role.SYSTEM_ADMIN and region.path.startswith(g.path) for g in actor.grants
    )
