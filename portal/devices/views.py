"""Devices on pages: the list, one device with its charts, events and commands, and opening a door.

A telemetry store that is away takes nothing from these pages but the values: they say so instead.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import structlog
from flask import Blueprint, flash, jsonify, redirect, render_template, request, url_for
from flask_wtf import FlaskForm
from wtforms import SelectChoice, SelectField

from mqtt.contract.telemetry import DeviceKind
from mqtt.telemetry.store import StoreUnavailable, TelemetryStore
from portal.core.actors import current_actor, staff_required
from portal.core.errors import ConflictError, DomainError
from portal.core.i18n import _, lazy
from portal.core.paging import Page, page_number
from portal.core.permissions import Permission, not_found, require_somewhere
from portal.devices import charts, queries, words
from portal.devices.charts import RANGE_NAMES, Range, Reading
from portal.devices.doors import REASON_NAMES, open_door
from portal.devices.models import Device
from portal.services import current_services

blueprint = Blueprint("devices", __name__, url_prefix="/work/devices", template_folder="templates")
log = structlog.get_logger("portal.devices")


def _reasons() -> list[Any]:
    named = [SelectChoice(value=str(code), label=name) for code, name in REASON_NAMES.items()]
    return [SelectChoice(value="", label=lazy("Choose…")), *named]


class OpeningForm(FlaskForm):  # type: ignore[misc]  # flask_wtf ships no types
    """Why a door is opened from afar."""

    reason = SelectField(lazy("Why do you open it?"), choices=_reasons, validate_choice=False)


@blueprint.get("")
@staff_required
def index() -> str:
    """The devices in the actor's regions."""
    actor, services = current_actor(), current_services()
    require_somewhere(actor, Permission.DEVICE_LIST)
    kind = request.args.get("kind", "")
    chosen = DeviceKind(kind) if kind in set(DeviceKind) else None
    number = page_number(request.args.get("page"))
    with services.db.read() as session:
        rows = queries.devices(session, actor, kind=chosen, offset=(number - 1) * queries.PAGE)
    shown = rows[: queries.PAGE]
    readable = [d for d in shown if actor.may(Permission.TELEMETRY_READ, d.community.path)]
    values, available = _last_values(readable)
    return render_template(
        "devices/index.html",
        page=Page(shown, number, queries.PAGE, len(rows) > queries.PAGE),
        chosen=chosen,
        kinds=words.KIND_NAMES,
        icons=words.KIND_ICONS,
        values=values,
        shows_values=bool(readable),
        available=available,
        several=len({d.community_id for d in shown}) > 1,
    )


@blueprint.get("/<int:device_id>")
@staff_required
def show(device_id: int) -> str:
    """One device."""
    return _page(device_id, OpeningForm())


@blueprint.post("/<int:device_id>/open")
@staff_required
def open_(device_id: int) -> Any:
    """Open the door once."""
    services, form = current_services(), OpeningForm()
    if not form.validate():
        return _page(device_id, form), 422
    try:
        with services.db.write() as session:
            open_door(
                session,
                current_actor(),
                device_id,
                form.reason.data or "",
                services.clock(),
                seconds=services.config.unlock_seconds,
            )
    except ConflictError as error:
        flash(str(error.message), "warning")
    except DomainError as error:
        if error.field != "reason":
            raise
        form.reason.errors = [str(error.message)]
        return _page(device_id, form), 422
    else:
        flash(_("The door has been asked to open. Its answer appears below."), "success")
    return redirect(url_for("devices.show", device_id=device_id, _anchor="commands"))


@blueprint.get("/<int:device_id>/commands")
@staff_required
def commands(device_id: int) -> str:
    """The list of commands alone, for keeping it up to date."""
    with current_services().db.read() as session:
        device = queries.device(session, current_actor(), device_id)
        sent = queries.commands(session, device)
    return render_template("devices/_commands.html", device=device, commands=sent, words=words)


