"""What an address of the workbench asks for, and the pages that lead on from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from flask import current_app, request, url_for

from portal.core.i18n import lazy
from portal.core.permissions import Actor, Permission
from portal.workbench.queue import Filter, Whose
from portal.workbench.sources import sources


def asked_filter() -> Filter:
    """The filter of the address at hand; nonsense means all."""
    kind, whose = request.args.get("only", ""), request.args.get("whose", "")
    known = {source.kind for source in sources()}
    return Filter(
        kind=kind if kind in known else None,
        whose=Whose(whose) if whose in set(Whose) else Whose.ALL,
    )


def filter_values(chosen: Filter) -> dict[str, Any]:
    """The same as values for an address; what means all is left out."""
    values = {
        "only": chosen.kind or "",
        "whose": chosen.whose.value if chosen.whose is not Whose.ALL else "",
    }
    return {name: value for name, value in values.items() if value}


@dataclass(frozen=True, slots=True)
class Way:
    """A page that somebody may need besides the queue."""

    name: Any
    about: Any
    icon: str
    href: str


_WAYS: Final = (
    (
        "residents.queue",
        Permission.RESIDENT_LIST,
        lazy("Residents"),
        lazy("Who is registered, waits or was refused."),
        "people",
    ),
    (
        "visitors.queue",
        Permission.INVITATION_LIST,
        lazy("Visitors"),
        lazy("Who is invited, and who has come."),
        "visitor",
    ),
    (
        "access.log",
        Permission.PASSAGE_LIST,
        lazy("Passages"),
        lazy("Who came and went, as it happens."),
        "gate",
    ),
    (
        "devices.index",
        Permission.DEVICE_LIST,
        lazy("Devices"),
        lazy("What they report, and whether they are online."),
        "device",
    ),
    (
        "residents.posters",
        Permission.POSTER_PRINT,
        lazy("Posters"),
        lazy("Print the code that opens registration."),
        "poster",
    ),
)


def ways(actor: Actor) -> list[Way]:
    """Pages of this installation that the actor may open."""
    return [
        Way(name, about, icon, url_for(endpoint))
        for endpoint, permission, name, about, icon in _WAYS
        if endpoint in current_app.view_functions and actor.paths(permission)
    ]
