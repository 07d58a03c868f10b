"""API: counts of lockers and parcels, for Home Assistant and the like. No person is in it."""

from __future__ import annotations

from typing import Any

import marshmallow as ma
from flask_smorest import Blueprint

from portal.core.api import allowed, machine
from portal.core.permissions import Permission
from portal.parcels import queries
from portal.parcels.models import SIZES
from portal.services import current_services

lockers_blueprint = Blueprint(
    "api_lockers", __name__, url_prefix="/api/v1/lockers", description="Parcel lockers"
)
parcels_blueprint = Blueprint(
    "api_parcels", __name__, url_prefix="/api/v1/parcels", description="Parcels that wait"
)
BLUEPRINTS = (lockers_blueprint, parcels_blueprint)


class SizeCountSchema(ma.Schema):
    """Compartments of one size class."""

    size = ma.fields.String(required=True, validate=ma.validate.OneOf([str(s) for s in SIZES]))
    total = ma.fields.Integer(required=True)
    free = ma.fields.Integer(required=True)
    occupied = ma.fields.Integer(
        required=True, metadata={"description": "Reserved ones are counted here"}
    )
    out_of_order = ma.fields.Integer(required=True)
    overdue = ma.fields.Integer(
        required=True, metadata={"description": "Of the occupied ones, those that wait too long"}
    )


class LockerSchema(ma.Schema):
    """One locker."""

    device_id = ma.fields.Integer(required=True)
    community = ma.fields.String(required=True)
    key = ma.fields.String(required=True)
    title = ma.fields.String(required=True)
    online = ma.fields.Boolean(required=True)
    sizes = ma.fields.List(ma.fields.Nested(SizeCountSchema), required=True)


class ParcelCountSchema(ma.Schema):
    """Parcels of one community that wait to be fetched."""

    community = ma.fields.String(required=True)
    in_lockers = ma.fields.Integer(required=True)
    on_shelf = ma.fields.Integer(required=True)
    overdue = ma.fields.Integer(required=True)


@lockers_blueprint.get("")
@allowed(lockers_blueprint, Permission.PARCEL_LIST)
@lockers_blueprint.response(200, LockerSchema(many=True))
def list_lockers() -> list[dict[str, Any]]:
    """Lockers that the token reaches: free, occupied and overdue compartments by size."""
    services = current_services()
    with services.db.read() as session:
        rows = queries.lockers(session, machine(), Permission.PARCEL_LIST)
        queries.add_overdue(session, {row.device.id: row for row in rows}, services.clock())
    return [
        {
            "device_id": row.device.id,
            "community": row.device.community.key,
            "key": row.device.key,
            "title": row.device.title,
            "online": row.device.online,
            "sizes": [
                {
                    "size": size,
                    "total": one.total,
                    "free": one.free,
                    "occupied": one.occupied,
                    "out_of_order": one.out_of_order,
                    "overdue": one.overdue,
                }
                for size, one in row.sizes.items()
            ],
        }
        for row in rows
    ]


@parcels_blueprint.get("")
@allowed(parcels_blueprint, Permission.PARCEL_LIST)
@parcels_blueprint.response(200, ParcelCountSchema(many=True))
def count_parcels() -> list[dict[str, Any]]:
    """Parcels that wait, by community that the token reaches."""
    services = current_services()
    with services.db.read() as session:
        rows = queries.totals(session, machine(), services.clock())
    return [{"community": region.key, **counts} for region, counts in rows]
