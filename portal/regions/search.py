"""Finding dwellings and buildings by their label: ``1号楼2单元301``, ``1-2-301``, ``301``, ``1号楼``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from flask import url_for
from sqlalchemy import Select, select
from sqlalchemy.orm import Session, joinedload

from portal.core.i18n import lazy
from portal.core.permissions import Actor, Permission
from portal.core.search import MOST, Door, Hit, Query
from portal.regions.directory import within
from portal.regions.models import Building, Dwelling, Region, Unit

_BUILDINGS: Final = ("{}号楼", "{}栋", "{}幢", "{}座", "{}号", "{}#", "{}#楼", "{}楼", "{}")
_UNITS: Final = ("{}单元", "{}门", "{}")


def find(session: Session, actor: Actor, query: Query) -> list[Hit]:
    """Dwellings with such a label, or the building; labels are no personal data."""
    if query.door is None or not actor.paths(Permission.REGION_VIEW):
        return []
    if query.door.number is None:
        return _buildings(session, actor, query.door)
    rows = session.scalars(dwellings_like(actor, query.door).limit(MOST)).all()
    names = _community_names(session, {row.community_id for row in rows})
    return [
        _dwelling_hit(row, names[row.community_id], exact=query.door.building is not None)
        for row in _in_order(rows)
    ]


def dwellings_like(actor: Actor, door: Door) -> Select[Any]:
    """Dwellings whose label says this. Communities come first: all indexes here begin with them."""
    statement = (
        select(Dwelling)
        .options(joinedload(Dwelling.unit).joinedload(Unit.building))
        .where(Dwelling.community_id.in_(_communities(actor)), Dwelling.number == door.number)
    )
    if door.building is None:
        return statement
    stairs = select(Unit.id).join(Building).where(*_named(actor, door))
    return statement.where(Dwelling.unit_id.in_(stairs))


def _communities(actor: Actor) -> Select[Any]:
    return select(Region.id).where(
        within(actor.paths(Permission.REGION_VIEW)), Region.key.is_not(None)
    )


def _named(actor: Actor, door: Door) -> list[Any]:
    rules: list[Any] = [
        Building.community_id.in_(_communities(actor)),
        Building.name.in_([form.format(door.building) for form in _BUILDINGS]),
    ]
    if door.unit is not None:
        rules.append(Unit.name.in_([form.format(door.unit) for form in _UNITS]))
    return rules


def _buildings(session: Session, actor: Actor, door: Door) -> list[Hit]:
    rules = _named(actor, Door(door.building))
    rows = session.execute(
        select(Building, Region.name)
        .join(Region, Region.id == Building.community_id)
        .where(*rules)
        .order_by(Building.community_id, Building.position)
        .limit(MOST)
    ).all()
    return [
        Hit(
            kind=lazy("Buildings"),
            title=building.name,
            about=community,
            href=url_for("dwellings.building", building_id=building.id),
            icon="building",
            exact=True,
        )
        for building, community in rows
    ]


def _in_order(rows: Sequence[Dwelling]) -> list[Dwelling]:
    return sorted(
        rows,
        key=lambda row: (row.community_id, row.unit.building.position, row.unit.position, row.id),
    )


def _community_names(session: Session, ids: set[int]) -> dict[int, str]:
    rows = session.execute(select(Region.id, Region.name).where(Region.id.in_(ids)))
    return {row.id: row.name for row in rows}


def _dwelling_hit(row: Dwelling, community: str, *, exact: bool) -> Hit:
    return Hit(
        kind=lazy("Dwellings"),
        title=row.label,
        about=community,
        href=url_for("dwellings.dwelling", dwelling_id=row.id),
        icon="home",
        exact=exact,
    )
