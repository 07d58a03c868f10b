"""API: devices, their telemetry, and commands to them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import marshmallow as ma
from flask_smorest import Blueprint

from mqtt.contract.telemetry import DeviceKind
from mqtt.telemetry.store import StoreUnavailable
from portal.core.api import allowed, machine
from portal.core.errors import DomainError
from portal.core.i18n import lazy
from portal.core.permissions import Permission
from portal.devices import queries
from portal.devices.doors import OpeningReason, open_door
from portal.devices.models import Device
from portal.services import current_services

blueprint = Blueprint("api_devices", __name__, url_prefix="/api/v1/devices", description="Devices")
BLUEPRINTS = (blueprint,)


class UnavailableError(DomainError):
    """A part is away for the moment (503)."""

    status = 503


class DevicesQuery(ma.Schema):
    """Which devices."""

    kind = ma.fields.Enum(DeviceKind, by_value=True)
    offset = ma.fields.Integer(load_default=0, validate=ma.validate.Range(min=0))


class DeviceSchema(ma.Schema):
    """An enrolled device."""

    id = ma.fields.Integer(required=True)
    community = ma.fields.String(required=True)
    key = ma.fields.String(required=True)
    kind = ma.fields.Enum(DeviceKind, by_value=True, required=True)
    title = ma.fields.String(required=True)
    building = ma.fields.String(allow_none=True)
    online = ma.fields.Boolean(required=True)
    status_at = ma.fields.AwareDateTime(allow_none=True)
    firmware = ma.fields.String()


class DevicesSchema(ma.Schema):
    """One page of devices; ask again with ``next_offset`` while it is not null."""

    devices = ma.fields.List(ma.fields.Nested(DeviceSchema), required=True)
    next_offset = ma.fields.Integer(allow_none=True, required=True)


class TelemetryQuery(ma.Schema):
    """Range and step of a chart."""

    measure = ma.fields.String(
        required=True,
        validate=ma.validate.Regexp(r"^[a-z][a-z_]{0,31}/[a-z0-9][a-z0-9_-]{0,63}$"),
        metadata={"example": "sensor/body_temperature"},
    )
    start = ma.fields.AwareDateTime(required=True)
    end = ma.fields.AwareDateTime(required=True)
    step_s = ma.fields.Integer(load_default=300, validate=ma.validate.Range(min=1, max=86_400))


class BucketSchema(ma.Schema):
    """One step of time; ``at`` is where it begins."""

    at = ma.fields.AwareDateTime(required=True)
    mean = ma.fields.Float(required=True)
    min = ma.fields.Float(required=True)
    max = ma.fields.Float(required=True)
    count = ma.fields.Integer(required=True)


class LastValueSchema(ma.Schema):
    """The newest value of a measure."""

    measure = ma.fields.String(required=True)
    at = ma.fields.AwareDateTime(required=True)
    value = ma.fields.Float(required=True)


class OpeningSchema(ma.Schema):
    """Why a door is opened; goes into the audit."""

    reason = ma.fields.Enum(OpeningReason, by_value=True, required=True)


class CommandSchema(ma.Schema):
    """A command on its way; it opens once, and not after ``expires_at``."""

    transaction = ma.fields.String(required=True)
    expires_at = ma.fields.AwareDateTime(required=True)


def _row(device: Device) -> dict[str, Any]:
    return {
        "id": device.id,
        "community": device.community.key,
        "key": device.key,
        "kind": DeviceKind(device.kind),
        "title": device.title,
        "building": device.building.name if device.building else None,
        "online": device.online,
        "status_at": device.status_at,
        "firmware": device.firmware,
    }


def _away() -> UnavailableError:
    return UnavailableError(
        "telemetry_unavailable", lazy("The telemetry store does not answer. Try again later.")
    )


@blueprint.get("")
@allowed(blueprint, Permission.DEVICE_LIST)
@blueprint.arguments(DevicesQuery, location="query")
@blueprint.response(200, DevicesSchema)
def list_devices(query: dict[str, Any]) -> dict[str, Any]:
    """Devices that the token reaches."""
    with current_services().db.read() as session:
        rows = queries.devices(session, machine(), kind=query.get("kind"), offset=query["offset"])
        more = len(rows) > queries.PAGE
        return {
            "devices": [_row(device) for device in rows[: queries.PAGE]],
            "next_offset": query["offset"] + queries.PAGE if more else None,
        }


@blueprint.get("/<int:device_id>")
@allowed(blueprint, Permission.DEVICE_LIST)
@blueprint.response(200, DeviceSchema)
def get_device(device_id: int) -> dict[str, Any]:
    """One device."""
    with current_services().db.read() as session:
        return _row(queries.device(session, machine(), device_id))


@blueprint.get("/<int:device_id>/last")
@allowed(blueprint, Permission.TELEMETRY_READ)
@blueprint.response(200, LastValueSchema(many=True))
def last_values(device_id: int) -> list[dict[str, Any]]:
    """The newest value of each measure."""
    services = current_services()
    with services.db.read() as session:
        device = queries.device(session, machine(), device_id, Permission.TELEMETRY_READ)
        address = (str(device.community.key), device.key)
    if services.telemetry is None:
        raise _away()
    try:
        values = services.telemetry.last(*address)
    except StoreUnavailable:
        raise _away() from None
    return [
        {"measure": key, "at": value.at, "value": value.value}
        for key, value in sorted(values.items())
    ]


@blueprint.get("/<int:device_id>/telemetry")
@allowed(blueprint, Permission.TELEMETRY_READ)
@blueprint.arguments(TelemetryQuery, location="query")
@blueprint.response(200, BucketSchema(many=True))
def telemetry(query: dict[str, Any], device_id: int) -> list[Any]:
    """Means, extremes and counts of one measure over a range."""
    start: datetime = query["start"]
    end: datetime = query["end"]
    services = current_services()
    with services.db.read() as session:
        device = queries.device(session, machine(), device_id, Permission.TELEMETRY_READ)
        address = (str(device.community.key), device.key)
    if services.telemetry is None:
        raise _away()
    try:
        return services.telemetry.query(
            *address, query["measure"], start, end, timedelta(seconds=query["step_s"])
        )
    except StoreUnavailable:
        raise _away() from None
    except ValueError:
        raise DomainError(
            "range",
            lazy("The end must come after the start, with at most 20,000 steps between them."),
            field="end",
        ) from None


@blueprint.post("/<int:device_id>/openings")
@allowed(blueprint, Permission.DEVICE_COMMAND)
@blueprint.arguments(OpeningSchema)
@blueprint.response(202, CommandSchema)
def open_once(body: dict[str, Any], device_id: int) -> Any:
    """Open a door once, for a reason."""
    services = current_services()
    with services.db.write() as session:
        return open_door(
            session,
            machine(),
            device_id,
            body["reason"],
            services.clock(),
            seconds=services.config.unlock_seconds,
        )
