"""Codes of regions: 12 digits by level, grids with a local suffix.

Layout (GB/T 2260 and the statistical codes built on it)::

    province 2 · prefecture 2 · county 2 · township 3 · community 3 [· grid 2 to 4]

Township part: 001–099 street, 100–199 town, 200–399 township, 400–599 similar. Community part:
001–199 residents' committee, 200–399 villagers' committee; the statistical office also publishes
400–599 for what is run like a committee (farms, development zones). Parts that do not apply are
zeros. A prefecture without counties has its townships right below it: their county part is 00.

Pure functions, no I/O.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from portal.core.i18n import lazy
from portal.core.identifiers.typed_text import compact
from portal.regions.models import Level

LENGTH: Final = 12
LONGEST_SUFFIX: Final = 4
SIGNIFICANT: Final = {
    Level.PROVINCE: 2,
    Level.PREFECTURE: 4,
    Level.COUNTY: 6,
    Level.TOWNSHIP: 9,
    Level.COMMUNITY: 12,
}
"""Digits that say which region it is, by level; the rest are zeros."""
DEPTH: Final = {level: depth for depth, level in enumerate(Level)}


class Kind(StrEnum):
    """What a township or community is, read off its number."""

    STREET = "street"
    TOWN = "town"
    TOWNSHIP = "township"
    SIMILAR = "similar"
    RESIDENTS = "residents"
    VILLAGERS = "villagers"


TOWNSHIP_BANDS: Final = (
    (1, 99, Kind.STREET),
    (100, 199, Kind.TOWN),
    (200, 399, Kind.TOWNSHIP),
    (400, 599, Kind.SIMILAR),
)
COMMUNITY_BANDS: Final = (
    (1, 199, Kind.RESIDENTS),
    (200, 399, Kind.VILLAGERS),
    (400, 599, Kind.SIMILAR),
)


class CodeFault(StrEnum):
    """Why something is no code."""

    EMPTY = "empty"
    DIGITS = "digits"
    LENGTH = "length"
    PROVINCE = "province"
    GAP = "gap"
    TOWNSHIP = "township"
    COMMUNITY = "community"
    GRID = "grid"


SENTENCES: Final[dict[CodeFault, Any]] = {
    CodeFault.EMPTY: lazy("Enter the code of the region."),
    CodeFault.DIGITS: lazy(
        "A code has digits only. Spreadsheets turn long numbers into 1.1E+11: format the column as text."
    ),
    CodeFault.LENGTH: lazy(
        "A code has 12 digits, 2, 4, 6 or 9 for short; a grid has 2 to 4 digits more."
    ),
    CodeFault.PROVINCE: lazy("The first two digits name the province, 10 to 99."),
    CodeFault.GAP: lazy("The code leaves out a level: a part of zeros stands before other digits."),
    CodeFault.TOWNSHIP: lazy(
        "Digits 7 to 9 must lie in 001–099 (street), 100–199 (town), 200–399 (township) or 400–599 (similar)."
    ),
    CodeFault.COMMUNITY: lazy(
        "Digits 10 to 12 must lie in 001–199 (residents' committee), 200–399 (villagers' committee) or 400–599 (similar)."
    ),
    CodeFault.GRID: lazy(
        "A grid has the 12 digits of its community and a number that is not zero."
    ),
}


class CodeError(ValueError):
    """Something is no code of a region; ``fault`` says why."""

    def __init__(self, fault: CodeFault) -> None:
        super().__init__(fault.value)
        self.fault = fault


@dataclass(frozen=True, slots=True)
class Code:
    """A code that holds. ``text`` has 12 digits, a grid's 14 to 16; ``parent`` is ``None`` for a province."""

    text: str
    level: Level
    parent: str | None
    kind: Kind | None = None

    @property
    def significant(self) -> str:
        """The digits that every code below begins with."""
        return self.text[: SIGNIFICANT.get(self.level, len(self.text))]

    @property
    def number(self) -> int:
        """The region's own number within its parent."""
        return int(self.significant[len(self._prefix) :])

    @property
    def _prefix(self) -> str:
        if self.parent is None:
            return ""
        if self.level is Level.GRID:
            return self.parent
        width = 3 if self.level in (Level.TOWNSHIP, Level.COMMUNITY) else 2
        return self.significant[:-width]


