"""The search box of staff: suggestions while typing, and a page of results.

What is typed comes by POST and never stands in an address. Each account has a budget of searches: enough
for a busy desk, too little to read through a community.
"""

from __future__ import annotations

from typing import Any, Final

from flask import Blueprint, redirect, render_template, request, url_for

from portal.core.actors import current_actor, staff_required
from portal.core.i18n import lazy
from portal.core.limits import SEARCH_ACCOUNT, limited
from portal.core.permissions import Actor, Permission
from portal.core.search import LONGEST, Part, Query, query_of
from portal.finding import remembered
from portal.finding.operations import Group, find
from portal.services import current_services

blueprint = Blueprint("finding", __name__, url_prefix="/work/search", template_folder="templates")

SUGGESTIONS: Final = 8
PARTS: Final[dict[Part, Any]] = {
    Part.PHONE: lazy(
        "Numbers are stored encrypted, so a part of one finds nobody: type all 11 digits."
    ),
    Part.DOCUMENT: lazy(
        "Numbers are stored encrypted, so a part of one finds nobody: type all 18 characters."
    ),
    Part.PLATE: lazy(
        "Plates are stored encrypted, so a part of one finds nothing: type the whole plate."
    ),
    Part.SURNAME: lazy("A surname alone finds nobody: type the whole name."),
}
FINDABLE: Final[tuple[tuple[Permission, Any, str], ...]] = (
    (
        Permission.RESIDENT_LIST,
        lazy("Residents by whole mobile number, document number or full name"),
        "people",
    ),
    (Permission.REGION_VIEW, lazy("Dwellings and buildings, such as 1-2-301"), "home"),
    (Permission.VEHICLE_LIST, lazy("Vehicles by the whole plate"), "car"),
    (Permission.INVITATION_LIST, lazy("Invitations by the visitor's mobile number"), "visitor"),
    (Permission.DEVICE_LIST, lazy("Devices by name or key"), "device"),
)
"""What a role can find, whether there is any or not."""


def _account() -> str:
    return f"search:{current_actor().user_id}"


def _findable(actor: Actor) -> list[tuple[Any, str]]:
    return [(words, icon) for permission, words, icon in FINDABLE if actor.paths(permission)]


def _find(actor: Actor, query: Query) -> list[Group]:
    services = current_services()
    if query.keys:
        with services.db.write() as session:
            return find(session, actor, query)
    with services.db.read() as session:
        return find(session, actor, query)


def _hint(query: Query, groups: list[Group]) -> Any:
    """Why a part of a number finds nothing."""
    return PARTS.get(query.part) if query.part and not groups else None


@blueprint.get("")
@staff_required
def page() -> Any:
    """The box, and what the last search found."""
    services, actor = current_services(), current_actor()
    assert actor.user_id is not None  # noqa: S101 - staff_required saw to it
    now = services.clock()
    query = query_of(remembered.kept(actor.user_id, now), now)
    groups = _find(actor, query) if query else []
    return render_template(
        "finding/page.html",
        query=query,
        groups=groups,
        hint=_hint(query, groups) if query else None,
        findable=_findable(actor),
    )


@blueprint.post("")
@limited(SEARCH_ACCOUNT, key=_account, shared="search")
@staff_required
def search() -> Any:
    """Remember what is looked for, and lead to the page that shows it."""
    services, actor = current_services(), current_actor()
    assert actor.user_id is not None  # noqa: S101 - staff_required saw to it
    text = request.form.get("q", "")[: 4 * LONGEST]
    query = query_of(text, services.clock())
    if query is None:
        remembered.forget()
    else:
        remembered.keep(actor.user_id, query.text, services.clock())
    return redirect(url_for("finding.page"), code=303)


@blueprint.post("/suggestions")
@limited(SEARCH_ACCOUNT, key=_account, shared="search")
@staff_required
def suggestions() -> Any:
    """The first hits for what has been typed so far, as a list under the box; 204 for too little text."""
    services, actor = current_services(), current_actor()
    query = query_of(request.form.get("q", "")[: 4 * LONGEST], services.clock())
    if query is None:
        return "", 204
    groups = _find(actor, query)
    found = sum(len(group.hits) for group in groups)
    shown: list[Group] = []
    room = SUGGESTIONS
    for group in groups:
        if room > 0:
            shown.append(Group(group.kind, group.hits[:room]))
            room -= len(group.hits)
    return render_template(
        "finding/_suggestions.html",
        groups=shown,
        found=found,
        more=found > SUGGESTIONS,
        hint=_hint(query, groups),
    )
