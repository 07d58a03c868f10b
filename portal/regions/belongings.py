"""What belongs to a region, whichever room keeps it: found by foreign keys, so that a new table is not forgotten.

A room whose records follow their dwelling by a way of their own, or which must not move, says so in a
module ``moving`` (:mod:`portal.features`):

``blockers(session, community_id, buildings)``
    sentences that say why these records cannot move now; ``buildings`` is ``None`` for all of the community
``follow(session, source_id, target_id)``
    bring along what hangs on dwellings that have moved from one community to the other
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any, Final

from sqlalchemy import Column, Select, Table, UniqueConstraint, delete, func, select, update
from sqlalchemy.orm import Session

from portal.core.db import Base
from portal.core.i18n import lazy
from portal.features import parts
from portal.regions.models import Building, Dwelling, Region, Unit

_OWN: Final = frozenset({"regions", "region_history", "region_settings", "region_uploads"})
_SAME_AT_BOTH: Final = frozenset({"role_grants"})
"""Where a row that both regions have is one too many, and goes."""
_STAYS: Final = frozenset({"passages"})
"""What happened at a gate stays in the log of the community that the gate belonged to, after a split."""

NAMES: Final[dict[str, Any]] = {
    "residents": lazy("Residents"),
    "buildings": lazy("Buildings"),
    "dwellings": lazy("Dwellings"),
    "passes": lazy("Passes"),
    "invitations": lazy("Invitations"),
    "passages": lazy("Passages"),
    "devices": lazy("Devices"),
    "gates": lazy("Gates"),
    "role_grants": lazy("Roles of staff"),
    "api_tokens": lazy("Tokens for machines"),
}
OTHER: Final = lazy("Other records")


def _references(to: Table) -> Iterator[tuple[Table, Column[Any]]]:
    for table in Base.metadata.sorted_tables:
        if table.name in _OWN:
            continue
        for column in table.columns:
            if any(key.column.table is to for key in column.foreign_keys):
                yield table, column


def _regions() -> Table:
    table = Region.__table__
    assert isinstance(table, Table)  # noqa: S101 - narrows the type for mypy
    return table


def counts(session: Session, region_id: int) -> dict[str, int]:
    """How many records of each table belong to a region itself; tables without any are left out."""
    found: dict[str, int] = {}
    for table, column in _references(_regions()):
        number = session.scalar(select(func.count()).select_from(table).where(column == region_id))
        if number:
            found[table.name] = found.get(table.name, 0) + number
    return found


def collisions(session: Session, source_id: int, target_id: int) -> dict[str, int]:
    """Records that cannot move because the target has one that counts as the same, by table.

    Buildings are not among them: they get another name when they move.
    """
    found: dict[str, int] = {}
    for table, column in _references(_regions()):
        if table.name in _SAME_AT_BOTH or table.name == "buildings":
            continue
        for same in _same(table, column, source_id, target_id):
            number = session.scalar(select(func.count()).select_from(same.subquery()))
            if number:
                found[table.name] = found.get(table.name, 0) + number
    return found


def move_all(session: Session, source_id: int, target_id: int) -> None:
    """Give everything of one region to another. The caller has asked :func:`collisions`."""
    for table, column in _references(_regions()):
        if table.name in _SAME_AT_BOTH:
            for same in _same(table, column, source_id, target_id):
                session.execute(delete(table).where(table.c.id.in_(same)))
        session.execute(update(table).where(column == source_id).values({column: target_id}))
    session.expire_all()


def _same(
    table: Table, column: Column[Any], source_id: int, target_id: int
) -> Iterator[Select[Any]]:
    """Ids of the source's rows that a unique rule would let collide with one of the target."""
    rules = [c.columns for c in table.constraints if isinstance(c, UniqueConstraint)]
    rules += [index.columns for index in table.indexes if index.unique]
    key = next(iter(table.primary_key.columns))
    for columns in rules:
        if column.name not in columns:
            continue
        other = table.alias()
        alike = [other.c[c.name] == c for c in columns if c.name != column.name]
        yield (
            select(key)
            .where(column == source_id)
            .where(
                select(other.c[key.name]).where(other.c[column.name] == target_id, *alike).exists()
            )
        )


def move_buildings(
    session: Session, source_id: int, target_id: int, buildings: Collection[int]
) -> dict[str, int]:
    """Give some buildings of one community to another, and what hangs on them and their dwellings.

    Returns:
        Numbers of records by table.
    """
    kept = (
        select(Dwelling.id)
        .join(Unit, Unit.id == Dwelling.unit_id)
        .where(Unit.building_id.in_(buildings))
    )
    moved = {
        "buildings": len(buildings),
        "dwellings": session.scalar(select(func.count()).select_from(kept.subquery())) or 0,
    }
    for table, column in _references(_regions()):
        if table.name in _STAYS or table is Dwelling.__table__:
            continue
        for link in table.columns:
            to = {key.column.table for key in link.foreign_keys}
            if Dwelling.__table__ in to:
                inside = link.in_(kept)
            elif Building.__table__ in to:
                inside = link.in_(buildings)
            else:
                continue
            gone = session.execute(
                update(table)
                .where(column == source_id, inside)
                .values({column: target_id})
                .returning(next(iter(table.primary_key.columns)))
            ).all()
            moved[table.name] = moved.get(table.name, 0) + len(gone)
    session.execute(
        update(Dwelling).where(Dwelling.id.in_(kept)).values(community_id=target_id),
        execution_options={"synchronize_session": False},
    )
    session.execute(
        update(Building)
        .where(Building.id.in_(buildings), Building.community_id == source_id)
        .values(community_id=target_id),
        execution_options={"synchronize_session": False},
    )
    for room in parts("moving"):
        for name, number in room.follow(session, source_id, target_id).items():
            moved[name] = moved.get(name, 0) + number
    session.expire_all()
    return {name: number for name, number in moved.items() if number}


def blockers(
    session: Session, community_id: int, buildings: Collection[int] | None = None
) -> list[Any]:
    """Sentences of all rooms that say why the records of a community cannot move now."""
    return [
        sentence
        for room in parts("moving")
        for sentence in room.blockers(session, community_id, buildings)
    ]


def named(found: dict[str, int]) -> list[tuple[Any, int]]:
    """Numbers of records as people call them; tables that nobody named stand together."""
    rows = [(NAMES[name], number) for name, number in found.items() if name in NAMES]
    other = sum(number for name, number in found.items() if name not in NAMES)
    return [*rows, (OTHER, other)] if other else rows
