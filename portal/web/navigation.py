"""What the navigation shows to whom. An entry whose page is not part of the installation is left out.

A feature whose entry says how much waits offers ``COUNTS`` in its module ``waiting``: the entry's endpoint
→ ``count(session, actor, now)``. It is asked when the page draws the entry, once a request.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any, Final

import structlog
from flask import current_app, g, request, url_for
from sqlalchemy.exc import SQLAlchemyError

from portal.core.i18n import lazy
from portal.core.permissions import Actor, Permission
from portal.features import parts
from portal.services import current_services

log = structlog.get_logger("portal.web")


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry; ``permission`` is asked on any region. ``desk`` ones have no room at the thumb of a phone."""

    endpoint: str
    label: Any
    icon: str
    permission: Permission | None = None
    desk: bool = False


@dataclass(frozen=True)
class Shown:
    """An entry as the layout draws it. ``ask`` says how much waits, where the entry says so."""

    href: str
    label: Any
    icon: str
    current: bool
    desk: bool = False
    ask: Callable[[], int] | None = None

    @cached_property
    def count(self) -> int | None:
        """How much waits; ``None`` where nothing can."""
        return None if self.ask is None else self.ask()


RESIDENT: Final = (
    Entry("home.index", lazy("Home"), "home"),
    Entry("passes.show", lazy("My pass"), "pass"),
    Entry("notices.mine", lazy("Notices"), "notice"),
    Entry("visitors.mine", lazy("Visitors"), "visitor"),
    Entry("vehicles.mine", lazy("Vehicles"), "car"),
    Entry("parcels.mine", lazy("Parcels"), "locker"),
    Entry("access.mine", lazy("Passages"), "log"),
)
STAFF: Final = (
    Entry("workbench.index", lazy("Workbench"), "work"),
    Entry("scanning.page", lazy("Scan"), "pass", Permission.PASS_SCAN),
    Entry("residents.queue", lazy("Residents"), "people", Permission.RESIDENT_LIST),
    Entry("visitors.queue", lazy("Visitors"), "visitor", Permission.INVITATION_LIST),
    Entry("vehicles.queue", lazy("Vehicles"), "car", Permission.VEHICLE_LIST, desk=True),
    Entry("notices.index", lazy("Notices"), "notice", Permission.NOTICE_PUBLISH),
    Entry("access.log", lazy("Passages"), "gate", Permission.PASSAGE_LIST),
    Entry("parcels.lockers", lazy("Parcels"), "locker", Permission.PARCEL_LIST),
    Entry("devices.index", lazy("Devices"), "device", Permission.DEVICE_LIST),
)


def entries_for(actor: Actor) -> list[Shown]:
    """Entries for this person, in order; the one of the page at hand is marked."""
    entries: tuple[Entry, ...] = ()
    if actor.is_staff:
        entries = STAFF
    elif actor.resident_id is not None:
        entries = RESIDENT
    shown = []
    counts = _counts()
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
                desk=entry.desk,
                ask=partial(_ask, actor, entry.endpoint) if entry.endpoint in counts else None,
            )
        )
    return shown


def _ask(actor: Actor, endpoint: str) -> int:
    """Ask once a request. A database that is away must not keep the page from saying so."""
    known: dict[str, int] = g.setdefault("waiting", {})
    if endpoint not in known:
        services = current_services()
        try:
            with services.db.read() as session:
                known[endpoint] = _counts()[endpoint](session, actor, services.clock())
        except SQLAlchemyError as error:
            log.warning("count_failed", endpoint=endpoint, cause=type(error).__name__)
            known[endpoint] = 0
    return known[endpoint]


def _counts() -> dict[str, Callable[..., int]]:
    return {name: count for module in parts("waiting") for name, count in module.COUNTS.items()}
