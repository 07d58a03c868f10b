"""API: vehicles, and what a plate is worth at a barrier."""

from __future__ import annotations

from typing import Any

import marshmallow as ma
from flask_smorest import Blueprint

from portal.core.api import allowed, machine
from portal.core.errors import DomainError
from portal.core.identifiers import check_plate, mask_plate, sentence
from portal.core.paging import LAST_PAGE
from portal.core.permissions import Permission
from portal.regions.directory import community_by_key
from portal.services import current_services
from portal.vehicles import queries
from portal.vehicles.models import Belongs, Vehicle, VehicleKind, VehicleState
from portal.vehicles.queries import Verdict

blueprint = Blueprint(
    "api_vehicles", __name__, url_prefix="/api/v1/vehicles", description="Vehicles"
)
BLUEPRINTS = (blueprint,)


class VehiclesQuery(ma.Schema):
    """Which vehicles, and which page of them."""

    state = ma.fields.Enum(VehicleState, by_value=True, load_default=VehicleState.PENDING)
    page = ma.fields.Integer(load_default=1, validate=ma.validate.Range(min=1, max=LAST_PAGE))


class VehicleSchema(ma.Schema):
    """A vehicle; of its plate only a part."""

    id = ma.fields.Integer(required=True)
    community = ma.fields.String(required=True)
    dwelling = ma.fields.String(required=True)
    plate_masked = ma.fields.String(required=True)
    plate_class = ma.fields.String(required=True)
    opens_automatically = ma.fields.Boolean(required=True)
    kind = ma.fields.Enum(VehicleKind, by_value=True, required=True)
    belongs = ma.fields.Enum(Belongs, by_value=True, required=True)
    state = ma.fields.Enum(VehicleState, by_value=True, required=True)
    registered_at = ma.fields.AwareDateTime(required=True)
    decided_at = ma.fields.AwareDateTime(allow_none=True)


class VehiclesSchema(ma.Schema):
    """A page of vehicles; ``next_page`` is null on the last."""

    vehicles = ma.fields.List(ma.fields.Nested(VehicleSchema), required=True)
    next_page = ma.fields.Integer(allow_none=True, required=True)


class PlateLookupSchema(ma.Schema):
    """A whole plate as a camera read it, and the community whose barrier asks."""

    community = ma.fields.String(required=True, validate=ma.validate.Length(max=32))
    plate = ma.fields.String(required=True, validate=ma.validate.Length(max=20))


class PlateVerdictSchema(ma.Schema):
    """What the plate is worth there."""

    verdict = ma.fields.Enum(
        Verdict,
        by_value=True,
        required=True,
        metadata={
            "description": "`allowed`: a verified vehicle of somebody who lives there; `by_hand`: the "
            "same, but no barrier may open for this class of plates by itself; `unknown`: anything else"
        },
    )


def _row(vehicle: Vehicle) -> dict[str, Any]:
    return {
        "id": vehicle.id,
        "community": vehicle.community.key,
        "dwelling": vehicle.dwelling.label,
        "plate_masked": mask_plate(vehicle.plate),
        "plate_class": vehicle.plate_class,
        "opens_automatically": not vehicle.by_hand_only,
        "kind": VehicleKind(vehicle.kind),
        "belongs": Belongs(vehicle.belongs),
        "state": VehicleState(vehicle.state),
        "registered_at": vehicle.registered_at,
        "decided_at": vehicle.decided_at,
    }


@blueprint.get("")
@allowed(blueprint, Permission.VEHICLE_LIST)
@blueprint.arguments(VehiclesQuery, location="query")
@blueprint.response(200, VehiclesSchema)
def list_vehicles(query: dict[str, Any]) -> dict[str, Any]:
    """Vehicles that the token reaches, by state: waiting ones oldest first, others newest first."""
    with current_services().db.read() as session:
        page = queries.in_state(session, machine(), query["state"], query["page"])
        return {
            "vehicles": [_row(vehicle) for vehicle in page.items],
            "next_page": page.number + 1 if page.has_next else None,
        }


@blueprint.post("/lookups")
@allowed(blueprint, Permission.VEHICLE_LIST)
@blueprint.arguments(PlateLookupSchema)
@blueprint.response(200, PlateVerdictSchema)
def look_up(body: dict[str, Any]) -> dict[str, Any]:
    """Whether a vehicle with exactly this plate may in. The plate comes in the body: addresses are logged."""
    plate = check_plate(body["plate"])
    with current_services().db.read() as session:
        community = community_by_key(session, machine(), body["community"], Permission.VEHICLE_LIST)
        if not plate.valid:
            raise DomainError("plate_malformed", sentence(plate), field="plate")
        return {"verdict": queries.verdict(session, community.id, plate.value)}