def parse(typed: str | None) -> Code:
    """Read what somebody typed; short forms get their zeros.

    Raises:
        CodeError: it is no code.
    """
    text = compact(typed)
    if not text:
        raise CodeError(CodeFault.EMPTY)
    if not (text.isascii() and text.isdigit()):
        raise CodeError(CodeFault.DIGITS)
    suffix = ""
    if len(text) in SIGNIFICANT.values():
        text = text.ljust(LENGTH, "0")
    elif LENGTH + 2 <= len(text) <= LENGTH + LONGEST_SUFFIX:
        text, suffix = text[:LENGTH], text[LENGTH:]
        if not suffix.strip("0"):
            raise CodeError(CodeFault.GRID)
    else:
        raise CodeError(CodeFault.LENGTH)
    base = _parse_twelve(text)
    if not suffix:
        return base
    if base.level is not Level.COMMUNITY:
        raise CodeError(CodeFault.GRID)
    return Code(text + suffix, Level.GRID, text)


def _parse_twelve(text: str) -> Code:
    province, prefecture, county, township, community = (
        text[:2],
        text[2:4],
        text[4:6],
        text[6:9],
        text[9:],
    )
    if province < "10":
        raise CodeError(CodeFault.PROVINCE)
    if prefecture == "00" and text[4:].strip("0"):
        raise CodeError(CodeFault.GAP)
    if township == "000" and community != "000":
        raise CodeError(CodeFault.GAP)
    kind = None
    if township != "000":
        kind = _kind(township, TOWNSHIP_BANDS, CodeFault.TOWNSHIP)
    if community != "000":
        kind = _kind(community, COMMUNITY_BANDS, CodeFault.COMMUNITY)
        return Code(text, Level.COMMUNITY, text[:9] + "000", kind)
    if township != "000":
        return Code(text, Level.TOWNSHIP, text[:6] + "000000", kind)
    if county != "00":
        return Code(text, Level.COUNTY, text[:4] + "00000000")
    if prefecture != "00":
        return Code(text, Level.PREFECTURE, text[:2] + "0000000000")
    return Code(text, Level.PROVINCE, None)


def _kind(part: str, bands: tuple[tuple[int, int, Kind], ...], fault: CodeFault) -> Kind:
    for first, last, kind in bands:
        if first <= int(part) <= last:
            return kind
    raise CodeError(fault)


def variants(code: str) -> tuple[str, ...]:
    """How a region of this code may be written in the store: in full, or short."""
    try:
        known = parse(code)
    except CodeError:
        return (compact(code),)
    return tuple(dict.fromkeys((known.text, known.significant)))


def below(child: Code, parent: Code, taken: Collection[str]) -> str | None:
    """The code that a region gets below another parent of the same level as its own.

    Its number is kept when it is free there, else the next free one of the same kind stands in.

    Returns:
        ``None`` when every number of the kind is taken.
    """
    prefix = parent.significant
    if child.level is Level.TOWNSHIP:
        prefix = prefix.ljust(SIGNIFICANT[Level.COUNTY], "0")
    width = len(child.significant) - len(child._prefix)
    first, last = _band(child, width)
    for number in (child.number, *range(first, last + 1)):
        text = f"{prefix}{number:0{width}}"
        text = text if child.level is Level.GRID else text.ljust(LENGTH, "0")
        if text not in taken:
            return text
    return None


def _band(code: Code, width: int) -> tuple[int, int]:
    bands = {Level.TOWNSHIP: TOWNSHIP_BANDS, Level.COMMUNITY: COMMUNITY_BANDS}.get(code.level, ())
    for first, last, kind in bands:
        if kind is code.kind:
            return first, last
    return 1, 10**width - 1


def rebased(code: str, old: Code, new: Code) -> str:
    """A code below ``old``, as it reads when ``old`` becomes ``new`` (of the same level)."""
    return new.significant + code[len(old.significant) :]
