"""Whom a notice reaches, always as a query: no row a person is written when a notice is published.

An audience is a region with all below, or some buildings and units of one community, and a relation to
the dwelling or everybody. Reached are approved residents by the dwelling they live in now; who moves in
later finds what is valid then.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, false, func, or_, select
from sqlalchemy.orm import Session

from portal.notices.models import Notice, NoticePlace
from portal.regions.directory import within
from portal.regions.models import Building, Dwelling, Level, Region, Unit
from portal.residents.models import Residency, Resident, ResidentState


@dataclass(frozen=True, slots=True)
class Audience:
    """Whom it is for. No buildings and no units: the whole region. ``relation`` empty: everybody."""

    region_id: int
    buildings: frozenset[int] = frozenset()
    units: frozenset[int] = frozenset()
    relation: str = ""

    @property
    def narrowed(self) -> bool:
        """Whether only some places are meant."""
        return bool(self.buildings or self.units)


@dataclass(frozen=True, slots=True)
class Reach:
    """How many people in how many dwellings."""

    people: int
    households: int


@dataclass(frozen=True, slots=True)
class Home:
    """A dwelling of a resident, as far as notices ask for it. ``regions``: the community and all above."""

    regions: tuple[int, ...]
    building_id: int
    unit_id: int
    relation: str


def of(notice: Notice) -> Audience:
    """The audience of a notice."""
    return Audience(
        notice.region_id,
        frozenset(p.building_id for p in notice.places if p.building_id is not None),
        frozenset(p.unit_id for p in notice.places if p.unit_id is not None),
        notice.relation,
    )


def joined(columns: Iterable[Any], audience: Audience, region: Region) -> Select[Any]:
    """SELECT these columns of Resident ⋈ Residency ⋈ Dwelling ⋈ Unit over the audience."""
    statement = (
        select(*columns)
        .select_from(Residency)
        .join(Resident, Resident.id == Residency.resident_id)
        .join(Dwelling, Dwelling.id == Residency.dwelling_id)
        .join(Unit, Unit.id == Dwelling.unit_id)
        .where(Residency.until.is_(None), Resident.state == ResidentState.APPROVED.value)
    )
    if region.level == Level.COMMUNITY:
        statement = statement.where(Dwelling.community_id == region.id)
    else:
        inside = select(Region.id).where(Region.level == Level.COMMUNITY, within((region.path,)))
        statement = statement.where(Dwelling.community_id.in_(inside))
    if audience.narrowed:
        statement = statement.where(
            or_(Unit.building_id.in_(audience.buildings), Unit.id.in_(audience.units))
        )
    if audience.relation:
        statement = statement.where(Residency.relation == audience.relation)
    return statement


def reach(session: Session, audience: Audience, region: Region) -> Reach:
    """Count people and households now."""
    columns = (func.count(Resident.id.distinct()), func.count(Dwelling.id.distinct()))
    people, households = session.execute(joined(columns, audience, region)).one()
    return Reach(people or 0, households or 0)


def homes(session: Session, resident_id: int) -> list[Home]:
    """Where an approved resident lives now; nothing for whoever is not approved."""
    rows = session.execute(
        select(Region.path, Unit.building_id, Unit.id, Residency.relation)
        .select_from(Residency)
        .join(Resident, Resident.id == Residency.resident_id)
        .join(Dwelling, Dwelling.id == Residency.dwelling_id)
        .join(Unit, Unit.id == Dwelling.unit_id)
        .join(Region, Region.id == Dwelling.community_id)
        .where(
            Residency.resident_id == resident_id,
            Residency.until.is_(None),
            Resident.state == ResidentState.APPROVED.value,
        )
    )
    return [Home(chain(path), building, unit, relation) for path, building, unit, relation in rows]


def chain(path: str) -> tuple[int, ...]:
    """Ids of a region and all above it, from its path."""
    return tuple(int(part) for part in path.strip("/").split("/"))


def addressed(lived_in: Collection[Home]) -> ColumnElement[bool]:
    """SQL: the notice is for somebody who lives in one of these homes."""
    return or_(*(_to(home) for home in lived_in)) if lived_in else false()


def _to(home: Home) -> ColumnElement[bool]:
    here = select(NoticePlace.notice_id).where(
        or_(NoticePlace.building_id == home.building_id, NoticePlace.unit_id == home.unit_id)
    )
    return and_(
        Notice.region_id.in_(home.regions),
        Notice.relation.in_(("", home.relation)),
        or_(Notice.narrowed.is_(False), Notice.id.in_(here)),
    )


def places_of(session: Session, region: Region) -> list[tuple[Building, list[Unit]]]:
    """Buildings of a community with their units, in their order; nothing for regions above."""
    if region.level != Level.COMMUNITY:
        return []
    rows = session.execute(
        select(Building, Unit)
        .outerjoin(Unit, Unit.building_id == Building.id)
        .where(Building.community_id == region.id)
        .order_by(Building.position, Building.name, Unit.position, Unit.name)
    )
    found: dict[int, tuple[Building, list[Unit]]] = {}
    for building, unit in rows:
        entry = found.setdefault(building.id, (building, []))
        if unit is not None:
            entry[1].append(unit)
    return list(found.values())
