"""API: alarms for machines such as Home Assistant: list, acknowledge, close. Without names and notes."""

from __future__ import annotations

from typing import Any

import marshmallow as ma
from flask_smorest import Blueprint
from sqlalchemy.orm import Session

from portal.core.api import MAX_PAGE, allowed, machine
from portal.core.permissions import Permission
from portal.services import current_services
from portal.telecare import operations, queries
from portal.telecare.alarm_models import Alarm, AlarmState, Cause

blueprint = Blueprint(
    "api_alarms", __name__, url_prefix="/api/v1/alarms", description="Alarms of worn buttons"
)
BLUEPRINTS = (blueprint,)


class AlarmsQuery(ma.Schema):
    """Open ones; with ``all``, also those that are over."""

    all = ma.fields.Boolean(load_default=False)
    before = ma.fields.Integer(load_default=0, validate=ma.validate.Range(min=0, max=2**53))
    limit = ma.fields.Integer(load_default=50, validate=ma.validate.Range(min=1, max=MAX_PAGE))


class AlarmSchema(ma.Schema):
    """An alarm: which button, where, how it stands. It names nobody."""

    id = ma.fields.Integer(required=True)
    community = ma.fields.String(required=True)
    device = ma.fields.String(required=True)
    title = ma.fields.String(required=True, metadata={"description": "The button's title"})
    dwelling = ma.fields.String(
        required=True, metadata={"description": "Empty when nobody wears it"}
    )
    state = ma.fields.Enum(AlarmState, by_value=True, required=True)
    step = ma.fields.Integer(required=True, metadata={"description": "Rungs climbed so far"})
    presses = ma.fields.Integer(required=True)
    pressed_at = ma.fields.AwareDateTime(required=True)
    raised_at = ma.fields.AwareDateTime(required=True, allow_none=True)
    acknowledged_at = ma.fields.AwareDateTime(required=True, allow_none=True)
    closed_at = ma.fields.AwareDateTime(required=True, allow_none=True)
    cause = ma.fields.String(required=True, metadata={"description": "Empty while it is open"})


class ClosingSchema(ma.Schema):
    """What it was."""

    cause = ma.fields.Enum(Cause, by_value=True, required=True)
    note = ma.fields.String(
        load_default="", validate=ma.validate.Length(max=operations.NOTE_LENGTH)
    )


def _row(alarm: Alarm) -> dict[str, Any]:
    home = alarm.wearer.resident.residency if alarm.wearer else None
    return {
        "id": alarm.id,
        "community": alarm.community.key,
        "device": alarm.device.key,
        "title": alarm.device.title,
        "dwelling": home.dwelling.label if home else "",
        "state": AlarmState(alarm.state),
        "step": alarm.step,
        "presses": alarm.presses,
        "pressed_at": alarm.pressed_at,
        "raised_at": alarm.raised_at,
        "acknowledged_at": alarm.acknowledged_at,
        "closed_at": alarm.closed_at,
        "cause": alarm.cause,
    }


@blueprint.get("")
@allowed(blueprint, Permission.TELECARE_LIST)
@blueprint.arguments(AlarmsQuery, location="query")
@blueprint.response(200, AlarmSchema(many=True))
def list_alarms(query: dict[str, Any]) -> list[dict[str, Any]]:
    """Alarms that the token reaches, newest first; ``before`` is the smallest id of the page before."""
    with current_services().db.read() as session:
        rows = queries.for_machines(
            session, machine(), over=query["all"], before=query["before"], limit=query["limit"]
        )
        return [_row(alarm) for alarm in rows]


@blueprint.get("/<int:alarm_id>")
@allowed(blueprint, Permission.TELECARE_LIST)
@blueprint.response(200, AlarmSchema)
def show_alarm(alarm_id: int) -> dict[str, Any]:
    """One alarm."""
    with current_services().db.read() as session:
        return _fresh(session, alarm_id)


@blueprint.post("/<int:alarm_id>/acknowledgement")
@allowed(blueprint, Permission.TELECARE_RESPOND)
@blueprint.response(200, AlarmSchema)
def acknowledge(alarm_id: int) -> dict[str, Any]:
    """Take an alarm, once: the ladder stops and the button tells its wearer."""
    services = current_services()
    with services.db.write() as session:
        operations.acknowledge(session, machine(), alarm_id, services.clock())
        return _fresh(session, alarm_id)


@blueprint.post("/<int:alarm_id>/closing")
@allowed(blueprint, Permission.TELECARE_RESPOND)
@blueprint.arguments(ClosingSchema)
@blueprint.response(200, AlarmSchema)
def close(body: dict[str, Any], alarm_id: int) -> dict[str, Any]:
    """End an alarm that somebody has taken, with its cause."""
    services = current_services()
    with services.db.write() as session:
        cause, note = body["cause"].value, body["note"]
        operations.close(session, machine(), alarm_id, cause, note, services.clock())
        return _fresh(session, alarm_id)


def _fresh(session: Session, alarm_id: int) -> dict[str, Any]:
    return _row(queries.one_for_staff(session, machine(), alarm_id))
