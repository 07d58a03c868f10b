"""What staff see of one dwelling, as the features say it: who lives there, vehicles, devices, passages.

A feature offers ``section(session, actor, place, now)`` in its module ``at_home``. It answers ``None``
where the actor may not list what it would show; what it shows is masked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import Any


class Rank(IntEnum):
    """Where a section stands."""

    PEOPLE = 0
    VEHICLES = 10
    PASSAGES = 20
    DEVICES = 30


@dataclass(frozen=True, slots=True)
class Place:
    """The dwelling asked about, by its ids and the path of its community."""

    dwelling_id: int
    building_id: int
    community_id: int
    path: str


@dataclass(frozen=True, slots=True)
class Row:
    """One line: masked name, a word about it, a chip (word and tone) and its page where there is one."""

    name: Any
    about: Any = None
    href: str | None = None
    state: tuple[Any, str] | None = None
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Action:
    """A page on which something can be done about what a section shows."""

    label: Any
    href: str


@dataclass(frozen=True, slots=True)
class Section:
    """One list of a page; ``rank`` says where it stands, ``nothing`` is what stands there when it is empty."""

    title: Any
    icon: str
    rank: IntEnum
    rows: Sequence[Row]
    nothing: Any
    actions: Sequence[Action] = ()
