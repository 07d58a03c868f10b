"""A resident's parcels, and the page of whoever holds a code of one.

The token in a link is the only secret in an address: 256 random bits, found by keyed hash. Pages behind it
name no person.
"""

from __future__ import annotations

import re
from typing import Any, Final

from flask import flash, render_template, request, url_for
from sqlalchemy import select
from wtforms import SelectChoice

from mqtt.contract.telemetry import DeviceKind
from portal.core.actors import current_actor, resident_required
from portal.core.errors import ConflictError, DomainError, NotFoundError, TooManyError
from portal.core.i18n import _
from portal.core.limits import limited
from portal.core.permissions import not_found
from portal.devices.models import Device
from portal.parcels import codes, fetching, queries, shelf
from portal.parcels.forms import PickupForm, ShareForm, blame
from portal.parcels.models import Parcel, ParcelState, Place
from portal.parcels.pages import (
    CODE_FAILS,
    LINK_LIMIT,
    LOCKER_FAILS,
    blueprint,
    private,
    to,
    unless_seen,
)
from portal.parcels.times import MOST_EXTENSIONS
from portal.passes.drawing import qr_svg
from portal.services import current_services

TOKEN: Final = re.compile(r"[A-Za-z0-9_-]{43}")


@blueprint.get("/parcels")
@resident_required
def mine() -> Any:
    """What waits for me, and what I have had."""
    services, actor = current_services(), current_actor()
    now = services.clock()
    with services.db.read() as session:
        rows = queries.waiting(session, actor)
        past = queries.history(session, actor, now)
        meals = shelf.meals(session, actor.resident_id, now)
    return render_template(
        "parcels/mine.html",
        rows=[(row, queries.is_overdue(row, now)) for row in rows],
        past=past,
        meals=meals,
        Place=Place,
    )


@blueprint.get("/parcels/<int:parcel_id>")
@resident_required
def one(parcel_id: int) -> Any:
    """One parcel with its code."""
    return private("parcels/one.html", form=ShareForm(), **_own(parcel_id))


@blueprint.get("/parcels/<int:parcel_id>/state")
@resident_required
def one_state(parcel_id: int) -> Any:
    """Its state, when it is no longer what the page shows."""
    values = _own(parcel_id)
    return unless_seen("parcels/_own.html", values.pop("seen"), form=ShareForm(), **values)


def _own(parcel_id: int) -> dict[str, Any]:
    services = current_services()
    now = services.clock()
    with services.db.read() as session:
        parcel = fetching.own_one(session, current_actor(), parcel_id)
        found = codes.of_parcel(session, parcel_id)
    own = next((code for code in found if not code.shared), None)
    shared = [(code, link_to(code.token)) for code in found if code.shared]
    return {
        "parcel": parcel,
        "code": own,
        "qr": qr_svg(link_to(own.token)) if own is not None else None,
        "shared": shared,
        "overdue": queries.is_overdue(parcel, now),
        "may_extend": parcel.state == ParcelState.STORED and parcel.extensions < MOST_EXTENSIONS,
        "pickup_page": current_services().config.effective_public_url + url_for("parcels.pickup"),
        "seen": _seen(parcel),
        "State": ParcelState,
        "Place": Place,
    }


def link_to(token: str) -> str:
    """The address that a code's QR holds."""
    base = current_services().config.effective_public_url
    return f"{base}{url_for('parcels.link', pickup_token=token)}"


def _seen(parcel: Parcel) -> str:
    return f"{parcel.state}-{parcel.fault}-{parcel.place}"


@blueprint.route("/parcels/<int:parcel_id>/open", methods=["GET", "POST"])
@resident_required
def open_own(parcel_id: int) -> Any:
    """Ask once more, then open."""
    services, actor = current_services(), current_actor()
    if request.method == "GET":
        values = _own(parcel_id)
        if values["parcel"].state != ParcelState.STORED or values["parcel"].place != Place.LOCKER:
            return to("parcels.one", parcel_id=parcel_id)
        return render_template("parcels/open.html", **values)
    try:
        with services.db.write() as session:
            fetching.open_own(session, actor, parcel_id, services.clock())
    except ConflictError as error:
        flash(str(error.message), "warning")
    return to("parcels.one", parcel_id=parcel_id)


@blueprint.post("/parcels/<int:parcel_id>/share")
@resident_required
def share(parcel_id: int) -> Any:
    """A code for somebody else."""
    services, form = current_services(), ShareForm()
    try:
        with services.db.write() as session:
            fetching.share(
                session, current_actor(), parcel_id, form.label.data or "", services.clock()
            )
    except (ConflictError, TooManyError) as error:
        flash(str(error.message), "warning")
    except NotFoundError:
        raise
    except DomainError as error:
        blame(form, error, "label")
        return private("parcels/one.html", 422, form=form, **_own(parcel_id))
    return to("parcels.one", parcel_id=parcel_id, _anchor="shared")


