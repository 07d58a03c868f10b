"""API: communities."""

from __future__ import annotations

from typing import Any

import marshmallow as ma
from flask_smorest import Blueprint

from portal.core.api import allowed, machine
from portal.core.permissions import Permission
from portal.regions import directory
from portal.regions.models import Region
from portal.services import current_services

blueprint = Blueprint(
    "api_communities", __name__, url_prefix="/api/v1/communities", description="Communities"
)
BLUEPRINTS = (blueprint,)


class CommunitySchema(ma.Schema):
    """A community. ``key`` is its name in topics, ``code`` its statistical code."""

    key = ma.fields.String(required=True)
    code = ma.fields.String(required=True)
    name = ma.fields.String(required=True)
    uscc = ma.fields.String(allow_none=True)
    timezone = ma.fields.String(required=True)


class CommunityDetailSchema(CommunitySchema):
    """A community with its size."""

    buildings = ma.fields.Integer(required=True)
    dwellings = ma.fields.Integer(required=True)


@blueprint.get("")
@allowed(blueprint, Permission.REGION_VIEW)
@blueprint.response(200, CommunitySchema(many=True))
def list_communities() -> list[Region]:
    """Communities that the token reaches."""
    with current_services().db.read() as session:
        return directory.communities(session, machine(), Permission.REGION_VIEW)


@blueprint.get("/<string:key>")
@allowed(blueprint, Permission.REGION_VIEW)
@blueprint.response(200, CommunityDetailSchema)
def get_community(key: str) -> dict[str, Any]:
    """One community."""
    with current_services().db.read() as session:
        region = directory.community_by_key(session, machine(), key, Permission.REGION_VIEW)
        buildings, dwellings = directory.size(session, region)
        return {
            "key": region.key,
            "code": region.code,
            "name": region.name,
            "uscc": region.uscc,
            "timezone": region.timezone,
            "buildings": buildings,
            "dwellings": dwellings,
        }
