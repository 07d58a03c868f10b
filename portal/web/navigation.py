"""What the navigation shows to whom. An entry whose page is not part of the installation is left out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from flask import current_app, request, url_for

from portal.core.i18n import lazy
from portal.core.permissions import Actor, Permission


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
)
STAFF: Final = (
    Entry("work.index", lazy("Workbench"), "work"),
    Entry("scanning.page", lazy("Scan"), "pass", Permission.PASS_SCAN),
    Entry("residents.queue", lazy("Residents"), "people", Permission.RESIDENT_LIST),
    Entry("visitors.queue", lazy("Visitors"), "visitor", Permission.INVITATION_LIST),
    Entry("access.log", lazy("Passages"), "gate", Permission.PASSAGE_LIST),
    Entry("devices.index", lazy("Devices"), "device", Permission.DEVICE_LIST),
    Entry("accounts.staff_list", lazy("Accounts"), "me", Permission.ACCOUNT_LIST),
    Entry("accounts.audit_log", lazy("Audit"), "log", Permission.AUDIT_READ),
)


def _is_here(entry: Entry, blueprint: str) -> bool:
    """Accounts have several entries on one blueprint, and pages that belong to none: the address decides."""
    if entry.endpoint.partition(".")[0] != blueprint:
        return False
    if blueprint != "accounts":
        return True
    below = {"accounts.staff_list": ("/work/accounts", "/work/lock-outs")}
    return request.path.startswith(below.get(entry.endpoint, url_for(entry.endpoint)))


def entries_for(actor: Actor) -> list[Shown]:
    """Entries for this person, in order; the one of the page at hand is marked."""
    entries: tuple[Entry, ...] = ()
    if actor.is_staff:
        entries = STAFF
    elif actor.resident_id is not None:
        entries = RESIDENT
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
                current=_is_here(entry, here),
            )
        )
    return shown
