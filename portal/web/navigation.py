"""What the navigation shows to whom. An entry whose page is not part of the installation is left out.

On a desk all entries stand at the side. A phone has room for five at the thumb: those marked ``thumb``,
and one more page that lists the rest: ``/me`` for residents, ``/work/more`` for staff.

How much waits at an entry: for staff a feature offers ``COUNTS`` in its module ``waiting``, the entry's
endpoint → ``count(session, actor, now)``; for residents what a home card says is due counts at the entry
of the card's own feature, and at Home when that has none. Both are asked when the page draws the entry, once
a request; a database that is away must not keep the page from saying so.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any, Final

import structlog
from flask import Blueprint, current_app, g, render_template, request, url_for
from sqlalchemy.exc import SQLAlchemyError

from portal.core.actors import current_actor, staff_required
from portal.core.errors import DomainError
from portal.core.i18n import lazy
from portal.core.permissions import Actor, Permission
from portal.features import parts
from portal.services import current_services
from portal.web.home import NOW, cards_for

log = structlog.get_logger("portal.web")
more = Blueprint("more", __name__)


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry; ``permission`` is asked on any region."""

    endpoint: str
    label: Any
    icon: str
    permission: Permission | None = None
    thumb: bool = False


@dataclass(frozen=True)
class Shown:
    """An entry as the layout draws it. ``ask`` says how much waits, where the entry says so."""

    href: str
    label: Any
    icon: str
    current: bool
    thumb: bool
    desk: bool = True
    ask: Callable[[], int] | None = None

    @cached_property
    def count(self) -> int | None:
        """How much waits; ``None`` where nothing can."""
        return None if self.ask is None else self.ask()


RESIDENT: Final = (
    Entry("home.index", lazy("Home"), "home", thumb=True),
    Entry("passes.show", lazy("My pass"), "pass", thumb=True),
    Entry("visitors.mine", lazy("Visitors"), "visitor", thumb=True),
    Entry("notices.mine", lazy("Notices"), "notice", thumb=True),
    Entry("parcels.mine", lazy("Parcels"), "locker"),
    Entry("vehicles.mine", lazy("Vehicles"), "car"),
    Entry("access.mine", lazy("Passages"), "log"),
    Entry("residents.me", lazy("Me"), "me", thumb=True),
)
STAFF: Final = (
    Entry("workbench.index", lazy("Workbench"), "work", thumb=True),
    Entry("scanning.page", lazy("Scan"), "pass", Permission.PASS_SCAN, thumb=True),
    Entry("telecare.desk", lazy("Alarms"), "alarm", Permission.TELECARE_LIST, thumb=True),
    Entry("residents.queue", lazy("Residents"), "people", Permission.RESIDENT_LIST, thumb=True),
    Entry("visitors.queue", lazy("Visitors"), "visitor", Permission.INVITATION_LIST),
    Entry("vehicles.queue", lazy("Vehicles"), "car", Permission.VEHICLE_LIST),
    Entry("parcels.lockers", lazy("Parcels"), "locker", Permission.PARCEL_LIST),
    Entry("notices.index", lazy("Notices"), "notice", Permission.NOTICE_PUBLISH),
    Entry("access.log", lazy("Passages"), "gate", Permission.PASSAGE_LIST),
    Entry("devices.index", lazy("Devices"), "device", Permission.DEVICE_LIST),
    Entry("regions.index", lazy("Regions"), "region", Permission.REGION_SETTINGS),
    Entry("accounts.staff_list", lazy("Accounts"), "me", Permission.ACCOUNT_LIST),
    Entry("accounts.audit_log", lazy("Audit"), "log", Permission.AUDIT_READ),
)
AT_THE_THUMB: Final = 4
"""Beside the entry that leads to the rest: more are not hit by a thumb at 360 px."""


def _is_here(entry: Entry) -> bool:
    """Accounts have several entries on one blueprint, and pages that belong to none: the address decides."""
    blueprint = (request.endpoint or "").partition(".")[0]
    if entry.endpoint.partition(".")[0] != blueprint:
        return False
    if blueprint != "accounts":
        return True
    below = {"accounts.staff_list": ("/work/accounts", "/work/lock-outs")}
    return request.path.startswith(below.get(entry.endpoint, url_for(entry.endpoint)))


def entries_for(actor: Actor) -> list[Shown]:
    """Entries for this person, in order; the one of the page at hand is marked."""
    if actor.is_staff:
        shown = [_shown(actor, entry) for entry in _open_to(actor, STAFF)]
        rest = [one for one in shown if not one.thumb]
        if len(shown) <= AT_THE_THUMB + 1:
            return [Shown(**{**vars(one), "thumb": True}) for one in shown]
        here = request.endpoint == "more.page" or any(one.current for one in rest)
        last = Shown(url_for("more.page"), lazy("More"), "more", here, thumb=True, desk=False)
        return [*shown, last]
    if actor.resident_id is not None:
        return [_shown(actor, entry) for entry in _open_to(actor, RESIDENT)]
    return []


@more.get("/work/more", endpoint="page")
@staff_required
def page() -> str:
    """Everything that this member of staff may open; on a phone not all of it fits at the thumb."""
    entries = [one for one in entries_for(current_actor()) if one.desk and not one.current]
    return render_template("more.html", entries=entries)


def _open_to(actor: Actor, entries: tuple[Entry, ...]) -> list[Entry]:
    return [
        entry
        for entry in entries
        if entry.endpoint in current_app.view_functions
        and (entry.permission is None or actor.paths(entry.permission))
    ]


def _shown(actor: Actor, entry: Entry) -> Shown:
    ask: Callable[[], int] | None = None
    if not actor.is_staff:
        ask = partial(_due, actor, entry.endpoint)
    elif entry.endpoint in _counts():
        ask = partial(_waiting, actor, entry.endpoint)
    return Shown(
        href=url_for(entry.endpoint),
        label=entry.label,
        icon=entry.icon,
        current=_is_here(entry),
        thumb=entry.thumb,
        ask=ask,
    )


def _waiting(actor: Actor, endpoint: str) -> int:
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


def _due(actor: Actor, endpoint: str) -> int:
    known: Counter[str] | None = g.get("due")
    if known is None:
        known = g.due = Counter()
        places = {entry.endpoint.partition(".")[0]: entry.endpoint for entry in RESIDENT}
        try:
            with current_services().db.read() as session:
                cards = cards_for(session, actor)
        except (SQLAlchemyError, DomainError) as error:
            log.warning("count_failed", endpoint=endpoint, cause=type(error).__name__)
            cards = []
        for card in cards:
            if card.rank in NOW:
                feature = card.key.partition(".")[0]
                known[places.get(feature, "home.index")] += card.figure or 1
    return known[endpoint]
