"""API: the passage log."""

from __future__ import annotations

from typing import Any

import marshmallow as ma
from flask_smorest import Blueprint

from portal.access import log
from portal.access.models import Outcome, Passage
from portal.core.api import MAX_PAGE, allowed, machine
from portal.core.permissions import Permission
from portal.services import current_services

blueprint = Blueprint(
    "api_passages", __name__, url_prefix="/api/v1/passages", description="Passages at gates"
)
BLUEPRINTS = (blueprint,)


class PassagesQuery(ma.Schema):
    """Which passages; ids grow with time."""

    gate = ma.fields.Integer()
    outcome = ma.fields.Enum(Outcome, by_value=True)
    before = ma.fields.Integer(load_default=0, metadata={"description": "Only ids below this"})
    after = ma.fields.Integer(load_default=0, metadata={"description": "Only ids above this"})
    limit = ma.fields.Integer(load_default=50, validate=ma.validate.Range(min=1, max=MAX_PAGE))


class PassageSchema(ma.Schema):
    """One decision at a gate; it names a dwelling, never a person."""

    id = ma.fields.Integer(required=True)
    gate = ma.fields.Integer(required=True)
    gate_name = ma.fields.String(required=True)
    direction = ma.fields.String(required=True)
    pass_kind = ma.fields.String(allow_none=True)
    dwelling = ma.fields.String(allow_none=True)
    scanned_at = ma.fields.AwareDateTime(required=True)
    decided_at = ma.fields.AwareDateTime(required=True)
    outcome = ma.fields.Enum(Outcome, by_value=True, required=True)
    reason = ma.fields.String(required=True)
    opened_at = ma.fields.AwareDateTime(allow_none=True)
    by_hand = ma.fields.Boolean(
        required=True, metadata={"description": "Decided by staff at the gate"}
    )
    body_temperature = ma.fields.Float(allow_none=True, metadata={"description": "°C"})


class PassagesSchema(ma.Schema):
    """One page, newest first; ``more`` when older ones follow."""

    passages = ma.fields.List(ma.fields.Nested(PassageSchema), required=True)
    more = ma.fields.Boolean(required=True)


def _row(passage: Passage) -> dict[str, Any]:
    return {
        "id": passage.id,
        "gate": passage.gate_id,
        "gate_name": passage.gate.name,
        "direction": passage.direction,
        "pass_kind": passage.pass_kind,
        "dwelling": passage.dwelling.label if passage.dwelling else None,
        "scanned_at": passage.scanned_at,
        "decided_at": passage.decided_at,
        "outcome": Outcome(passage.outcome),
        "reason": passage.reason,
        "opened_at": passage.opened_at,
        "by_hand": passage.by_hand is not None,
        "body_temperature": passage.body_temperature,
    }


@blueprint.get("")
@allowed(blueprint, Permission.PASSAGE_LIST)
@blueprint.arguments(PassagesQuery, location="query")
@blueprint.response(200, PassagesSchema)
def list_passages(query: dict[str, Any]) -> dict[str, Any]:
    """The passage log, newest first."""
    chosen = log.Filter(gate_id=query.get("gate"), outcome=query.get("outcome"))
    with current_services().db.read() as session:
        rows = log.page(
            session,
            machine(),
            chosen,
            before=query["before"],
            after=query["after"],
            limit=query["limit"],
        )
        return {
            "passages": [_row(passage) for passage in rows[: query["limit"]]],
            "more": len(rows) > query["limit"],
        }
