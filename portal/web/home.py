"""Where people land: residents at home, staff at the workbench."""

from __future__ import annotations

from typing import Any, Final

from flask import Blueprint, current_app, render_template, url_for

from portal.core.actors import current_actor, resident_required, staff_required
from portal.core.home_cards import HomeCard
from portal.core.permissions import ROLE_NAMES, Permission
from portal.core.work import WorkItem
from portal.features import parts
from portal.residents.queries import own_record
from portal.services import current_services
from portal.web.workbench import waiting

MOST_URGENT: Final = 5
"""People in need that the workbench names; the others are on the alarms' own page."""

home = Blueprint("home", __name__)
work = Blueprint("work", __name__)


def _address(endpoint: str) -> str | None:
    """The page's address if it is part of this installation."""
    return url_for(endpoint) if endpoint in current_app.view_functions else None


@home.get("/home", endpoint="index")
@resident_required
def at_home() -> Any:
    """How my registration stands, and what I can do."""
    resident_id = current_actor().resident_id
    assert resident_id is not None  # noqa: S101 - resident_required saw to it
    services = current_services()
    with services.db.read() as session:
        resident = own_record(session, resident_id)
        cards: list[HomeCard] = [
            card
            for feature in parts("home_cards")
            for card in feature.cards(session, current_actor(), services.clock())
        ]
    return render_template(
        "home.html",
        resident=resident,
        cards=sorted(cards, key=lambda card: card.rank),
        pass_page=_address("passes.show"),
        visitors_page=_address("visitors.mine"),
        passages_page=_address("access.mine"),
    )


@work.get("/work", endpoint="index")
@staff_required
def at_work() -> Any:
    """What waits for me."""
    actor, services = current_actor(), current_services()
    with services.db.read() as session:
        counts = waiting(session, actor)
        urgent: list[WorkItem] = [
            item
            for feature in parts("work")
            for source in feature.SOURCES
            for item in source.waiting(session, actor, services.clock(), MOST_URGENT)
            if item.urgent
        ]
    roles = [ROLE_NAMES[g.role] for g in actor.grants if g.role is not None]
    return render_template(
        "work.html",
        counts=counts,
        urgent=urgent,
        roles=list(dict.fromkeys(roles)),
        residents_page=_address("residents.queue"),
        visitors_page=_address("visitors.queue"),
        devices_page=_address("devices.index"),
        passages_page=_address("access.log") if actor.paths(Permission.PASSAGE_LIST) else None,
        posters_page=_address("residents.posters")
        if actor.paths(Permission.POSTER_PRINT)
        else None,
    )
