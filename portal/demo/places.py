"""Where the demo takes place: a chain of regions that exists nowhere, three buildings, sixty dwellings.

The codes follow the statistical 12-digit layout (province 2, prefecture 2, county 2, township 3,
village 3; grids add two digits) under the province number 99, which is nobody's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy.orm import Session

from portal.core.identifiers.uscc import organisation_with_check, uscc_with_check
from portal.regions.models import Building, Dwelling, Level, Region, Unit

KEY: Final = "linli-demo"
"""The community's name in topics."""
CHAIN: Final = (
    (Level.PROVINCE, "990000000000", "演示省"),
    (Level.PREFECTURE, "990100000000", "示范市"),
    (Level.COUNTY, "990101000000", "样板区"),
    (Level.TOWNSHIP, "990101001000", "演示街道"),
    (Level.COMMUNITY, "990101001001", "邻里示范社区"),
)
GRIDS: Final = (("99010100100101", "第一网格"), ("99010100100102", "第二网格"))
BUILDINGS: Final = 3
UNITS: Final = 2
FLOORS: Final = 5
DOORS_A_FLOOR: Final = 2
USCC: Final = uscc_with_check("55990101" + organisation_with_check("MDEM0001"))
"""A valid code: department 5 (civil affairs), class 5 (residents' committee)."""


@dataclass(frozen=True, slots=True)
class Places:
    """What was made. ``regions`` by level without the grids; dwellings in the order of their doors."""

    regions: dict[Level, Region]
    buildings: list[Building]
    dwellings: list[Dwelling]

    @property
    def community(self) -> Region:
        """The demo community."""
        return self.regions[Level.COMMUNITY]


def make_places(session: Session) -> Places:
    """Write the regions, buildings, units and dwellings."""
    regions: dict[Level, Region] = {}
    parent: Region | None = None
    for level, code, name in CHAIN:
        parent = _region(session, level, code, name, parent)
        regions[level] = parent
    community = regions[Level.COMMUNITY]
    for code, name in GRIDS:
        _region(session, Level.GRID, code, name, community)
    buildings = [
        Building(community_id=community.id, name=f"{n}号楼", position=n)
        for n in range(1, BUILDINGS + 1)
    ]
    session.add_all(buildings)
    session.flush()
    units = [
        Unit(building_id=building.id, name=f"{n}单元", position=n)
        for building in buildings
        for n in range(1, UNITS + 1)
    ]
    session.add_all(units)
    session.flush()
    dwellings = [
        Dwelling(
            community_id=community.id, unit_id=unit.id, floor=floor, number=f"{floor}{door:02}"
        )
        for unit in units
        for floor in range(1, FLOORS + 1)
        for door in range(1, DOORS_A_FLOOR + 1)
    ]
    session.add_all(dwellings)
    session.flush()
    return Places(regions, buildings, dwellings)


def _region(session: Session, level: Level, code: str, name: str, parent: Region | None) -> Region:
    community = level is Level.COMMUNITY
    region = Region(
        parent_id=parent.id if parent else None,
        level=level,
        code=code,
        name=name,
        path="",
        uscc=USCC if community else None,
        key=KEY if community else None,
    )
    session.add(region)
    session.flush()
    region.path = f"{parent.path if parent else '/'}{region.id}/"
    return region
