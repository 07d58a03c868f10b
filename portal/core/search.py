"""Finding things by what staff type into one box, as the features offer it.

A feature offers ``find(session, actor, query)`` in its module ``search``. Personal identifiers are found
by their keyed hash, so a whole number finds and a part of one does not; what is found is shown masked.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

MOST: Final = 20
"""Hits of one feature."""


@dataclass(frozen=True, slots=True)
class Query:
    """What was typed, trimmed and with full-width characters made plain; ``text`` is never empty."""

    text: str


@dataclass(frozen=True, slots=True)
class Hit:
    """Something found: masked title, what it is, and its page. ``exact`` ones stand first."""

    kind: Any
    title: Any
    about: Any
    href: str
    icon: str
    exact: bool = False