@blueprint.post("/parcels/<int:parcel_id>/shared/<int:code_id>/remove")
@resident_required
def unshare(parcel_id: int, code_id: int) -> Any:
    """Take it back."""
    with current_services().db.write() as session:
        fetching.unshare(session, current_actor(), parcel_id, code_id)
    flash(_("The code opens nothing any more."), "success")
    return to("parcels.one", parcel_id=parcel_id, _anchor="shared")


@blueprint.post("/parcels/<int:parcel_id>/extend")
@resident_required
def extend(parcel_id: int) -> Any:
    """Keep it a day longer."""
    services = current_services()
    try:
        with services.db.write() as session:
            fetching.extend(session, current_actor(), parcel_id, services.clock())
        flash(_("The parcel is kept a day longer, free of charge."), "success")
    except ConflictError as error:
        flash(str(error.message), "warning")
    return to("parcels.one", parcel_id=parcel_id)


@blueprint.post("/parcels/meals/<int:arrival_id>/clear")
@resident_required
def clear_meal(arrival_id: int) -> Any:
    """I have my meal."""
    services = current_services()
    with services.db.write() as session:
        shelf.clear_meal(session, current_actor(), arrival_id, services.clock())
    return to("parcels.mine")


def _locker_tried() -> str:
    """The locker whose codes are being tried."""
    text = request.form.get("locker", "")
    return f"locker:{text if text.isascii() and text.isdigit() and len(text) < 10 else 0}"


# --- whoever holds a code -----------------------------------------------------------------------


@blueprint.route("/pickup", methods=["GET", "POST"])
@limited(CODE_FAILS, only_failed=True)
@limited(LOCKER_FAILS, key=_locker_tried, only_failed=True)
def pickup() -> Any:
    """Type the eight digits at a locker."""
    services, form = current_services(), PickupForm()
    with services.db.read() as session:
        devices = session.scalars(
            select(Device)
            .where(Device.kind == DeviceKind.PARCEL_LOCKER, Device.retired_at.is_(None))
            .order_by(Device.title, Device.id)
            .limit(200)
        ).all()
        form.locker.choices = [SelectChoice(value=str(d.id), label=d.title) for d in devices]
        if request.method == "GET":
            form.locker.data = request.args.get("locker", "")
            return private("parcels/pickup.html", form=form)
        chosen = next((d.id for d in devices if str(d.id) == form.locker.data), 0)
        try:
            if not form.validate():
                return private("parcels/pickup.html", 422, form=form)
            _parcel, token = fetching.by_code(session, form.code.data or "", chosen)
        except DomainError as error:
            blame(form, error, "code")
            return private("parcels/pickup.html", 422, form=form)
    return to("parcels.link", pickup_token=token)


@blueprint.get("/k/<pickup_token>")
@limited(LINK_LIMIT, exempt_when=lambda: False)
def link(pickup_token: str) -> Any:
    """What the holder of a code sees."""
    return private("parcels/link.html", **_held(pickup_token))


@blueprint.get("/k/<pickup_token>/state")
@limited(LINK_LIMIT, exempt_when=lambda: False)
def link_state(pickup_token: str) -> Any:
    """The same, when it is no longer what the page shows."""
    try:
        values = _held(pickup_token)
    except NotFoundError:  # fetched: the code is gone with the parcel
        return unless_seen("parcels/_held.html", "gone", parcel=None, token=pickup_token)
    return unless_seen("parcels/_held.html", values.pop("seen"), **values)


@blueprint.post("/k/<pickup_token>/open")
@limited(LINK_LIMIT, exempt_when=lambda: False)
def link_open(pickup_token: str) -> Any:
    """The holder opens."""
    services = current_services()
    if not TOKEN.fullmatch(pickup_token):
        raise not_found()
    try:
        with services.db.write() as session:
            fetching.open_by_token(session, pickup_token, services.clock())
    except ConflictError as error:
        flash(str(error.message), "warning")
    return to("parcels.link", pickup_token=pickup_token)


def _held(token: str) -> dict[str, Any]:
    if not TOKEN.fullmatch(token):
        raise not_found()
    with current_services().db.read() as session:
        parcel = fetching.by_token(session, token)
    return {
        "parcel": parcel,
        "token": token,
        "seen": _seen(parcel),
        "State": ParcelState,
        "Place": Place,
    }
