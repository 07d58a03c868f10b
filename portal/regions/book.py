"""The book of dwellings: buildings, units and dwellings written so that doing it twice changes nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from portal.core import audit
from portal.core.errors import DomainError
from portal.core.i18n import lazy
from portal.core.paging import Page
from portal.core.permissions import Actor, Permission, require
from portal.regions.models import Building, Dwelling, Level, Region, Unit
from portal.regions.tree import all_children

MOST_DWELLINGS: Final = 20_000
"""Dwellings in one go."""
BUILDINGS: Final = 50
"""Buildings on a page."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One dwelling as it shall stand in the book. ``grid_id`` of ``None`` leaves the grid as it is."""

    building: str
    unit: str
    floor: int
    number: str
    grid_id: int | None = None

    @property
    def key(self) -> tuple[str, str, str]:
        """What no two dwellings of a community have in common."""
        return self.building, self.unit, self.number

    @property
    def label(self) -> str:
        """As people write it."""
        return f"{self.building} {self.unit} {self.number}"


@dataclass(frozen=True, slots=True)
class Shelf:
    """What entries would change: numbers of new things, of dwellings that are there, of new grids."""

    buildings: int
    units: int
    dwellings: int
    existing: int
    regridded: int

    def counts(self) -> dict[str, Any]:
        """In numbers, for the audit and for machines."""
        return {
            "buildings": self.buildings,
            "units": self.units,
            "dwellings": self.dwellings,
            "existing": self.existing,
            "regridded": self.regridded,
        }


def require_community(actor: Actor, community: Region) -> None:
    """Let through who may write in the book of this community.

    Raises:
        NotFoundError, ForbiddenError: see :func:`portal.core.permissions.require`.
        DomainError: it is no community.
    """
    require(actor, Permission.DWELLING_MANAGE, community.path)
    if community.level != Level.COMMUNITY:
        raise DomainError("no_community", lazy("Only communities have buildings."))


class _Book:
    """What stands in the book of a community, by name."""

    def __init__(self, session: Session, community: Region) -> None:
        self.buildings = {
            b.name: b
            for b in session.scalars(select(Building).where(Building.community_id == community.id))
        }
        self.units: dict[tuple[str, str], int] = {}
        for unit_id, building, unit in session.execute(
            select(Unit.id, Building.name, Unit.name)
            .join(Building)
            .where(Building.community_id == community.id)
        ):
            self.units[building, unit] = unit_id
        self.dwellings: dict[tuple[str, str, str], tuple[int, int | None]] = {
            (building, unit, number): (dwelling_id, grid_id)
            for dwelling_id, grid_id, building, unit, number in session.execute(
                select(Dwelling.id, Dwelling.grid_id, Building.name, Unit.name, Dwelling.number)
                .join(Unit, Unit.id == Dwelling.unit_id)
                .join(Building, Building.id == Unit.building_id)
                .where(Building.community_id == community.id)
            )
        }


def look(session: Session, community: Region, entries: Sequence[Entry]) -> Shelf:
    """What writing these entries would change; writes nothing."""
    book = _Book(session, community)
    fresh = {e.key for e in entries if e.key not in book.dwellings}
    return Shelf(
        buildings=len({e.building for e in entries} - set(book.buildings)),
        units=len({(e.building, e.unit) for e in entries} - set(book.units)),
        dwellings=len(fresh),
        existing=len({e.key for e in entries}) - len(fresh),
        regridded=sum(1 for e in entries if _other_grid(book, e)),
    )


def _other_grid(book: _Book, entry: Entry) -> bool:
    known = book.dwellings.get(entry.key)
    return known is not None and entry.grid_id is not None and known[1] != entry.grid_id


def write(session: Session, actor: Actor, community: Region, entries: Sequence[Entry]) -> Shelf:
    """Write entries; what is there stays, with another grid where an entry names one.

    Two who write the same at once queue at the community's row.

    Raises:
        NotFoundError, ForbiddenError, DomainError: see :func:`require_community`; or too many.
    """
    require_community(actor, community)
    if len(entries) > MOST_DWELLINGS:
        raise too_many()
    session.execute(select(Region.id).where(Region.id == community.id).with_for_update()).all()
    shelf = look(session, community, entries)
    book = _Book(session, community)
    position = max((b.position for b in book.buildings.values()), default=0)
    for name in dict.fromkeys(e.building for e in entries):
        if name not in book.buildings:
            position += 1
            book.buildings[name] = Building(community_id=community.id, name=name, position=position)
            session.add(book.buildings[name])
    session.flush()
    _write_units(session, book, entries)
    fresh: dict[tuple[str, str, str], Dwelling] = {}
    for entry in entries:
        if entry.key in book.dwellings or entry.key in fresh:
            continue
        fresh[entry.key] = Dwelling(
            community_id=community.id,
            unit_id=book.units[entry.building, entry.unit],
            floor=entry.floor,
            number=entry.number,
            grid_id=entry.grid_id,
        )
    session.add_all(fresh.values())
    for entry in entries:
        if _other_grid(book, entry):
            session.execute(
                update(Dwelling)
                .where(Dwelling.id == book.dwellings[entry.key][0])
                .values(grid_id=entry.grid_id)
                .execution_options(synchronize_session=False)
            )
    session.flush()
    audit.record(
        session,
        actor,
        "dwelling.write",
        ("region", community.id),
        path=community.path,
        **shelf.counts(),
    )
    return shelf


