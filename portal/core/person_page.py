"""What pages about one person show, as the features say it: for staff, and for the person.

Staff: a feature offers ``section(session, actor, person, now)`` in its module ``on_person``; it answers
``None`` where the actor may not see what it would show. What it shows is masked.

The person: a feature offers ``links(session, actor, now)`` in its module ``for_me``, pages about their own
data that the page *Me* leads to.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from portal.core.dwelling_page import Action, Row, Section

__all__ = ["Action", "Link", "Person", "Rank", "Row", "Section"]


class Rank(IntEnum):
    """Where a section, or a link, stands."""

    WORK = 0
    HOMES = 10
    HEALTH = 20
    GUARDIANS = 30
    CHANGES = 40
    CONSENTS = 50


@dataclass(frozen=True, slots=True)
class Person:
    """Whom the page is about: ids, and the path of the community."""

    resident_id: int
    community_id: int
    path: str


@dataclass(frozen=True, slots=True)
class Link:
    """A page about one's own data: its name, a word about it, an icon of :mod:`macros/icons`."""

    label: Any
    about: Any
    icon: str
    href: str
    rank: Rank
