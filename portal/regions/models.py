"""Region tree, buildings, units, dwellings (A1, A8).

province → prefecture → county → township → community → grid. ``path`` is the chain of ids with a
slash after each (``/1/4/9/``): a subtree is a prefix. ``timezone`` is the value of the setting
``regions.timezone`` that holds there, written out as ``path`` is.

A region that is merged into another is deleted; its code, name and unified social credit code stay
in the history of the one that took it in, so that they still lead there::

    region ──rename──► region        region ──merge──► (history of the target)
    region ──split───► region + a new one at its side
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.core.db import Base, Moment


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
    __table_args__ = (Index("ix_regions_path", "path"), Index("ix_regions_name", "name"))

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
    """A flat. ``number`` is what stands on the door; ``grid_id`` the grid that looks after it."""

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
    grid_id: Mapped[int | None] = mapped_column(ForeignKey("regions.id"), index=True)

    unit: Mapped[Unit] = relationship()

    @property
    def label(self) -> str:
        """Building, unit and number, as people write it (``1号楼 2单元 301``)."""
        return f"{self.unit.building.name} {self.unit.name} {self.number}"


class Change(StrEnum):
    """What happened to a region."""

    RENAME = "rename"
    MERGE = "merge"
    SPLIT = "split"
    MOVE = "move"
    USCC = "uscc"


class RegionHistory(Base):
    """One change, kept with the region that lives on. ``by`` is a user's id; it outlives the account.

    For a merge ``from_*`` is the region that was taken in; for a split ``region_id`` is the new one and
    ``from_*`` where it came from; for a move or renumbering ``from_code`` is the code until then.
    """

    __tablename__ = "region_history"
    __table_args__ = (
        Index("ix_region_history_region", "region_id", "id"),
        Index("ix_region_history_from_code", "from_code"),
        Index("ix_region_history_from_uscc", "from_uscc"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    region_id: Mapped[int] = mapped_column(ForeignKey("regions.id"))
    change: Mapped[str] = mapped_column(String(16))
    from_code: Mapped[str] = mapped_column(String(16))
    to_code: Mapped[str] = mapped_column(String(16))
    from_name: Mapped[str] = mapped_column(String(80))
    to_name: Mapped[str] = mapped_column(String(80))
    from_uscc: Mapped[str | None] = mapped_column(String(18))
    at: Mapped[datetime] = mapped_column(Moment)
    by: Mapped[int | None]
    reason: Mapped[str] = mapped_column(String(200), default="")
    counts: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)


class RegionSetting(Base):
    """A setting made on a region; it holds below as its rule says (:mod:`portal.regions.settings`)."""

    __tablename__ = "region_settings"
    __table_args__ = (UniqueConstraint("region_id", "key"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    region_id: Mapped[int] = mapped_column(ForeignKey("regions.id"))
    key: Mapped[str] = mapped_column(String(64))
    value: Mapped[Any] = mapped_column(JSON)
    set_at: Mapped[datetime] = mapped_column(Moment)
    set_by: Mapped[int | None]


class RegionUpload(Base):
    """A file that was read and waits for "apply"; ``token`` is random and stands in its address.

    ::

        read ──apply (once)──► applied          a day later the row is gone either way
    """

    __tablename__ = "region_uploads"

    token: Mapped[str] = mapped_column(String(43), primary_key=True)
    kind: Mapped[str] = mapped_column(String(16))
    community_id: Mapped[int | None] = mapped_column(ForeignKey("regions.id"))
    user_id: Mapped[int]
    content: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(Moment, index=True)
    applied_at: Mapped[datetime | None] = mapped_column(Moment)
    result: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
