"""Splitting a region: a new one beside it takes some of its children, and buildings where it is a community.

Dwellings, residents, passes and invitations go with their building. :func:`plan_split` only reads: it is
what the confirmation page shows.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import func, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from portal.core import audit
from portal.core.errors import ConflictError, DomainError
from portal.core.i18n import lazy
from portal.core.permissions import Actor
from portal.regions import belongings, setting_changes, settings
from portal.regions.authority import require_manage
from portal.regions.changes import lock_tree, note, relocate
from portal.regions.codes import SENTENCES, Code, CodeError, below, parse, variants
from portal.regions.models import Building, Change, Dwelling, Level, Region, RegionSetting, Unit
from portal.regions.names import change_reason, region_name
from portal.regions.tree import all_children, codes_given_up


@dataclass(frozen=True, slots=True)
class SplitDraft:
    """What somebody asks for: the new region, and the ids of what goes to it."""

    code: str
    name: str
    reason: str
    children: frozenset[int] = frozenset()
    buildings: frozenset[int] = frozenset()


@dataclass(slots=True)
class SplitPlan:
    """What a split would do. ``children`` come with their new code; ``blockers`` forbid it."""

    region: Region
    code: Code
    name: str
    children: list[tuple[Region, str]] = field(default_factory=list)
    buildings: list[Building] = field(default_factory=list)
    dwellings: int = 0
    blockers: list[Any] = field(default_factory=list)


def plan_split(session: Session, actor: Actor, region: Region, draft: SplitDraft) -> SplitPlan:
    """What a split would move.

    Raises:
        NotFoundError, ForbiddenError: the actor may not change the region.
        DomainError: code, name, reason or choice is at fault, with its field.
    """
    require_manage(actor, region)
    if region.level == Level.GRID:
        raise DomainError(
            "grid", lazy("A grid is not split: give its dwellings to another grid."), field="code"
        )
    name = region_name(draft.name)
    change_reason(draft.reason)
    plan = SplitPlan(region, _new_code(session, region, draft.code), name)
    taken: set[str] = set()
    for child in all_children(session, region):
        if child.id not in draft.children:
            continue
        given = below(parse(child.code), plan.code, taken)
        if given is None:
            continue
        taken.add(given)
        plan.children.append((child, given))
    if region.level == Level.COMMUNITY and draft.buildings:
        _plan_buildings(session, plan, draft.buildings)
    if not plan.children and not plan.buildings:
        raise DomainError(
            "nothing_chosen", lazy("Choose what goes to the new region."), field="members"
        )
    return plan


def _plan_buildings(session: Session, plan: SplitPlan, chosen: frozenset[int]) -> None:
    plan.buildings = list(
        session.scalars(
            select(Building)
            .where(Building.community_id == plan.region.id, Building.id.in_(chosen))
            .order_by(Building.position, Building.name)
        )
    )
    ids = [building.id for building in plan.buildings]
    plan.dwellings = (
        session.scalar(
            select(func.count())
            .select_from(Dwelling)
            .join(Unit, Unit.id == Dwelling.unit_id)
            .where(Unit.building_id.in_(ids))
        )
        or 0
    )
    plan.blockers += belongings.blockers(session, plan.region.id, ids)


def _new_code(session: Session, region: Region, typed: str) -> Code:
    try:
        code = parse(typed)
    except CodeError as error:
        raise DomainError(f"code_{error.fault}", SENTENCES[error.fault], field="code") from None
    old = parse(region.code)
    if code.level is not old.level or code.parent != old.parent:
        raise DomainError(
            "code_elsewhere",
            lazy("The new code must be of the same level and lie under the same region."),
            field="code",
        )
    used = session.scalar(
        select(Region.id).where(
            or_(
                Region.code.in_(variants(code.text)),
                Region.code.startswith(code.significant),
            )
        )
    )
    if used is not None or codes_given_up(session, code.text):
        raise DomainError(
            "code_used", lazy("This code is or was used. Choose a free one."), field="code"
        )
    return code


def split(
    session: Session, actor: Actor, region_id: int, draft: SplitDraft, now: datetime
) -> Region:
    """Make the new region and move what was chosen to it.

    It has the settings of the region that it came from. A new community has a name in topics of its own
    and no credit code yet; until it has one, its passes cannot be shown. Roles stay where they were given.

    Raises:
        ConflictError: the region is gone, the code was taken meanwhile, or something stands in the way.
        DomainError, NotFoundError, ForbiddenError: as for :func:`plan_split`.
    """
    lock_tree(session)
    region = session.scalars(
        select(Region).where(Region.id == region_id).with_for_update()
    ).one_or_none()
    if region is None:
        raise ConflictError("merged_meanwhile", lazy("The region has been merged in the meantime."))
    plan = plan_split(session, actor, region, draft)
    if plan.blockers:
        raise ConflictError("blocked", plan.blockers[0])
    made = _make(session, region, plan)
    for own in session.scalars(select(RegionSetting).where(RegionSetting.region_id == region.id)):
        session.add(
            RegionSetting(
                region_id=made.id, key=own.key, value=own.value, set_at=now, set_by=actor.user_id
            )
        )
    for child, code in plan.children:
        relocate(
            session, actor, child, parse(code), now, parent=made, reason=change_reason(draft.reason)
        )
    counts = {"regions": len(plan.children)}
    if plan.buildings:
        ids = [building.id for building in plan.buildings]
        counts |= belongings.move_buildings(session, region.id, made.id, ids)
    if region.level == Level.COMMUNITY:
        _part_from_grids(session, region.id, made.id)
    note(
        session,
        actor,
        made,
        Change.SPLIT,
        now,
        from_code=parse(region.code).text,
        from_name=region.name,
        reason=change_reason(draft.reason),
        counts=counts,
    )
    audit.record(
        session,
        actor,
        "region.split",
        ("region", made.id),
        path=made.path,
        source=region.code,
        counts=counts,
    )
    settings.forget(session)
    setting_changes.write_zones(session, made)
    return made


def _make(session: Session, region: Region, plan: SplitPlan) -> Region:
    made = Region(
        parent_id=region.parent_id,
        level=region.level,
        code=plan.code.text,
        name=plan.name,
        path="",
        key=f"c{plan.code.text}" if region.level == Level.COMMUNITY else None,
        timezone=region.timezone,
    )
    session.add(made)
    try:
        session.flush()
    except IntegrityError:
        raise ConflictError(
            "code_used", lazy("This code is or was used. Choose a free one.")
        ) from None
    made.path = region.path[: -len(f"{region.id}/")] + f"{made.id}/"
    session.flush()
    return made


def _part_from_grids(session: Session, *communities: int) -> None:
    """Dwellings whose grid is in the other community now have none."""
    for community_id in communities:
        own = select(Region.id).where(Region.parent_id == community_id)
        session.execute(
            update(Dwelling)
            .where(
                Dwelling.community_id == community_id,
                Dwelling.grid_id.is_not(None),
                Dwelling.grid_id.not_in(own),
            )
            .values(grid_id=None)
            .execution_options(synchronize_session=False)
        )
