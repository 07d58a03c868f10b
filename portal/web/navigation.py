"""What the navigation shows to whom. An entry whose page is not part of the installation is left out.

A resident sees how much waits for them: what a home card says is due counts at the entry of its own feature,
and at Home when that has none.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any, Final

import structlog
from flask import current_app, request, url_for
from sqlalchemy.exc import SQLAlchemyError

from portal.core.errors import DomainError
from portal.core.i18n import lazy
from portal.core.permissions import Actor, Permission
from portal.services import current_services
from portal.web.home import NOW, cards_for

log = structlog.get_logger("portal.web")


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry; ``permission`` is asked on any region."""

    endpoint: str
    label: Any
    icon: str
    permission: Permission | None = None


@dataclass(frozen=True, slots=True)
class Shown:
    """An entry as the layout draws it."""

    href: str
    label: Any
    icon: str
    current: bool
    count: int = 0


RESIDENT: Final = (
    Entry("home.index", lazy("Home"), "home"),
    Entry("passes.show", lazy("My pass"), "pass"),
    Entry("visitors.mine", lazy("Visitors"), "visitor"),
    Entry("access.mine", lazy("Passages"), "log"),
    Entry("residents.me", lazy("Me"), "me"),
)
"""At most five: more are not hit by a thumb at 360 px."""
STAFF: Final = (
    Entry("work.index", lazy("Workbench"), "work"),
    Entry("scanning.page", lazy("Scan"), "pass", Permission.PASS_SCAN),
    Entry("residents.queue", lazy("Residents"), "people", Permission.RESIDENT_LIST),
    Entry("visitors.queue", lazy("Visitors"), "visitor", Permission.INVITATION_LIST),
    Entry("access.log", lazy("Passages"), "gate", Permission.PASSAGE_LIST),
    Entry("devices.index", lazy("Devices"), "device", Permission.DEVICE_LIST),
)


def entries_for(actor: Actor) -> list[Shown]:
    """Entries for this person, in order; the one of the page at hand is marked."""
    entries: tuple[Entry, ...] = ()
    if actor.is_staff:
        entries = STAFF
    elif actor.resident_id is not None:
        entries = RESIDENT
    counts = _counts(actor, entries)
    shown = []
    here = (request.endpoint or "").partition(".")[0]
    for entry in entries:
        if entry.endpoint not in current_app.view_functions:
            continue
        if entry.permission is not None and not actor.paths(entry.permission):
            continue
        shown.append(
            Shown(
                href=url_for(entry.endpoint),
                label=entry.label,
                icon=entry.icon,
                current=entry.endpoint.partition(".")[0] == here,
                count=counts[entry.endpoint],
            )
        )
    return shown


def _counts(actor: Actor, entries: tuple[Entry, ...]) -> Counter[str]:
    """How many things wait, by endpoint of the entry. None on a page that tells of a failure."""
    counts: Counter[str] = Counter()
    if actor.resident_id is None or actor.is_staff:
        return counts
    places = {entry.endpoint.partition(".")[0]: entry.endpoint for entry in entries}
    try:
        with current_services().db.read() as session:
            cards = cards_for(session, actor)
    except (SQLAlchemyError, DomainError):
        log.exception("what waits could not be counted")
        return counts
    for card in cards:
        if card.rank in NOW:
            feature = card.key.partition(".")[0]
            counts[places.get(feature, places.get("home", ""))] += card.figure or 1
    return counts