def _write_units(session: Session, book: _Book, entries: Iterable[Entry]) -> None:
    last = Counter(building for building, _ in book.units)
    made: dict[tuple[str, str], Unit] = {}
    for place in dict.fromkeys((e.building, e.unit) for e in entries):
        if place in book.units:
            continue
        last[place[0]] += 1
        made[place] = Unit(
            building_id=book.buildings[place[0]].id, name=place[1], position=last[place[0]]
        )
    session.add_all(made.values())
    session.flush()
    book.units |= {place: unit.id for place, unit in made.items()}


def too_many() -> DomainError:
    """More dwellings than are written in one go."""
    return DomainError(
        "too_many_dwellings",
        lazy("At most 20,000 dwellings in one go. Choose fewer buildings or floors."),
        field="last",
    )


@dataclass(frozen=True, slots=True)
class BuildingRow:
    """A building in the list, with numbers of what is in it and the names of its grids."""

    building: Building
    units: int
    dwellings: int
    grids: tuple[str, ...]


def buildings_page(session: Session, community: Region, number: int) -> Page[BuildingRow]:
    """One page of a community's buildings, in their order."""
    rows = session.scalars(
        select(Building)
        .where(Building.community_id == community.id)
        .order_by(Building.position, Building.name)
        .limit(BUILDINGS + 1)
        .offset((number - 1) * BUILDINGS)
    ).all()
    ids = [building.id for building in rows[:BUILDINGS]]
    units = _per_building(session, ids, select(Unit.building_id, func.count()), join=False)
    dwellings = _per_building(session, ids, select(Unit.building_id, func.count(Dwelling.id)))
    grids: dict[int, list[str]] = {}
    for building_id, name in session.execute(
        select(Unit.building_id, Region.name)
        .join(Dwelling, Dwelling.unit_id == Unit.id)
        .join(Region, Region.id == Dwelling.grid_id)
        .where(Unit.building_id.in_(ids))
        .distinct()
        .order_by(Region.name)
    ):
        grids.setdefault(building_id, []).append(name)
    items = [
        BuildingRow(b, units.get(b.id, 0), dwellings.get(b.id, 0), tuple(grids.get(b.id, ())))
        for b in rows[:BUILDINGS]
    ]
    return Page(items=items, number=number, size=BUILDINGS, has_next=len(rows) > BUILDINGS)


def _per_building(
    session: Session, ids: Sequence[int], statement: Any, *, join: bool = True
) -> dict[int, int]:
    if join:
        statement = statement.join(Dwelling, Dwelling.unit_id == Unit.id)
    rows = session.execute(statement.where(Unit.building_id.in_(ids)).group_by(Unit.building_id))
    return {row[0]: row[1] for row in rows}


def assign_grid(
    session: Session,
    actor: Actor,
    community: Region,
    buildings: Collection[int],
    grid_code: str,
) -> int:
    """Give all dwellings of some buildings to a grid of the community, or to none (empty code).

    Returns:
        Number of dwellings that changed.

    Raises:
        NotFoundError, ForbiddenError: see :func:`require_community`.
        DomainError: no building chosen, or the grid is not the community's.
    """
    require_community(actor, community)
    if not buildings:
        raise DomainError("nothing_chosen", lazy("Choose one building at least."), field="grid")
    grid = None
    if grid_code:
        grid = next((g for g in all_children(session, community) if g.code == grid_code), None)
        if grid is None:
            raise DomainError(
                "grid_unknown", lazy("Choose a grid of this community."), field="grid"
            )
    wanted = grid.id if grid else None
    units = (
        select(Unit.id)
        .join(Building)
        .where(Building.community_id == community.id, Unit.building_id.in_(buildings))
    )
    changed = session.execute(
        update(Dwelling)
        .where(Dwelling.unit_id.in_(units), Dwelling.grid_id.is_distinct_from(wanted))
        .values(grid_id=wanted)
        .returning(Dwelling.id)
        .execution_options(synchronize_session=False)
    ).all()
    audit.record(
        session,
        actor,
        "dwelling.grid",
        ("region", grid.id if grid else community.id),
        path=community.path,
        dwellings=len(changed),
    )
    return len(changed)
