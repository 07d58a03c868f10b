"""Reading the tree: roots, children, ancestors, search, history; old codes lead to what they became."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session, aliased

from portal.core.errors import ConflictError, DomainError
from portal.core.i18n import lazy
from portal.core.paging import Page
from portal.core.permissions import SYSTEM, Actor, Permission, found, require
from portal.regions.codes import parse, variants
from portal.regions.directory import within
from portal.regions.models import Change, Level, Region, RegionHistory

CHILDREN: Final = 100
"""Regions in one list."""
HITS: Final = 30
SHORTEST: Final = 2
"""Characters that a search takes."""
LONGEST: Final = 40
_STEPS: Final = 20
"""Changes that an old code is followed through."""

LEVEL_NAMES: Final[dict[str, Any]] = {
    Level.PROVINCE: lazy("Province"),
    Level.PREFECTURE: lazy("Prefecture"),
    Level.COUNTY: lazy("County"),
    Level.TOWNSHIP: lazy("Township or street"),
    Level.COMMUNITY: lazy("Community"),
    Level.GRID: lazy("Grid"),
}
CHANGE_NAMES: Final[dict[str, Any]] = {
    Change.RENAME: lazy("Renamed"),
    Change.MERGE: lazy("Took in"),
    Change.SPLIT: lazy("Split off"),
    Change.MOVE: lazy("Moved or renumbered"),
    Change.USCC: lazy("Credit code changed"),
}


@dataclass(frozen=True, slots=True)
class Node:
    """A region in a list, and whether there is anything below it."""

    region: Region
    has_children: bool


def _nodes(session: Session, *conditions: Any, limit: int, offset: int = 0) -> list[Node]:
    child = aliased(Region)
    below = select(child.id).where(child.parent_id == Region.id).exists()
    statement = (
        select(Region, below).where(*conditions).order_by(Region.code).limit(limit).offset(offset)
    )
    return [Node(region, bool(more)) for region, more in session.execute(statement)]


def roots(session: Session, actor: Actor, permission: Permission) -> list[Node]:
    """The tops of what the actor may see; for the system those of the tree."""
    if actor is SYSTEM:
        return _nodes(session, Region.parent_id.is_(None), limit=CHILDREN)
    paths = _outermost(actor.paths(permission))
    return _nodes(session, Region.path.in_(paths), limit=CHILDREN) if paths else []


def _outermost(paths: Iterable[str]) -> list[str]:
    kept: list[str] = []
    for path in sorted(set(paths), key=len):
        if not any(path.startswith(known) for known in kept):
            kept.append(path)
    return kept


def children(session: Session, region: Region, number: int = 1, size: int = CHILDREN) -> Page[Node]:
    """One page of what lies right below, by code."""
    rows = _nodes(
        session, Region.parent_id == region.id, limit=size + 1, offset=(number - 1) * size
    )
    return Page(items=rows[:size], number=number, size=size, has_next=len(rows) > size)


def ancestors(session: Session, region: Region) -> list[Region]:
    """The regions above, top first."""
    ids = [int(part) for part in region.path.strip("/").split("/")[:-1]]
    rows = {r.id: r for r in session.scalars(select(Region).where(Region.id.in_(ids)))}
    return [rows[i] for i in ids if i in rows]


def find(session: Session, code: str) -> Region | None:
    """The region of this code, or the one that a former code has become."""
    tried = variants(code)
    for _ in range(_STEPS):
        region = session.scalars(select(Region).where(Region.code.in_(tried)).limit(1)).first()
        if region is not None:
            return region
        former = former_code(session, tried)
        if former is None:
            return None
        if former.to_code in tried:
            return session.get(Region, former.region_id)
        tried = variants(former.to_code)
    return None


def former_code(session: Session, codes: Sequence[str]) -> RegionHistory | None:
    """The last change that took one of these codes away."""
    return session.scalars(
        select(RegionHistory)
        .where(
            RegionHistory.from_code.in_(codes),
            RegionHistory.change.in_((Change.MERGE, Change.MOVE)),
        )
        .order_by(RegionHistory.id.desc())
        .limit(1)
    ).first()


def load(session: Session, actor: Actor, permission: Permission, code: str) -> Region:
    """The region of a code, present or former.

    Raises:
        NotFoundError, ForbiddenError: see :func:`portal.core.permissions.require`.
    """
    region = found(find(session, code))
    if actor is not SYSTEM:
        require(actor, permission, region.path)
    return region


def load_present(session: Session, actor: Actor, permission: Permission, code: str) -> Region:
    """The region that has this code now: for acts, which must not fall on what a code has become.

    Raises:
        ConflictError: the code was given up.
        NotFoundError, ForbiddenError: see :func:`portal.core.permissions.require`.
    """
    region = load(session, actor, permission, code)
    if region.code not in variants(code):
        raise ConflictError(
            "former_code", lazy("This region has been merged or renumbered. Look for it again.")
        )
    return region


def matching(session: Session, actor: Actor, text: str) -> list[Region]:
    """Regions that the actor may see, by a part of their name or the beginning of their code.

    Names and codes that were given up find what they have become.

    Raises:
        DomainError: the text is too short or too long to look for.
    """
    text = text.strip()
    if not SHORTEST <= len(text) <= LONGEST:
        raise DomainError(
            "search_length", lazy("Enter 2 to 40 characters of a name or code."), field="q"
        )
    allowed = within(actor.paths(Permission.REGION_VIEW))
    hits = session.scalars(
        select(Region)
        .where(
            allowed,
            or_(
                Region.name.contains(text, autoescape=True),
                Region.code.startswith(text, autoescape=True),
            ),
        )
        .order_by(func.length(Region.path), Region.code)
        .limit(HITS)
    ).all()
    if len(hits) >= HITS:
        return list(hits)
    former = session.scalars(
        select(Region)
        .join(RegionHistory, RegionHistory.region_id == Region.id)
        .where(
            allowed,
            or_(
                RegionHistory.from_name.contains(text, autoescape=True),
                RegionHistory.from_code.startswith(text, autoescape=True),
            ),
        )
        .distinct()
        .order_by(Region.code)
        .limit(HITS - len(hits))
    ).all()
    return list(dict.fromkeys([*hits, *former]))


def history(session: Session, region: Region, limit: int = 50) -> Sequence[RegionHistory]:
    """What happened to a region and what it took in, newest first."""
    return session.scalars(
        select(RegionHistory)
        .where(RegionHistory.region_id == region.id)
        .order_by(RegionHistory.id.desc())
        .limit(limit)
    ).all()


def count_below(session: Session, region: Region) -> dict[str, int]:
    """How many regions of each level lie below."""
    rows = session.execute(
        select(Region.level, func.count())
        .where(Region.path.startswith(region.path, autoescape=True), Region.id != region.id)
        .group_by(Region.level)
    )
    return {row[0]: row[1] for row in rows}


def all_children(session: Session, region: Region) -> Sequence[Region]:
    """Everything right below a region, by code: for whoever changes them, not for a page."""
    return session.scalars(
        select(Region).where(Region.parent_id == region.id).order_by(Region.code)
    ).all()


def codes_given_up(session: Session, code: str) -> set[str]:
    """Former codes at and below a code: they lead somewhere and are not given out again."""
    return set(
        session.scalars(
            select(RegionHistory.from_code).where(
                RegionHistory.from_code.startswith(parse(code).significant),
                RegionHistory.change.in_((Change.MERGE, Change.MOVE)),
            )
        )
    )
