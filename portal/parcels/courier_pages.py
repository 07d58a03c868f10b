"""The courier's pages: a plain phone page, signed in to by a code that staff issue.

The code is kept out of addresses: its link is followed once and leads to the session. What a courier sees
of a recipient is a masked name, and only after dwelling and phone tail fit.
"""

from __future__ import annotations

from typing import Any, Final

from flask import flash, request
from flask import session as cookie
from flask_limiter.util import get_remote_address
from wtforms import SelectChoice

from portal.core.errors import ConflictError, DomainError, TooManyError
from portal.core.i18n import _
from portal.core.limits import limited
from portal.parcels import couriers, queries, recipients, shelf, storing
from portal.parcels.couriers import Courier
from portal.parcels.forms import SHELF, AccessForm, MealForm, ParcelForm, RecipientForm, blame
from portal.parcels.models import SIZES, ParcelState, Size
from portal.parcels.pages import (
    CODE_FAILS,
    LOOK_UP_FAILS,
    LOOK_UPS,
    blueprint,
    private,
    to,
    unless_seen,
)
from portal.parcels.recipients import Recipient
from portal.regions.models import Region
from portal.services import current_services

KEPT: Final = "courier"


def _courier() -> Courier | None:
    services, known = current_services(), cookie.get(KEPT)
    if not isinstance(known, int):
        return None
    with services.db.read() as session:
        return couriers.by_id(session, known, services.clock())


def _who() -> str:
    """What look-ups are counted by."""
    return f"courier:{cookie.get(KEPT)}" if cookie.get(KEPT) else str(get_remote_address())


@blueprint.route("/courier/sign-in", methods=["GET", "POST"])
@limited(CODE_FAILS, only_failed=True)
def courier_sign_in() -> Any:
    """Enter the code."""
    form = AccessForm()
    if request.method == "GET":
        return private("parcels/courier_sign_in.html", form=form)
    if not form.validate():
        return private("parcels/courier_sign_in.html", 422, form=form)
    return _enter(form, form.code.data or "")


@blueprint.get("/c/<courier_code>")
@limited(CODE_FAILS, only_failed=True, exempt_when=lambda: False)
def courier_link(courier_code: str) -> Any:
    """Follow the link that staff gave."""
    return _enter(AccessForm(), courier_code)


def _enter(form: AccessForm, code: str) -> Any:
    services = current_services()
    try:
        with services.db.read() as session:
            courier = couriers.sign_in(session, code, services.clock())
    except DomainError as error:
        blame(form, error, "code")
        return private("parcels/courier_sign_in.html", 422, form=form)
    cookie[KEPT] = courier.id
    return to("parcels.courier_home")


@blueprint.post("/courier/sign-out")
def courier_sign_out() -> Any:
    """Forget the code on this phone."""
    cookie.pop(KEPT, None)
    return to("parcels.courier_sign_in")


@blueprint.get("/courier")
def courier_home() -> Any:
    """What I have brought, and what is next."""
    courier = _courier()
    if courier is None:
        return to("parcels.courier_sign_in")
    with current_services().db.read() as session:
        rows = storing.own(session, courier)
        devices = storing.lockers(session, courier.community_id)
        free = storing.free_sizes(session, [device.id for device in devices])
    return private(
        "parcels/courier_home.html", courier=courier, rows=rows, lockers=devices, free=free
    )


@blueprint.route("/courier/new", methods=["GET", "POST"])
@limited(LOOK_UPS, key=_who)
@limited(LOOK_UP_FAILS, key=_who, only_failed=True)
def courier_new() -> Any:
    """Store a parcel: where, how large, for whom; then choose the recipient; then the door opens."""
    courier = _courier()
    if courier is None:
        return to("parcels.courier_sign_in")
    services, form = current_services(), ParcelForm()
    with services.db.read() as session:
        devices = storing.lockers(session, courier.community_id)
        free = storing.free_sizes(session, [device.id for device in devices])
        form.offer_buildings(recipients.buildings(session, courier.community_id))
    form.locker.choices = [SelectChoice(value=str(d.id), label=d.title) for d in devices]
    page: dict[str, Any] = {"form": form, "lockers": devices, "free": free, "fitting": []}
    if request.method == "GET":
        form.locker.data = request.args.get("locker", "")
        form.building.data = request.args.get("building", "")
        return private("parcels/courier_new.html", **page)
    chosen = _recipient(form, courier, page)
    if chosen is None:
        return private("parcels/courier_new.html", 422 if form.errors else 200, **page)
    try:
        parcel_id = _lay_in(form, courier, chosen)
    except TooManyError as error:
        flash(str(error.message), "warning")
        return to("parcels.courier_home")
    except DomainError as error:
        if error.code == "no_compartment":
            page["larger"] = _larger(form, free)
        if error.field is None:
            flash(str(error.message), "warning")
        else:
            blame(form, error, "size")
        return private("parcels/courier_new.html", 422, **page)
    return to("parcels.courier_parcel", parcel_id=parcel_id)


