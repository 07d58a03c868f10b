"""Finding vehicles by their whole plate."""

from __future__ import annotations

from flask import url_for
from sqlalchemy.orm import Session

from portal.core.i18n import lazy
from portal.core.identifiers import mask_plate
from portal.core.permissions import Actor, Permission
from portal.core.search import MOST, Hit, Query
from portal.vehicles import queries
from portal.vehicles.models import Vehicle
from portal.vehicles.words import STATES


def find(session: Session, actor: Actor, query: Query) -> list[Hit]:
    """Registrations of exactly this plate, the verified one first."""
    if query.plate is None or not actor.paths(Permission.VEHICLE_LIST):
        return []
    return [_hit(row) for row in queries.by_plate(session, actor, query.plate, MOST)]


def _hit(vehicle: Vehicle) -> Hit:
    return Hit(
        kind=lazy("Vehicles"),
        title=mask_plate(vehicle.plate),
        about=f"{vehicle.dwelling.label} · {STATES[vehicle.state][0]}",
        href=url_for("vehicles.detail", vehicle_id=vehicle.id),
        icon="car",
        exact=True,
    )
