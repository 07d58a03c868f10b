"""Vehicles on a resident's home: what was refused comes first, else the way to register one."""

from __future__ import annotations

from datetime import datetime

from flask import url_for
from sqlalchemy.orm import Session

from portal.core.home_cards import HomeCard, Rank
from portal.core.i18n import lazy
from portal.core.permissions import Actor
from portal.vehicles import queries
from portal.vehicles.models import VehicleState


def cards(session: Session, actor: Actor, now: datetime) -> list[HomeCard]:
    """One card: vehicles that were refused, or the resident's vehicles."""
    if not queries.may_register(session, actor):
        return []
    rows = queries.own(session, actor)
    refused = sum(row.state == VehicleState.REFUSED for row in rows)
    return [
        HomeCard(
            key="vehicles.mine",
            title=lazy("Vehicles"),
            href=url_for("vehicles.mine"),
            icon="car",
            rank=Rank.DUE if refused else Rank.OFFER,
            about=lazy("One was refused: see why.")
            if refused
            else lazy("Register the plate of your vehicle."),
            figure=len(rows) or None,
        )
    ]
