"""Merging a region into another of its level: children, objects and roles move in one transaction.

History is written, so that code, name and credit code of the region that is gone still lead to the one
that took it in. :func:`plan_merge` only reads: it is what the confirmation page shows.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from portal.core import audit
from portal.core.errors import ConflictError, DomainError
from portal.core.i18n import lazy
from portal.core.permissions import Actor
from portal.regions import belongings, settings
from portal.regions.authority import require_manage
from portal.regions.changes import lock_tree, note, relocate
from portal.regions.codes import below, parse
from portal.regions.models import (
    Building,
    Change,
    Level,
    Region,
    RegionHistory,
    RegionSetting,
    RegionUpload,
)
from portal.regions.names import BUILDING_NAME, change_reason
from portal.regions.tree import all_children, codes_given_up


@dataclass(slots=True)
class MergePlan:
    """What a merger would do. ``children`` are (name, old code, new code); ``blockers`` forbid it."""

    source: Region
    target: Region
    children: list[tuple[Region, str]] = field(default_factory=list)
    below: int = 0
    objects: dict[str, int] = field(default_factory=dict)
    renamed_buildings: list[tuple[str, str]] = field(default_factory=list)
    settings: int = 0
    blockers: list[Any] = field(default_factory=list)


def plan_merge(session: Session, actor: Actor, source: Region, target: Region) -> MergePlan:
    """What taking ``source`` into ``target`` would move, and what stands in its way.

    Raises:
        NotFoundError, ForbiddenError: the actor may not change one of them.
        DomainError: they are the same, of different levels, or grids of different communities.
    """
    require_manage(actor, source)
    require_manage(actor, target)
    if source.id == target.id:
        raise DomainError("same", lazy("Choose another region than this one."), field="target")
    if source.level != target.level:
        raise DomainError(
            "level", lazy("Only regions of the same level can be merged."), field="target"
        )
    if source.level == Level.GRID and source.parent_id != target.parent_id:
        raise DomainError(
            "grid_elsewhere",
            lazy("A grid can only be merged with another one of its community."),
            field="target",
        )
    plan = MergePlan(source, target)
    _plan_children(session, plan)
    plan.below = (
        session.scalar(
            select(func.count())
            .select_from(Region)
            .where(Region.path.startswith(source.path, autoescape=True), Region.id != source.id)
        )
        or 0
    )
    plan.objects = belongings.counts(session, source.id)
    plan.settings = (
        session.scalar(
            select(func.count())
            .select_from(RegionSetting)
            .where(RegionSetting.region_id == source.id)
        )
        or 0
    )
    if source.level == Level.COMMUNITY:
        plan.blockers += belongings.blockers(session, source.id)
        _plan_buildings(session, plan)
    for name, number in belongings.collisions(session, source.id, target.id).items():
        plan.blockers.append(
            lazy(
                "%(what)s: %(number)s stand in both regions under the same name. Change them first.",
                what=belongings.NAMES.get(name, belongings.OTHER),
                number=number,
            )
        )
    return plan


def _plan_children(session: Session, plan: MergePlan) -> None:
    taken = {parse(r.code).text for r in all_children(session, plan.target)} | codes_given_up(
        session, plan.target.code
    )
    target = parse(plan.target.code)
    for child in all_children(session, plan.source):
        code = below(parse(child.code), target, taken)
        if code is None:
            plan.blockers.append(
                lazy("There is no free number left below %(name)s.", name=plan.target.name)
            )
            return
        taken.add(code)
        plan.children.append((child, code))


def _plan_buildings(session: Session, plan: MergePlan) -> None:
    names = set(
        session.scalars(select(Building.name).where(Building.community_id == plan.target.id))
    )
    for name in session.scalars(
        select(Building.name)
        .where(Building.community_id == plan.source.id)
        .order_by(Building.position, Building.name)
    ):
        if name not in names:
            names.add(name)
            continue
        new = f"{plan.source.name}{name}"
        if new in names or len(new) > BUILDING_NAME:
            plan.blockers.append(
                lazy("Both have a building “%(name)s”. Rename one of them first.", name=name)
            )
            continue
        names.add(new)
        plan.renamed_buildings.append((name, new))


def merge(
    session: Session, actor: Actor, source_id: int, target_id: int, reason: str, now: datetime
) -> Region:
    """Take one region into another: children, objects and roles move, the old code leads to the target.

    Of two mergers of the same region at once one wins; the other finds it gone.

    Raises:
        ConflictError: one of them is gone, or something stands in the way (the first sentence).
        DomainError, NotFoundError, ForbiddenError: as for :func:`plan_merge`; the reason is missing.
    """
    why = change_reason(reason)
    lock_tree(session)
    rows = {
        r.id: r
        for r in session.scalars(
            select(Region)
            .where(Region.id.in_((source_id, target_id)))
            .order_by(Region.id)
            .with_for_update()
        )
    }
    if source_id not in rows or target_id not in rows:
        raise ConflictError(
            "merged_meanwhile", lazy("One of the two has been merged in the meantime.")
        )
    source, target = rows[source_id], rows[target_id]
    plan = plan_merge(session, actor, source, target)
    if plan.blockers:
        raise ConflictError("blocked", plan.blockers[0])
    for old, new in plan.renamed_buildings:
        session.execute(
            update(Building)
            .where(Building.community_id == source.id, Building.name == old)
            .values(name=new)
            .execution_options(synchronize_session=False)
        )
    for child, code in plan.children:
        relocate(session, actor, child, parse(code), now, parent=target, reason=why)
    old_code, old_name, old_uscc, key = source.code, source.name, source.uscc, source.key
    belongings.move_all(session, source.id, target.id)
    session.execute(delete(RegionSetting).where(RegionSetting.region_id == source_id))
    session.execute(delete(RegionUpload).where(RegionUpload.community_id == source_id))
    session.execute(
        update(RegionHistory)
        .where(RegionHistory.region_id == source_id)
        .values(region_id=target_id)
        .execution_options(synchronize_session=False)
    )
    session.execute(
        delete(Region).where(Region.id == source_id),
        execution_options={"synchronize_session": False},
    )
    session.expunge(source)
    session.refresh(target)
    note(
        session,
        actor,
        target,
        Change.MERGE,
        now,
        from_code=parse(old_code).text,
        from_name=old_name,
        from_uscc=old_uscc,
        reason=why,
        counts={**plan.objects, "regions": plan.below, "key": key},
    )
    audit.record(
        session,
        actor,
        "region.merge",
        ("region", target.id),
        path=target.path,
        source=old_code,
        counts=plan.objects,
    )
    settings.forget(session)
    return target
