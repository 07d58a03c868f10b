"""Finding communities an actor may see."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import ColumnElement, false, func, or_, select
from sqlalchemy.orm import Session

from portal.core.permissions import Actor, Permission, found, require
from portal.regions.models import Building, Dwelling, Level, Region


def within(paths: Iterable[str], column: Any = Region.path) -> ColumnElement[bool]:
    """SQL: the region's path lies in one of these subtrees; nothing when there are none."""
    rules = [column.startswith(path, autoescape=True) for path in paths]
    return or_(*rules) if rules else false()


def communities(session: Session, actor: Actor, permission: Permission) -> list[Region]:
    """Communities where the actor holds the permission, by code."""
    return list(
        session.scalars(
            select(Region)
            .where(Region.level == Level.COMMUNITY, within(actor.paths(permission)))
            .order_by(Region.code)
        )
    )


def community_by_key(session: Session, actor: Actor, key: str, permission: Permission) -> Region:
    """A community by its key in topics.

    Raises:
        NotFoundError: there is none, or the actor has nothing to do with it.
        ForbiddenError: the actor's role is too weak.
    """
    region = found(
        session.scalar(select(Region).where(Region.key == key, Region.level == Level.COMMUNITY))
    )
    require(actor, permission, region.path)
    return region


def size(session: Session, community: Region) -> tuple[int, int]:
    """Number of buildings and dwellings."""
    buildings = session.scalar(
        select(func.count()).select_from(Building).where(Building.community_id == community.id)
    )
    dwellings = session.scalar(
        select(func.count()).select_from(Dwelling).where(Dwelling.community_id == community.id)
    )
    return buildings or 0, dwellings or 0
