"""What a resident needs now, as the features say it: one card a need, on the page they land on.

A feature offers ``cards(session, actor, now)`` in its module ``home_cards``; it answers only what is
this resident's own and worth a look now, so that an empty home means that nothing is to be done.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Any


class Rank(IntEnum):
    """Where a card stands; within a rank the features' order counts."""

    ALARM = 0
    """Somebody is in need: above everything, even the pass."""
    PASS = 10
    DUE = 20
    """Something waits for this person: a parcel to fetch, a notice to confirm."""
    OFFER = 30
    """What is often wanted: inviting a visitor."""
    LATER = 40
    """A look back: passages, notices that were read."""


@dataclass(frozen=True, slots=True)
class HomeCard:
    """One card.

    Args:
        key: ``feature.what``, unique on the page.
        title, about: sentences of the page's language (lazy or plain).
        href: the page that serves the need.
        icon: a name of ``macros/icons.html``.
        figure: how many, where that says something.
    """

    key: str
    title: Any
    href: str
    icon: str
    rank: Rank
    about: Any = None
    figure: int | None = None
