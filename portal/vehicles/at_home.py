"""Vehicles of a dwelling, for its page: see :mod:`portal.core.dwelling_page`."""

from __future__ import annotations

from datetime import datetime

from flask import url_for
from sqlalchemy.orm import Session

from portal.core.dwelling_page import Place, Rank, Row, Section
from portal.core.i18n import lazy
from portal.core.identifiers import mask_plate
from portal.core.permissions import Actor, Permission
from portal.vehicles import queries
from portal.vehicles.words import KIND_NAMES, STATES


def section(session: Session, actor: Actor, place: Place, now: datetime) -> Section | None:
    """Vehicles that wait or are verified, plates masked."""
    if not actor.may(Permission.VEHICLE_LIST, place.path):
        return None
    return Section(
        title=lazy("Vehicles"),
        icon="car",
        rank=Rank.VEHICLES,
        rows=[
            Row(
                name=mask_plate(row.plate),
                about=KIND_NAMES[row.kind],
                href=url_for("vehicles.detail", vehicle_id=row.id),
                state=STATES[row.state],
            )
            for row in queries.of_dwelling(session, place.dwelling_id)
        ],
        nothing=lazy("No vehicle is registered for it."),
    )
