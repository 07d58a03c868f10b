"""API: the queue of invitations, and the decision on one."""

from __future__ import annotations

from typing import Any

import marshmallow as ma
from flask_smorest import Blueprint

from portal.core.api import allowed, machine
from portal.core.permissions import Permission
from portal.services import current_services
from portal.visitors import operations, queries
from portal.visitors.models import Invitation
from portal.visitors.queries import Shown

blueprint = Blueprint(
    "api_invitations", __name__, url_prefix="/api/v1/invitations", description="Invitations"
)
BLUEPRINTS = (blueprint,)


class InvitationsQuery(ma.Schema):
    """Waiting ones, or those already decided."""

    decided = ma.fields.Boolean(load_default=False)
    before = ma.fields.Integer(load_default=0)


class InvitationSchema(ma.Schema):
    """An invitation without the visitor's name or number."""

    id = ma.fields.Integer(required=True)
    community = ma.fields.String(required=True)
    dwelling = ma.fields.String(required=True)
    purpose = ma.fields.String(required=True)
    valid_from = ma.fields.AwareDateTime(required=True)
    valid_until = ma.fields.AwareDateTime(required=True)
    state = ma.fields.Enum(Shown, by_value=True, required=True)


class DecisionSchema(ma.Schema):
    """Yes or no; a no needs a note."""

    approve = ma.fields.Boolean(required=True)
    note = ma.fields.String(load_default="", validate=ma.validate.Length(max=200))


def _row(invitation: Invitation) -> dict[str, Any]:
    return {
        "id": invitation.id,
        "community": invitation.community.key,
        "dwelling": invitation.dwelling.label,
        "purpose": invitation.purpose,
        "valid_from": invitation.valid_from,
        "valid_until": invitation.valid_until,
        "state": queries.shown_state(invitation, current_services().clock()),
    }


@blueprint.get("")
@allowed(blueprint, Permission.INVITATION_LIST)
@blueprint.arguments(InvitationsQuery, location="query")
@blueprint.response(200, InvitationSchema(many=True))
def list_invitations(query: dict[str, Any]) -> list[dict[str, Any]]:
    """Invitations that the token reaches: waiting ones oldest first, decided ones newest first."""
    services = current_services()
    with services.db.read() as session:
        rows = queries.queue(
            session,
            machine(),
            services.clock(),
            decided=query["decided"],
            before=query["before"],
        )
        return [_row(invitation) for invitation in rows]


@blueprint.post("/<int:invitation_id>/decision")
@allowed(blueprint, Permission.INVITATION_DECIDE)
@blueprint.arguments(DecisionSchema)
@blueprint.response(200, InvitationSchema)
def decide(body: dict[str, Any], invitation_id: int) -> dict[str, Any]:
    """Approve or refuse an invitation, once."""
    services = current_services()
    choose = operations.approve if body["approve"] else operations.refuse
    with services.db.write() as session:
        invitation = choose(session, machine(), invitation_id, body["note"], services.clock())
        return _row(invitation)