def _recipient(form: RecipientForm, courier: Courier, page: dict[str, Any]) -> Recipient | None:
    """The recipient that was chosen; without one the page asks, or says what is wrong."""
    if not form.validate():
        return None
    try:
        with current_services().db.read() as session:
            fitting = recipients.match(
                session, courier.community_id, form.asked(), courier.actor.label
            )
    except DomainError as error:
        blame(form, error, "tail")
        return None
    page["fitting"] = fitting
    return recipients.choose(fitting, form.recipient.data or "")


def _lay_in(form: ParcelForm, courier: Courier, chosen: Recipient) -> int:
    services = current_services()
    now, size = services.clock(), form.size.data or ""
    with services.db.write() as session:
        if size == SHELF:
            return shelf.put(
                session,
                courier.actor,
                session.get_one(Region, courier.community_id),
                chosen,
                form.label.data or "",
                now,
                courier_id=courier.id,
                company=courier.company,
            ).id
        locker = form.locker.data or ""
        return storing.store(
            session,
            courier,
            resident_id=chosen.resident_id,
            dwelling_id=chosen.dwelling_id,
            device_id=int(locker) if locker.isascii() and locker.isdigit() else 0,
            size=size,
            now=now,
            larger="larger" in request.form,
        ).id


def _larger(form: ParcelForm, free: dict[int, dict[str, int]]) -> bool:
    """Whether a larger compartment of the chosen locker is free."""
    size, locker = form.size.data or "", form.locker.data or ""
    if size not in set(Size) or not locker.isdigit():
        return False
    mine = free.get(int(locker), {})
    return any(mine.get(one, 0) for one in SIZES[SIZES.index(Size(size)) + 1 :])


@blueprint.get("/courier/parcels/<int:parcel_id>")
def courier_parcel(parcel_id: int) -> Any:
    """One parcel at its door."""
    courier = _courier()
    if courier is None:
        return to("parcels.courier_sign_in")
    return private("parcels/courier_parcel.html", **_at_door(courier, parcel_id))


@blueprint.get("/courier/parcels/<int:parcel_id>/state")
def courier_state(parcel_id: int) -> Any:
    """The same, when it is no longer what the page shows."""
    courier = _courier()
    if courier is None:
        return to("parcels.courier_sign_in")
    values = _at_door(courier, parcel_id)
    return unless_seen("parcels/_door.html", values.pop("seen"), **values)


def _at_door(courier: Courier, parcel_id: int) -> dict[str, Any]:
    with current_services().db.read() as session:
        parcel = storing.own_one(session, courier, parcel_id)
    return {
        "parcel": parcel,
        "State": ParcelState,
        "seen": f"{parcel.state}-{parcel.fault}-{parcel.compartment_id}",
    }


@blueprint.post("/courier/parcels/<int:parcel_id>/<any(again, another, larger, cancel, back):verb>")
def courier_act(parcel_id: int, verb: str) -> Any:
    """Go on with a parcel."""
    courier = _courier()
    if courier is None:
        return to("parcels.courier_sign_in")
    services = current_services()
    now = services.clock()
    try:
        with services.db.write() as session:
            if verb == "again":
                storing.open_again(session, courier, parcel_id, now)
            elif verb == "another":
                storing.another(session, courier, parcel_id, now)
            elif verb == "larger":
                size = storing.next_size(storing.own_one(session, courier, parcel_id).size)
                storing.another(session, courier, parcel_id, now, size)
            elif verb == "cancel":
                storing.cancel(session, courier, parcel_id, now)
            else:
                storing.take_back(session, courier, parcel_id, now)
    except ConflictError as error:
        flash(str(error.message), "warning")
    return to("parcels.courier_parcel", parcel_id=parcel_id)


@blueprint.route("/courier/meal", methods=["GET", "POST"])
@limited(LOOK_UPS, key=_who)
@limited(LOOK_UP_FAILS, key=_who, only_failed=True)
def courier_meal() -> Any:
    """Say that a meal waits at a gate."""
    courier = _courier()
    if courier is None:
        return to("parcels.courier_sign_in")
    services, form = current_services(), MealForm()
    with services.db.read() as session:
        gates = queries.gates(session, courier.community_id)
        form.offer_buildings(recipients.buildings(session, courier.community_id))
    form.gate.choices = [SelectChoice(value=str(g.id), label=g.name) for g in gates]
    page: dict[str, Any] = {"form": form, "fitting": []}
    if request.method == "GET":
        return private("parcels/courier_meal.html", **page)
    place = next((g.name for g in gates if str(g.id) == form.gate.data), None)
    chosen = _recipient(form, courier, page)
    if place is None:  # after the form's own look, which begins with a clean slate
        form.gate.errors = [_("Choose a gate.")]
    if chosen is None or place is None:
        return private("parcels/courier_meal.html", 422 if form.errors else 200, **page)
    try:
        with services.db.write() as session:
            shelf.announce_meal(
                session,
                courier.actor,
                session.get_one(Region, courier.community_id),
                chosen,
                place,
                services.clock(),
                courier_id=courier.id,
            )
        flash(_("The resident has been told."), "success")
    except TooManyError as error:
        flash(str(error.message), "warning")
    return to("parcels.courier_home")
