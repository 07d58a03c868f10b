"""Region tree, buildings, units, dwellings (A1, A8).

province → prefecture → county → township → community → grid. ``path`` is the chain of ids with a
slash after each (``/1/4/9/``): a subtree is a prefix.
"""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.core.db import Base


class Level(StrEnum):
    """Levels of the tree, top first."""

    PROVINCE = "province"
    PREFECTURE = "prefecture"
    COUNTY = "county"
    TOWNSHIP = "township"
    COMMUNITY = "community"
    GRID = "grid"


class Region(Base):
    """One node. ``key`` is a community's name in topics; it never changes."""

    __tablename__ = "regions"
    __table_args__ = (Index("ix_regions_path", "path"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("regions.id"), index=True)
    level: Mapped[str] = mapped_column(String(16))
    code: Mapped[str] = mapped_column(String(16), unique=True)
    name: Mapped[str] = mapped_column(String(80))
    path: Mapped[str] = mapped_column(String(120))
    uscc: Mapped[str | None] = mapped_column(String(18), unique=True)
    key: Mapped[str | None] = mapped_column(String(32), unique=True)
    timezone: Mapped[str] = mapped_column(String(40), default="Asia/Shanghai")

    parent: Mapped[Region | None] = relationship(remote_side=[id])


class Building(Base):
    """A building of a community."""

    __tablename__ = "buildings"
    __table_args__ = (UniqueConstraint("community_id", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    community_id: Mapped[int] = mapped_column(ForeignKey("regions.id"), index=True)
    name: Mapped[str] = mapped_column(String(40))
    position: Mapped[int] = mapped_column(default=0)


class Unit(Base):
    """A stair or entrance of a building."""

    __tablename__ = "units"
    __table_args__ = (UniqueConstraint("building_id", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    building_id: Mapped[int] = mapped_column(ForeignKey("buildings.id"), index=True)
    name: Mapped[str] = mapped_column(String(40))
    position: Mapped[int] = mapped_column(default=0)

    building: Mapped[Building] = relationship()


class Dwelling(Base):
    """A flat. ``number`` is what stands on the door."""

    __tablename__ = "dwellings"
    __table_args__ = (
        UniqueConstraint("unit_id", "number"),
        Index("ix_dwellings_number", "community_id", "number"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    community_id: Mapped[int] = mapped_column(ForeignKey("regions.id"), index=True)
    unit_id: Mapped[int] = mapped_column(ForeignKey("units.id"), index=True)
    floor: Mapped[int]
    number: Mapped[str] = mapped_column(String(16))

    unit: Mapped[Unit] = relationship()

    @property
    def label(self) -> str:
        """Building, unit and number, as people write it (``1号楼 2单元 301``)."""
        return f"{self.unit.building.name} {self.unit.name} {self.number}"