@blueprint.get("/<int:device_id>/telemetry")
@staff_required
def telemetry(device_id: int) -> Any:
    """Curves of every measure over ``range`` as JSON: times in ms since 1970, [time, mean, min, max]."""
    services = current_services()
    device = _readable(device_id)
    span = _range()
    now = services.clock()
    store = services.telemetry
    try:
        if store is None:
            raise StoreUnavailable("no store")
        curves = [
            charts.curve(store, device, measure, span, now)
            for measure in charts.measures(device.kind)
        ]
    except StoreUnavailable as error:
        log.warning("telemetry store unavailable", reason=str(error))
        return jsonify(error=_("The telemetry store does not answer. Try again in a minute.")), 503
    return jsonify(
        range=span,
        start=_ms(now - charts.LENGTHS[span]),
        end=_ms(now),
        curves=[
            {
                "key": curve.measure.key,
                "name": curve.name,
                "unit": curve.measure.unit,
                "states": [str(s) for s in charts.STATES.get(curve.measure.key, ())],
                "step_ms": _span_ms(curve),
                "points": [[_ms(b.at), b.mean, b.min, b.max] for b in curve.buckets],
            }
            for curve in curves
        ],
    )


@blueprint.get("/<int:device_id>/values")
@staff_required
def values(device_id: int) -> Any:
    """One measure as a table, for whoever cannot see a chart."""
    services = current_services()
    device = _readable(device_id)
    known = {m.key: m for m in charts.measures(device.kind)}
    measure = known.get(request.args.get("measure", "")) or next(iter(known.values()), None)
    if measure is None:
        raise not_found()
    span = _range()
    curve, available = None, True
    try:
        if services.telemetry is None:
            raise StoreUnavailable("no store")
        curve = charts.curve(services.telemetry, device, measure, span, services.clock())
    except StoreUnavailable as error:
        log.warning("telemetry store unavailable", reason=str(error))
        available = False
    html = render_template(
        "devices/values.html",
        device=device,
        measures=known.values(),
        measure=measure,
        span=span,
        range_names=RANGE_NAMES,
        curve=curve,
        available=available,
        name_of=charts.name_of,
        text_of=charts.text_of,
    )
    return html, 200 if available else 503


def _page(device_id: int, form: OpeningForm) -> str:
    services, actor = current_services(), current_actor()
    with services.db.read() as session:
        device = queries.device(session, actor, device_id)
        events = queries.events(session, device)
        sent = queries.commands(session, device)
    path = device.community.path
    reads = actor.may(Permission.TELEMETRY_READ, path)
    last, available = _last_values([device] if reads else [])
    return render_template(
        "devices/show.html",
        device=device,
        kind=words.KIND_NAMES.get(device.kind, device.kind),
        events=events,
        commands=sent,
        words=words,
        reads=reads,
        available=available,
        readings=last.get(device.id, []),
        ranges=RANGE_NAMES,
        opens=device.kind == DeviceKind.DOOR_LOCK and device.retired_at is None,
        may_command=actor.may(Permission.DEVICE_COMMAND, path),
        form=form,
    )


def _readable(device_id: int) -> Device:
    with current_services().db.read() as session:
        return queries.device(session, current_actor(), device_id, Permission.TELEMETRY_READ)


def _range() -> Range:
    asked = request.args.get("range", "")
    return Range(asked) if asked in set(Range) else Range.DAY


def _last_values(devices: list[Device]) -> tuple[dict[int, list[Reading]], bool]:
    """Readings by device, and whether the store answered; the first silence is enough."""
    services = current_services()
    store: TelemetryStore | None = services.telemetry
    if not devices:
        return {}, True
    now, found = services.clock(), {}
    try:
        if store is None:
            raise StoreUnavailable("no store")
        for device in devices:
            found[device.id] = charts.readings(device, charts.last_values(store, device), now)
    except StoreUnavailable as error:
        log.warning("telemetry store unavailable", reason=str(error))
        return found, False
    return found, True


def _ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def _span_ms(curve: charts.Curve) -> int:
    return int(curve.step.total_seconds() * 1000)
