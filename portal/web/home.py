"""Where residents land: a list of cards that the features offer (:mod:`portal.core.home_cards`); the page knows none of them."""

from __future__ import annotations

from typing import Any, Final

from flask import Blueprint, current_app, g, render_template, url_for
from sqlalchemy.orm import Session

from portal.core.actors import current_actor, resident_required
from portal.core.home_cards import HomeCard, Rank
from portal.core.permissions import Actor
from portal.features import parts
from portal.residents.queries import own_record
from portal.services import current_services

MOST_URGENT: Final = 5
"""People in need that the workbench names; the others are on the alarms' own page."""

home = Blueprint("home", __name__)

NOW: Final = (Rank.ALARM, Rank.DUE)
"""What waits for the person; the rest is offered or looked back at."""


def _address(endpoint: str) -> str | None:
    """The page's address if it is part of this installation."""
    return url_for(endpoint) if endpoint in current_app.view_functions else None


def cards_for(session: Session, actor: Actor) -> list[HomeCard]:
    """What this resident needs now, most urgent first; gathered once a request."""
    known: list[HomeCard] | None = g.get("home_cards")
    if known is None:
        now = current_services().clock()
        found = [card for part in parts("home_cards") for card in part.cards(session, actor, now)]
        known = g.home_cards = sorted(found, key=lambda card: card.rank)
    return known


@home.get("/home", endpoint="index")
@resident_required
def at_home() -> Any:
    """What do I need now?"""
    actor = current_actor()
    assert actor.resident_id is not None  # noqa: S101 - resident_required saw to it
    with current_services().db.read() as session:
        resident = own_record(session, actor.resident_id)
        cards = cards_for(session, actor)
    has_pass = any(card.rank is Rank.PASS for card in cards)
    return render_template(
        "home.html",
        resident=resident,
        cards=cards,
        quiet=not any(card.rank in NOW for card in cards),
        now=NOW,
        Rank=Rank,
        code_page=_address("passes.offline_code") if has_pass else None,
    )
