"""The lines of a file of regions, each judged by itself; against the tree they are held elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from portal.core.errors import DomainError
from portal.core.i18n import lazy
from portal.core.identifiers import check_uscc, sentence
from portal.regions.codes import SENTENCES, Code, CodeError, parse
from portal.regions.models import Level
from portal.regions.names import region_name
from portal.regions.sheets import Column, Fault, add_fault

COLUMNS: Final = (
    Column("code", lazy("Code"), ("代码", "区划代码", "统计用区划代码"), required=True),
    Column("name", lazy("Name of the region"), ("名称", "单位名称"), required=True),
    Column("level", lazy("Level"), ("级别", "层级")),
    Column("parent", lazy("Code of the parent"), ("上级代码",)),
    Column("previous", lazy("Previous code"), ("原代码", "previous code")),
    Column("uscc", lazy("Unified social credit code"), ("统一社会信用代码", "信用代码")),
)
LEVEL_WORDS: Final = {
    "province": Level.PROVINCE,
    "省": Level.PROVINCE,
    "prefecture": Level.PREFECTURE,
    "市": Level.PREFECTURE,
    "地": Level.PREFECTURE,
    "county": Level.COUNTY,
    "县": Level.COUNTY,
    "区": Level.COUNTY,
    "township": Level.TOWNSHIP,
    "street": Level.TOWNSHIP,
    "town": Level.TOWNSHIP,
    "乡": Level.TOWNSHIP,
    "镇": Level.TOWNSHIP,
    "乡镇": Level.TOWNSHIP,
    "街道": Level.TOWNSHIP,
    "community": Level.COMMUNITY,
    "village": Level.COMMUNITY,
    "村": Level.COMMUNITY,
    "社区": Level.COMMUNITY,
    "grid": Level.GRID,
    "网格": Level.GRID,
}


@dataclass(frozen=True, slots=True)
class Line:
    """One good line of the file."""

    number: int
    code: Code
    name: str
    previous: Code | None
    uscc: str | None


def good_lines(rows: Iterable[tuple[int, dict[str, str]]], faults: list[Fault]) -> list[Line]:
    """The lines that are good by themselves; each code counts once. What is wrong goes to ``faults``."""
    lines: list[Line] = []
    seen: dict[str, int] = {}
    for number, cells in rows:
        line = _line(number, cells, faults)
        if line is None:
            continue
        first = seen.setdefault(line.code.text, number)
        if first != number:
            twice = lazy("This code stands in line %(line)s already.", line=first)
            fault(faults, number, "code", "duplicate", twice, line.code.text)
            continue
        lines.append(line)
    return lines


def _line(number: int, cells: Mapping[str, str], faults: list[Fault]) -> Line | None:
    before = len(faults)
    code = _code(number, cells, "code", faults)
    name = ""
    if cells.get("name"):
        try:
            name = region_name(cells["name"])
        except DomainError as error:
            fault(faults, number, "name", error.code, error.message, cells["name"])
    if code is not None:
        _check_level(number, cells.get("level", ""), code, faults)
        _check_parent(number, cells, code, faults)
    previous = _code(number, cells, "previous", faults) if cells.get("previous") else None
    if code and previous and previous.level is not code.level:
        wrong = lazy("The previous code is of another level.")
        fault(faults, number, "previous", "previous_level", wrong, previous.text)
    uscc = _uscc(number, cells.get("uscc", ""), code, faults)
    if code is None or not name or len(faults) > before:
        return None
    return Line(number, code, name, previous, uscc)


def _code(number: int, cells: Mapping[str, str], key: str, faults: list[Fault]) -> Code | None:
    if not cells.get(key):
        return None
    try:
        return parse(cells[key])
    except CodeError as error:
        fault(faults, number, key, f"code_{error.fault}", SENTENCES[error.fault], cells[key])
        return None


def _check_level(number: int, said: str, code: Code, faults: list[Fault]) -> None:
    if not said:
        return
    level = LEVEL_WORDS.get(said.casefold())
    if level is None:
        unknown = lazy("This is no level. Leave the cell empty: the code says it.")
        fault(faults, number, "level", "level_unknown", unknown, said)
    elif level is not code.level:
        wrong = lazy("The code is that of another level than the file says.")
        fault(faults, number, "level", "level_wrong", wrong, said)


def _check_parent(number: int, cells: Mapping[str, str], code: Code, faults: list[Fault]) -> None:
    parent = _code(number, cells, "parent", faults)
    if parent is not None and parent.text != code.parent:
        wrong = lazy("By its code this region lies elsewhere: the parent does not fit.")
        fault(faults, number, "parent", "parent_wrong", wrong, cells["parent"])


def _uscc(number: int, said: str, code: Code | None, faults: list[Fault]) -> str | None:
    if not said:
        return None
    checked = check_uscc(said)
    if not checked.valid:
        fault(faults, number, "uscc", f"uscc_{checked.reason}", sentence(checked), said)
    elif code is not None and code.level is not Level.COMMUNITY:
        only = lazy("Only communities have a unified social credit code here.")
        fault(faults, number, "uscc", "uscc_level", only, said)
    return checked.value


def note_cycles(rows: Iterable[tuple[int, dict[str, str]]], faults: list[Fault]) -> None:
    """Lines whose parents, as the file names them, lead back to themselves."""
    parents = {
        cells["code"]: (number, cells["parent"])
        for number, cells in rows
        if cells.get("code") and cells.get("parent")
    }
    settled: set[str] = set()
    for start in parents:
        trail: dict[str, int] = {}
        at = start
        while at in parents and at not in settled:
            if at in trail:
                for code in list(trail)[trail[at] :]:
                    around = lazy("The parents go round in a circle.")
                    fault(faults, parents[code][0], "parent", "cycle", around, parents[code][1])
                break
            trail[at] = len(trail)
            at = parents[at][1]
        settled |= set(trail)


def fault(
    faults: list[Fault], line: int, key: str, code: str, sentence_: Any, value: str = ""
) -> None:
    """Note what is wrong with a cell."""
    title = next(column.title for column in COLUMNS if column.key == key)
    add_fault(faults, Fault(line, title, code, sentence_, value))
