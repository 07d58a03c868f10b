"""Importing the dwellings of a community from CSV or XLSX: checked whole, then written whole.

Importing the same file twice changes nothing. What the file does not name stays as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy.orm import Session

from portal.core.errors import ConflictError, DomainError
from portal.core.i18n import lazy
from portal.core.permissions import Actor
from portal.regions.book import (
    MOST_DWELLINGS,
    Entry,
    Shelf,
    look,
    require_community,
    too_many,
    write,
)
from portal.regions.models import Region
from portal.regions.names import BUILDING_NAME, DOOR_NUMBER, place_name
from portal.regions.sheets import Column, Fault, add_fault, read
from portal.regions.tree import all_children

COLUMNS: Final = (
    Column("building", lazy("Building"), ("楼栋", "楼号", "楼"), required=True),
    Column("unit", lazy("Unit"), ("单元",)),
    Column("floor", lazy("Floor"), ("楼层", "层")),
    Column("number", lazy("Door number"), ("房号", "门牌", "室号"), required=True),
    Column("grid", lazy("Grid"), ("网格", "网格编码")),
)
DEFAULT_UNIT: Final = "1单元"
LOWEST: Final = -9
HIGHEST: Final = 200


@dataclass(slots=True)
class BookPlan:
    """What applying would do; ``shelf`` counts it, ``entries`` are the good lines."""

    encoding: str = ""
    entries: list[Entry] = field(default_factory=list)
    shelf: Shelf = field(default_factory=lambda: Shelf(0, 0, 0, 0, 0))
    faults: list[Fault] = field(default_factory=list)


def plan(session: Session, actor: Actor, community: Region, content: bytes) -> BookPlan:
    """Check a file against the community's book.

    Raises:
        FileError: the file as a whole cannot be read; DomainError: too many lines.
        NotFoundError, ForbiddenError: see :func:`portal.regions.book.require_community`.
    """
    require_community(actor, community)
    table = read(content, COLUMNS)
    if len(table.rows) > MOST_DWELLINGS:
        error = too_many()
        error.field = "file"
        raise error
    made = BookPlan(encoding=table.encoding, faults=table.faults)
    grids = _grids(session, community)
    seen: dict[tuple[str, str, str], int] = {}
    for number, cells in table.rows:
        entry = _entry(number, cells, grids, made.faults)
        if entry is None:
            continue
        first = seen.setdefault(entry.key, number)
        if first != number:
            twice = lazy("This dwelling stands in line %(line)s already.", line=first)
            _fault(made.faults, number, "number", "duplicate", twice, entry.label)
            continue
        made.entries.append(entry)
    made.faults.sort(key=lambda f: f.line)
    made.shelf = look(session, community, made.entries)
    return made


def apply(session: Session, actor: Actor, community: Region, content: bytes) -> BookPlan:
    """Write what the file says, in the caller's transaction.

    Raises:
        ConflictError: the file has faults; others as for :func:`plan`.
    """
    made = plan(session, actor, community, content)
    if made.faults:
        raise ConflictError(
            "import_faults",
            lazy(
                "The file has faults, so nothing was changed. Look at the list and mend the file."
            ),
        )
    made.shelf = write(session, actor, community, made.entries)
    return made


def _grids(session: Session, community: Region) -> dict[str, int]:
    """Grids of the community by code, by suffix and by name."""
    found: dict[str, int] = {}
    for grid in all_children(session, community):
        for name in (grid.code, grid.code[len(community.code) :], grid.name):
            found[name] = grid.id
    return found


def _entry(
    number: int, cells: Mapping[str, str], grids: Mapping[str, int], faults: list[Fault]
) -> Entry | None:
    before = len(faults)
    names: dict[str, str] = {}
    for key, longest in (
        ("building", BUILDING_NAME),
        ("unit", BUILDING_NAME),
        ("number", DOOR_NUMBER),
    ):
        typed = cells.get(key, "") or (DEFAULT_UNIT if key == "unit" else "")
        if not typed:
            continue
        try:
            names[key] = place_name(typed, key, longest)
        except DomainError as error:
            _fault(faults, number, key, error.code, error.message, typed)
    grid_id = None
    if cells.get("grid"):
        grid_id = grids.get(cells["grid"])
        if grid_id is None:
            unknown = lazy("The community has no such grid: give its code or name.")
            _fault(faults, number, "grid", "grid_unknown", unknown, cells["grid"])
    if len(names) < 3:
        return None
    floor = _floor(cells.get("floor", ""), names["number"])
    if floor is None:
        wrong = lazy(
            "The floor is a whole number from -9 to 200; it cannot be read off this door number."
        )
        _fault(faults, number, "floor", "floor", wrong, cells.get("floor", ""))
    if floor is None or len(faults) > before:
        return None
    return Entry(names["building"], names["unit"], floor, names["number"], grid_id)


def _floor(said: str, number: str) -> int | None:
    """The floor as said, else what stands before the last two digits of the door's number."""
    text = said or number[:-2]
    if not text.isascii() or not text.lstrip("-").isdigit():
        return None
    floor = int(text) if len(text) < 5 else HIGHEST + 1
    return floor if LOWEST <= floor <= HIGHEST else None


def _fault(faults: list[Fault], line: int, key: str, code: str, sentence: Any, value: str) -> None:
    title = next(column.title for column in COLUMNS if column.key == key)
    add_fault(faults, Fault(line, title, code, sentence, value))
