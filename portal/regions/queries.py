"""Finding a community by its code, and its buildings, units and dwellings."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload

from portal.core.permissions import Actor, Permission, found, require
from portal.regions.models import Building, Dwelling, Level, Region, RegionHistory, Unit


def community_by_uscc(session: Session, uscc: str) -> Region | None:
    """The community with this unified social credit code, or the one that it led to before.

    Posters hang for years: a code that was corrected, or whose community was merged, still opens
    registration where the people now belong.
    """
    community = session.scalars(
        select(Region).where(Region.uscc == uscc, Region.level == Level.COMMUNITY)
    ).one_or_none()
    if community is not None:
        return community
    return session.scalars(
        select(Region)
        .join(RegionHistory, RegionHistory.region_id == Region.id)
        .where(RegionHistory.from_uscc == uscc, Region.level == Level.COMMUNITY)
        .order_by(RegionHistory.id.desc())
        .limit(1)
    ).first()


def load_community(
    session: Session, actor: Actor, permission: Permission, community_id: int
) -> Region:
    """One community, for somebody who holds the permission there.

    Raises:
        NotFoundError: it is not there or not the actor's; ForbiddenError: the role is too weak.
    """
    community = found(
        session.scalars(
            select(Region).where(Region.id == community_id, Region.level == Level.COMMUNITY)
        ).one_or_none()
    )
    require(actor, permission, community.path)
    return community


def buildings(session: Session, community_id: int) -> Sequence[Building]:
    """Buildings of a community, in their order."""
    return session.scalars(
        select(Building)
        .where(Building.community_id == community_id)
        .order_by(Building.position, Building.name)
    ).all()


def units(session: Session, community_id: int, building_id: int) -> Sequence[Unit]:
    """Units of a building of this community."""
    return session.scalars(
        select(Unit)
        .join(Building)
        .where(Building.community_id == community_id, Unit.building_id == building_id)
        .order_by(Unit.position, Unit.name)
    ).all()


def dwellings(session: Session, community_id: int, unit_id: int) -> Sequence[Dwelling]:
    """Dwellings of a unit of this community, as one climbs the stairs."""
    return session.scalars(
        select(Dwelling)
        .where(Dwelling.community_id == community_id, Dwelling.unit_id == unit_id)
        .order_by(Dwelling.floor, func.length(Dwelling.number), Dwelling.number)
    ).all()


def dwelling(session: Session, community_id: int, dwelling_id: int) -> Dwelling | None:
    """One dwelling if it belongs to the community, with unit and building."""
    return session.scalars(
        select(Dwelling)
        .where(Dwelling.community_id == community_id, Dwelling.id == dwelling_id)
        .options(joinedload(Dwelling.unit).joinedload(Unit.building))
    ).one_or_none()


def load_dwelling(session: Session, actor: Actor, dwelling_id: int) -> tuple[Dwelling, Region]:
    """One dwelling with unit, building and community, for staff of the place.

    Raises:
        NotFoundError: it is not there or not the actor's.
    """
    row = found(
        session.get(
            Dwelling,
            dwelling_id,
            options=[joinedload(Dwelling.unit).joinedload(Unit.building)],
        )
    )
    return row, load_community(session, actor, Permission.REGION_VIEW, row.community_id)


def load_building(session: Session, actor: Actor, building_id: int) -> tuple[Building, Region]:
    """One building with its community, for staff of the place.

    Raises:
        NotFoundError: it is not there or not the actor's.
    """
    row = found(session.get(Building, building_id))
    return row, load_community(session, actor, Permission.REGION_VIEW, row.community_id)
