"""Importing codes and names: the whole file is checked against the tree first, then applied or not at all.

::

    file ──read──► table ──plan──► faults by line
                                └► plan (created, renamed, moved) ──apply──► tree

Planning writes nothing: it is the dry run. Applying plans again in its own transaction. A file that
has been applied changes nothing the second time. Regions that a file does not name stay as they are.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.core import audit
from portal.core.errors import ConflictError
from portal.core.i18n import lazy
from portal.core.permissions import Actor
from portal.regions import setting_changes, settings
from portal.regions.authority import manages
from portal.regions.changes import lock_tree, note, relocate
from portal.regions.codes import DEPTH, Code, parse, rebased, variants
from portal.regions.import_lines import COLUMNS, Line, fault, good_lines, note_cycles
from portal.regions.models import Change, Level, Region, RegionHistory
from portal.regions.sheets import Fault, read

_CHUNK: Final = 400


@dataclass(slots=True)
class Plan:
    """What applying would do. ``renamed`` has (region, old, new), ``moved`` (name, old, new code)."""

    encoding: str = ""
    created: list[Line] = field(default_factory=list)
    renamed: list[tuple[Region, str, str]] = field(default_factory=list)
    moved: list[tuple[Region, Line]] = field(default_factory=list)
    coded: list[tuple[Region, str]] = field(default_factory=list)
    unchanged: int = 0
    faults: list[Fault] = field(default_factory=list)

    @property
    def changes(self) -> int:
        """How many regions would change."""
        return len(self.created) + len(self.renamed) + len(self.moved) + len(self.coded)

    def counts(self) -> dict[str, Any]:
        """In numbers, for the audit and for machines."""
        return {
            "created": len(self.created),
            "renamed": len(self.renamed),
            "moved": len(self.moved),
            "coded": len(self.coded),
            "unchanged": self.unchanged,
            "faults": len(self.faults),
        }


def plan(session: Session, actor: Actor, content: bytes) -> Plan:
    """Check a file against the tree and say what applying it would do.

    Raises:
        FileError: the file as a whole cannot be read.
    """
    table = read(content, COLUMNS)
    made = Plan(encoding=table.encoding, faults=table.faults)
    note_cycles(table.rows, made.faults)
    lines = good_lines(table.rows, made.faults)
    _Planner(session, actor, made, lines).run()
    made.faults.sort(key=lambda f: f.line)
    return made


def apply(session: Session, actor: Actor, content: bytes, now: datetime) -> Plan:
    """Carry out what :func:`plan` says, in the caller's transaction.

    Raises:
        FileError: the file cannot be read; ConflictError: it has faults, perhaps only since the look.
    """
    lock_tree(session)
    made = plan(session, actor, content)
    if made.faults:
        raise ConflictError(
            "import_faults",
            lazy(
                "The file has faults, so nothing was changed. Look at the list and mend the file."
            ),
        )
    for region, old, new in made.renamed:
        region.name = new
        note(session, actor, region, Change.RENAME, now, from_name=old)
    for region, uscc in made.coded:
        before, region.uscc = region.uscc, uscc
        note(session, actor, region, Change.USCC, now, from_uscc=before)
    for level in Level:
        _create(session, level, [line for line in made.created if line.code.level is level])
        for region, line in made.moved:
            if line.code.level is level:
                relocate(session, actor, region, line.code, now)
    settings.forget(session)
    if made.changes:
        audit.record(session, actor, "region.import", ("region", "tree"), **made.counts())
    return made


def _create(session: Session, level: Level, lines: list[Line]) -> None:
    parents = _existing(session, {line.code.parent for line in lines if line.code.parent})
    made = []
    for line in lines:
        parent = parents.get(line.code.parent or "")
        made.append(
            Region(
                parent_id=parent.id if parent else None,
                level=level,
                code=line.code.text,
                name=line.name,
                path="",
                uscc=line.uscc,
                key=f"c{line.code.text}" if level is Level.COMMUNITY else None,
                timezone=parent.timezone
                if parent
                else settings.registry()[setting_changes.TIMEZONE].default,
            )
        )
    session.add_all(made)
    session.flush()
    for region, line in zip(made, lines, strict=True):
        parent = parents.get(line.code.parent or "")
        region.path = f"{parent.path if parent else '/'}{region.id}/"
    session.flush()


def _existing(session: Session, codes: Iterable[str]) -> dict[str, Region]:
    """Regions by their full code, whichever way it is written in the store."""
    wanted = sorted({spelt for code in codes for spelt in variants(code)})
    found: dict[str, Region] = {}
    for start in range(0, len(wanted), _CHUNK):
        chunk = wanted[start : start + _CHUNK]
        for region in session.scalars(select(Region).where(Region.code.in_(chunk))):
            found[variants(region.code)[0]] = region
    return found


class _Planner:
    """Compares good lines with the tree."""

    def __init__(self, session: Session, actor: Actor, made: Plan, lines: list[Line]) -> None:
        self.session, self.actor, self.made, self.lines = session, actor, made, lines
        codes = {line.code.text for line in lines}
        codes |= {line.code.parent for line in lines if line.code.parent}
        codes |= {line.previous.text for line in lines if line.previous}
        self.known = _existing(session, codes)
        self.gone = self._former(codes - set(self.known))
        self.usccs = self._usccs()
        self.new: set[str] = set()

    def run(self) -> None:
        """Sort every line into what it does, or note its fault; parents come first."""
        for line in sorted(self.lines, key=lambda one: (DEPTH[one.code.level], one.code.text)):
            region = self.known.get(line.code.text)
            if region is None and line.previous is not None:
                region = self.known.get(line.previous.text)
                if region is None:
                    self._fault(line, "previous", "previous_unknown", line.previous.text)
                    continue
            if region is None:
                self._plan_new(line)
            else:
                self._plan_known(line, region)

    def _plan_new(self, line: Line) -> None:
        code = line.code
        if code.text in self.gone:
            self._fault(line, "code", "code_former", code.text)
        elif not self._parent_is_there(code):
            self._fault(line, "code", "orphan", code.parent or "")
        elif not self._may_create(code):
            self._fault(line, "code", "forbidden", code.text)
        elif self._uscc_is_free(line, None):
            self.new.add(code.text)
            self.made.created.append(line)

    def _plan_known(self, line: Line, region: Region) -> None:
        code = line.code
        parent = self.known.get(code.parent or "")
        recoded = variants(region.code)[0] != code.text
        if recoded and not self._parent_is_there(code):
            self._fault(line, "code", "orphan", code.parent or "")
            return
        there = code.parent in self.new or parent is not None
        moved = recoded or (
            there and region.parent_id != (parent.id if parent is not None else None)
        )
        renamed = region.name != line.name
        coded = line.uscc is not None and line.uscc != region.uscc
        if not (moved or renamed or coded):
            self.made.unchanged += 1
            return
        if not manages(self.actor, region.path, itself=True) or (
            moved and not self._may_create(code)
        ):
            self._fault(line, "code", "forbidden", code.text)
            return
        if coded and not self._uscc_is_free(line, region):
            return
        if moved:
            self.made.moved.append((region, line))
            self._follow(region, line)
        if renamed:
            self.made.renamed.append((region, region.name, line.name))
        if coded and line.uscc:
            self.made.coded.append((region, line.uscc))

    def _follow(self, region: Region, line: Line) -> None:
        """What lies below a renumbered region is known by its coming code too."""
        old = parse(region.code)
        if old.text == line.code.text:
            return
        self.new.add(line.code.text)
        for one in self.session.scalars(
            select(Region).where(Region.path.startswith(region.path, autoescape=True))
        ):
            self.known[rebased(parse(one.code).text, old, line.code)] = one

    def _parent_is_there(self, code: Code) -> bool:
        return code.parent is None or code.parent in self.known or code.parent in self.new

    def _may_create(self, code: Code) -> bool:
        if code.parent is None:
            return manages(self.actor, "/", itself=False)
        parent = self.known.get(code.parent)
        return parent is None or manages(self.actor, parent.path, itself=False)

    def _uscc_is_free(self, line: Line, region: Region | None) -> bool:
        if line.uscc is None:
            return True
        owner = self.usccs.get(line.uscc)
        if owner is None or (region is not None and owner == region.code):
            self.usccs[line.uscc] = region.code if region else line.code.text
            return True
        self._fault(line, "uscc", "uscc_taken", line.uscc)
        return False

    def _usccs(self) -> dict[str, str]:
        wanted = [line.uscc for line in self.lines if line.uscc]
        owners: dict[str, str] = {}
        for start in range(0, len(wanted), _CHUNK):
            rows = self.session.execute(
                select(Region.uscc, Region.code).where(
                    Region.uscc.in_(wanted[start : start + _CHUNK])
                )
            )
            owners |= {uscc: code for uscc, code in rows if uscc}
        return owners

    def _former(self, codes: set[str]) -> set[str]:
        wanted, found = sorted(codes), set()
        for start in range(0, len(wanted), _CHUNK):
            found |= set(
                self.session.scalars(
                    select(RegionHistory.from_code).where(
                        RegionHistory.from_code.in_(wanted[start : start + _CHUNK]),
                        RegionHistory.change.in_((Change.MERGE, Change.MOVE)),
                    )
                )
            )
        return found

    def _fault(self, line: Line, key: str, code: str, value: str) -> None:
        fault(self.made.faults, line.number, key, code, _TREE_FAULTS[code], value)


_TREE_FAULTS: Final[dict[str, Any]] = {
    "previous_unknown": lazy("There is no region of the previous code."),
    "code_former": lazy("This code was given up by a merger or renumbering; it still leads there."),
    "orphan": lazy("The region above is neither in the file nor in the tree. Add its line."),
    "forbidden": lazy("This lies outside what you may change."),
    "uscc_taken": lazy("Another community has this unified social credit code."),
}
