"""Where residents land."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, current_app, render_template, url_for

from portal.core.actors import current_actor, resident_required
from portal.residents.queries import own_record
from portal.services import current_services

home = Blueprint("home", __name__)


def _address(endpoint: str) -> str | None:
    """The page's address if it is part of this installation."""
    return url_for(endpoint) if endpoint in current_app.view_functions else None


@home.get("/home", endpoint="index")
@resident_required
def at_home() -> Any:
    """How my registration stands, and what I can do."""
    actor, services = current_actor(), current_services()
    resident_id = actor.resident_id
    assert resident_id is not None  # noqa: S101 - resident_required saw to it
    cards: list[HomeCard] = []
    with services.db.read() as session:
        resident = own_record(session, resident_id)
        for feature in parts("home_cards"):
            cards += feature.cards(session, actor, services.clock())
    return render_template(
        "home.html",
        resident=resident,
        cards=sorted(cards, key=lambda card: card.rank),
        pass_page=_address("passes.show"),
        visitors_page=_address("visitors.mine"),
        passages_page=_address("access.mine"),
    )
