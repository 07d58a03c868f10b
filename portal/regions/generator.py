"""Making the dwellings of buildings that look alike: patterns instead of typing.

Patterns hold places for numbers: ``{n}`` in names of buildings and units; ``{floor}`` and ``{door}`` in
door numbers, ``{floor:2}`` and ``{door:2}`` with two digits at least (``{floor}{door:2}`` gives 301).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

from portal.core.errors import DomainError
from portal.core.i18n import lazy
from portal.regions.book import MOST_DWELLINGS, Entry, too_many
from portal.regions.names import BUILDING_NAME, DOOR_NUMBER, place_name

_PLACE: Final = re.compile(r"\{(n|floor|door)(?::([2-4]))?\}")
MOST_BUILDINGS: Final = 500
MOST_UNITS: Final = 30
MOST_FLOORS: Final = 80
MOST_DOORS: Final = 60


@dataclass(frozen=True, slots=True)
class Pattern:
    """What to make: buildings ``first`` to ``last``, each with the same units, floors and doors."""

    building: str = "{n}号楼"
    first: int = 1
    last: int = 1
    unit: str = "{n}单元"
    units: int = 1
    floors: int = 6
    doors: int = 2
    number: str = "{floor}{door:2}"


def faults(pattern: Pattern) -> list[DomainError]:
    """What is wrong with a pattern, each with its field; empty when good."""
    wrong = [
        *_bounds("first", pattern.first, 1, 9999),
        *_bounds("last", pattern.last, pattern.first, pattern.first + MOST_BUILDINGS - 1),
        *_bounds("units", pattern.units, 1, MOST_UNITS),
        *_bounds("floors", pattern.floors, 1, MOST_FLOORS),
        *_bounds("doors", pattern.doors, 1, MOST_DOORS),
        *_places("building", pattern.building, ("n",), several=pattern.last > pattern.first),
        *_places("unit", pattern.unit, ("n",), several=pattern.units > 1),
    ]
    needed = tuple(
        name for name, most in (("floor", pattern.floors), ("door", pattern.doors)) if most > 1
    )
    wrong += _places("number", pattern.number, ("floor", "door"), needed=needed)
    if not wrong:
        buildings = pattern.last - pattern.first + 1
        if buildings * pattern.units * pattern.floors * pattern.doors > MOST_DWELLINGS:
            wrong.append(too_many())
    if not wrong:
        wrong += _alike(pattern)
    return wrong


def _bounds(field: str, value: int, least: int, most: int) -> list[DomainError]:
    if least <= value <= most:
        return []
    sentence = lazy("Enter a whole number from %(least)s to %(most)s.", least=least, most=most)
    return [DomainError("number", sentence, field=field)]


def _places(
    field: str,
    text: str,
    allowed: tuple[str, ...],
    *,
    several: bool = False,
    needed: tuple[str, ...] = (),
) -> list[DomainError]:
    """The pattern's form: only known places, all that are needed, a good name in the end."""
    names = [found[1] for found in _PLACE.finditer(text)]
    if set(names) - set(allowed) or "{" in _PLACE.sub("", text) or "}" in _PLACE.sub("", text):
        shown = ", ".join(f"{{{name}}}" for name in allowed)
        sentence: Any = lazy("The pattern may hold %(places)s and plain text.", places=shown)
        return [DomainError("pattern", sentence, field=field)]
    for name in ("n",) if several else needed:
        if name not in names:
            missing = lazy(
                "The pattern needs %(place)s, or all would be called the same.", place=f"{{{name}}}"
            )
            return [DomainError("pattern_place", missing, field=field)]
    longest = DOOR_NUMBER if field == "number" else BUILDING_NAME
    try:
        place_name(
            _filled(text, n=9999 if field == "building" else 30, floor=80, door=60), field, longest
        )
    except DomainError as error:
        return [error]
    return []


def _alike(pattern: Pattern) -> list[DomainError]:
    """Floor 1 door 11 and floor 11 door 1 must not both be 111."""
    seen = set()
    for floor in range(1, pattern.floors + 1):
        for door in range(1, pattern.doors + 1):
            number = _filled(pattern.number, floor=floor, door=door)
            if number in seen:
                sentence = lazy(
                    "Two doors of a unit would both be %(number)s. Give the door two digits: {door:2}.",
                    number=number,
                )
                return [DomainError("number_alike", sentence, field="number")]
            seen.add(number)
    return []


def _filled(text: str, **values: int) -> str:
    return _PLACE.sub(lambda found: f"{values.get(found[1], 0):0{found[2] or 1}}", text)


def entries(pattern: Pattern) -> list[Entry]:
    """The dwellings, building by building.

    Raises:
        DomainError: the first of :func:`faults`.
    """
    for fault in faults(pattern):
        raise fault
    return [
        Entry(
            building=place_name(_filled(pattern.building, n=building), "building"),
            unit=place_name(_filled(pattern.unit, n=unit), "unit"),
            floor=floor,
            number=place_name(_filled(pattern.number, floor=floor, door=door), "number"),
        )
        for building in range(pattern.first, pattern.last + 1)
        for unit in range(1, pattern.units + 1)
        for floor in range(1, pattern.floors + 1)
        for door in range(1, pattern.doors + 1)
    ]
