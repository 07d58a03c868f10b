"""Vehicles on pages: a resident's own, the lists of staff and the decision on one.

Plates are masked on every page of staff; :func:`reveal` shows one whole, and writes the look down.
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for

from portal.core.actors import current_actor, resident_required, staff_required
from portal.core.errors import ConflictError, DomainError
from portal.core.i18n import _
from portal.core.identifiers import mask_plate, write_plate
from portal.core.paging import page_number
from portal.core.permissions import Permission, require_somewhere
from portal.services import current_services
from portal.vehicles import operations, queries, words
from portal.vehicles.forms import DecisionForm, VehicleForm, blame
from portal.vehicles.models import VehicleState

blueprint = Blueprint("vehicles", __name__, template_folder="templates")


@blueprint.app_context_processor
def _words() -> dict[str, Any]:
    return {
        "vehicle_states": words.STATES,
        "vehicle_words": words,
        "mask_plate": mask_plate,
        "write_plate": write_plate,
    }


@blueprint.get("/vehicles")
@resident_required
def mine() -> str:
    """The resident's vehicles."""
    actor = current_actor()
    with current_services().db.read() as session:
        rows = queries.own(session, actor)
        may_register = queries.may_register(session, actor)
    return render_template(
        "vehicles/mine.html", rows=rows, may_register=may_register, most=operations.MOST
    )


@blueprint.route("/vehicles/new", methods=["GET", "POST"])
@resident_required
def new() -> Any:
    """Register one."""
    services, actor = current_services(), current_actor()
    with services.db.read() as session:
        if not queries.may_register(session, actor):
            return render_template("vehicles/not_yet.html"), 403
    form = VehicleForm()
    if request.method == "GET":
        return render_template("vehicles/new.html", form=form, most=operations.MOST)
    draft = form.draft()
    if draft is not None:
        try:
            with services.db.write() as session:
                operations.register(session, actor, draft, services.clock())
        except DomainError as error:
            if error.field == "plate":
                blame(form.plate, error.message)
            elif error.status == 429:
                form.form_errors.append(str(error.message))
            else:
                raise
        else:
            flash(_("The vehicle has been registered. The office looks at it soon."), "success")
            return redirect(url_for("vehicles.mine"), code=303)
    return render_template("vehicles/new.html", form=form, most=operations.MOST), 422


@blueprint.get("/vehicles/<int:vehicle_id>")
@resident_required
def one(vehicle_id: int) -> str:
    """One vehicle of the resident."""
    with current_services().db.read() as session:
        vehicle = queries.own_one(session, current_actor(), vehicle_id)
    return render_template("vehicles/one.html", vehicle=vehicle)


@blueprint.post("/vehicles/<int:vehicle_id>/remove")
@resident_required
def remove(vehicle_id: int) -> Any:
    """Take one off."""
    services = current_services()
    try:
        with services.db.write() as session:
            operations.remove(session, current_actor(), vehicle_id, services.clock())
        flash(_("The vehicle has been removed. No barrier opens for it any more."), "success")
    except ConflictError as error:
        flash(str(error.message), "warning")
    return redirect(url_for("vehicles.mine"), code=303)


@blueprint.get("/work/vehicles")
@staff_required
def queue() -> str:
    """Vehicles by state, those that wait first."""
    actor = current_actor()
    require_somewhere(actor, Permission.VEHICLE_LIST)
    asked = request.args.get("state", "")
    state = VehicleState(asked) if asked in set(VehicleState) else VehicleState.PENDING
    with current_services().db.read() as session:
        page = queries.in_state(session, actor, state, page_number(request.args.get("page")))
        counts = queries.count_by_state(session, actor)
    return render_template(
        "vehicles/queue.html",
        page=page,
        counts=counts,
        state=state,
        several=len({v.community_id for v in page.items}) > 1,
    )


@blueprint.get("/work/vehicles/<int:vehicle_id>")
@staff_required
def detail(vehicle_id: int) -> str:
    """One vehicle, masked."""
    return _page(vehicle_id, DecisionForm())


@blueprint.post("/work/vehicles/<int:vehicle_id>/unmask")
@staff_required
def reveal(vehicle_id: int) -> str:
    """The same with the whole plate; the look is in the audit before it is on the screen."""
    with current_services().db.write() as session:
        operations.reveal(session, current_actor(), vehicle_id)
    return _page(vehicle_id, DecisionForm(formdata=None), full=True)


@blueprint.post("/work/vehicles/<int:vehicle_id>/<any(verify, refuse):verb>")
@staff_required
def decided(vehicle_id: int, verb: str) -> Any:
    """Verify or refuse."""
    services = current_services()
    form = DecisionForm()
    if not form.validate():
        return _page(vehicle_id, form), 422
    act = operations.verify if verb == "verify" else operations.refuse
    try:
        with services.db.write() as session:
            act(session, current_actor(), vehicle_id, form.note.data or "", services.clock())
    except ConflictError as error:
        flash(str(error.message), "warning")
        return _to_detail(vehicle_id)
    except DomainError as error:
        if error.field != "note":
            raise
        blame(form.note, error.message)
        return _page(vehicle_id, form), 422
    flash(
        _("The vehicle is verified.")
        if verb == "verify"
        else _("Refused. The resident sees your note."),
        "success",
    )
    return _to_detail(vehicle_id)


@blueprint.post("/work/vehicles/<int:vehicle_id>/undo")
@staff_required
def undo(vehicle_id: int) -> Response:
    """Take the decision back."""
    services = current_services()
    try:
        with services.db.write() as session:
            operations.undo(session, current_actor(), vehicle_id, services.clock())
        flash(_("Taken back: the vehicle waits again."), "success")
    except ConflictError as error:
        flash(str(error.message), "warning")
    return _to_detail(vehicle_id)


def _to_detail(vehicle_id: int) -> Response:
    response = redirect(url_for("vehicles.detail", vehicle_id=vehicle_id), code=303)
    assert isinstance(response, Response)  # noqa: S101 - narrows the type for mypy
    return response


def _page(vehicle_id: int, form: DecisionForm, *, full: bool = False) -> str:
    services, actor = current_services(), current_actor()
    with services.db.read() as session:
        vehicle = queries.load_vehicle(session, actor, Permission.VEHICLE_LIST, vehicle_id)
        may_decide = actor.may(Permission.VEHICLE_DECIDE, vehicle.community.path)
        taken = vehicle.state == VehicleState.PENDING and queries.verified_elsewhere(
            session, vehicle
        )
    return render_template(
        "vehicles/detail.html",
        vehicle=vehicle,
        form=form,
        full=full,
        may_decide=may_decide,
        taken=taken,
        may_see_resident=actor.may(Permission.RESIDENT_LIST, vehicle.community.path),
        can_undo=may_decide and queries.can_undo(vehicle, services.clock()),
    )
