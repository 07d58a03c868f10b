"""API: communities; the region tree by code, with history and the settings that hold."""

from __future__ import annotations

from typing import Any

import marshmallow as ma
from flask_smorest import Blueprint

from portal.core.api import allowed, machine
from portal.core.paging import LAST_PAGE
from portal.core.permissions import Permission
from portal.regions import directory, settings, tree
from portal.regions.models import Change, Level, Region, RegionHistory
from portal.regions.tree import Node
from portal.services import current_services

blueprint = Blueprint(
    "api_communities", __name__, url_prefix="/api/v1/communities", description="Communities"
)
regions = Blueprint("api_regions", __name__, url_prefix="/api/v1/regions", description="Regions")
BLUEPRINTS = (blueprint, regions)


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


class RegionsQuery(ma.Schema):
    """Whose children; without it the tops of what the token reaches."""

    parent = ma.fields.String(load_default=None, validate=ma.validate.Length(max=20))
    page = ma.fields.Integer(load_default=1, validate=ma.validate.Range(min=1, max=LAST_PAGE))


class RegionSchema(ma.Schema):
    """A region. ``code`` has 12 digits, a grid's 14 to 16; ``key`` is a community's name in topics."""

    code = ma.fields.String(required=True)
    level = ma.fields.Enum(Level, by_value=True, required=True)
    name = ma.fields.String(required=True)
    uscc = ma.fields.String(allow_none=True)
    key = ma.fields.String(allow_none=True)
    timezone = ma.fields.String(required=True)
    has_children = ma.fields.Boolean(required=True)


class RegionListSchema(ma.Schema):
    """One page of regions; ``next_page`` is null on the last."""

    regions = ma.fields.List(ma.fields.Nested(RegionSchema), required=True)
    next_page = ma.fields.Integer(required=True, allow_none=True)


class RegionDetailSchema(RegionSchema):
    """A region with where it lies and the settings that hold there."""

    parents = ma.fields.List(ma.fields.String(), required=True)
    settings = ma.fields.Dict(keys=ma.fields.String(), required=True)


class ChangeSchema(ma.Schema):
    """One change of a region, or of one that it took in."""

    change = ma.fields.Enum(Change, by_value=True, required=True)
    at = ma.fields.AwareDateTime(required=True)
    from_code = ma.fields.String(required=True)
    to_code = ma.fields.String(required=True)
    from_name = ma.fields.String(required=True)
    to_name = ma.fields.String(required=True)
    from_uscc = ma.fields.String(allow_none=True)
    reason = ma.fields.String(required=True)


def _row(node: Node) -> dict[str, Any]:
    region = node.region
    return {
        "code": region.code,
        "level": Level(region.level),
        "name": region.name,
        "uscc": region.uscc,
        "key": region.key,
        "timezone": region.timezone,
        "has_children": node.has_children,
    }


@regions.get("")
@allowed(regions, Permission.REGION_VIEW)
@regions.arguments(RegionsQuery, location="query")
@regions.response(200, RegionListSchema)
def list_regions(query: dict[str, Any]) -> dict[str, Any]:
    """Regions right below one, by code, a hundred a page; or the tops."""
    actor = machine()
    with current_services().db.read() as session:
        if query["parent"] is None:
            nodes = tree.roots(session, actor, Permission.REGION_VIEW)
            return {"regions": [_row(node) for node in nodes], "next_page": None}
        parent = tree.load(session, actor, Permission.REGION_VIEW, query["parent"])
        page = tree.children(session, parent, query["page"])
        return {
            "regions": [_row(node) for node in page.items],
            "next_page": page.number + 1 if page.has_next else None,
        }


@regions.get("/<string:code>")
@allowed(regions, Permission.REGION_VIEW)
@regions.response(200, RegionDetailSchema)
def get_region(code: str) -> dict[str, Any]:
    """One region, by its present code or one that it or a region merged into it had."""
    with current_services().db.read() as session:
        region = tree.load(session, machine(), Permission.REGION_VIEW, code)
        more = bool(tree.children(session, region, size=1).items)
        return {
            **_row(Node(region, more)),
            "parents": [above.code for above in tree.ancestors(session, region)],
            "settings": {s.setting.key: s.value for s in settings.standings(session, region)},
        }


@regions.get("/<string:code>/history")
@allowed(regions, Permission.REGION_VIEW)
@regions.response(200, ChangeSchema(many=True))
def get_history(code: str) -> list[RegionHistory]:
    """What happened to a region, newest first."""
    with current_services().db.read() as session:
        region: Region = tree.load(session, machine(), Permission.REGION_VIEW, code)
        return list(tree.history(session, region))
