"""API: the public keys of passes, and a verdict on a code."""

from __future__ import annotations

import json
from typing import Any

import marshmallow as ma
from flask import Response
from flask_smorest import Blueprint

from portal.core.api import allowed, machine
from portal.core.permissions import Permission
from portal.passes.models import Pass
from portal.passes.operations import load_keyset
from portal.passes.verdict import verify
from portal.services import current_services

blueprint = Blueprint("api_passes", __name__, url_prefix="/api/v1/passes", description="Passes")
BLUEPRINTS = (blueprint,)

KEYS_SECONDS = 300
"""How long a gate may keep the key set without asking again."""


class KeySetSchema(ma.Schema):
    """A JSON Web Key Set; each key has its community and its time of validity besides."""

    keys = ma.fields.List(ma.fields.Dict(), required=True)


class CodeSchema(ma.Schema):
    """A code as read from a screen or paper."""

    code = ma.fields.String(required=True, validate=ma.validate.Length(min=1, max=1024))


class VerdictSchema(ma.Schema):
    """What the code is worth by itself: signature, key, times and revocation, not use counts."""

    valid = ma.fields.Boolean(required=True)
    reason = ma.fields.String(required=True)
    detail = ma.fields.String(required=True, metadata={"description": "Translated sentence"})
    claims = ma.fields.Dict(allow_none=True)


@blueprint.get("/keys")
@allowed(blueprint, None)
@blueprint.response(200, KeySetSchema)
def keys() -> Response:
    """Public keys that verify codes without a network. Holds nothing secret or personal."""
    with current_services().db.read() as session:
        text = load_keyset(session).to_json()
    response = Response(text, content_type="application/json")
    response.cache_control.public = True
    response.cache_control.max_age = KEYS_SECONDS
    response.add_etag()
    return response


@blueprint.post("/verify")
@allowed(blueprint, Permission.PASSAGE_LIST)
@blueprint.arguments(CodeSchema)
@blueprint.response(200, VerdictSchema)
def verify_code(body: dict[str, str]) -> dict[str, Any]:
    """Judge a code without using it up."""
    services = current_services()
    actor = machine()
    with services.db.read() as session:
        verdict = verify(body["code"], load_keyset(session), services.clock())
        claims = verdict.claims
        row = session.get(Pass, claims.pass_id.hex()) if claims else None
        reason, valid = str(verdict.reason), verdict.ok
        if claims and row is None:
            reason, valid = "unknown_pass", False
        elif row is not None and not actor.may(Permission.PASSAGE_LIST, row.community.path):
            return {"valid": False, "reason": "wrong_community", "detail": "", "claims": None}
        elif row is not None and row.revoked_at is not None:
            reason, valid = "revoked", False
        shown = json.loads(json.dumps(claims.as_json())) if claims else None
        return {"valid": valid, "reason": reason, "detail": verdict.sentence, "claims": shown}
