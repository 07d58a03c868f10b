"""Lockers, compartments, the shelf and couriers' codes, for staff."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask import flash, render_template, request, url_for
from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload
from wtforms import SelectChoice

from portal.core.actors import current_actor, staff_required
from portal.core.errors import ConflictError, DomainError, ForbiddenError, NotFoundError
from portal.core.i18n import _
from portal.core.limits import limited
from portal.core.permissions import Actor, Permission, not_found, require_somewhere
from portal.parcels import couriers, queries, recipients, shelf, staff
from portal.parcels.forms import (
    CodeForm,
    IssueForm,
    LabelForm,
    LayoutForm,
    OpeningForm,
    ShelfForm,
    blame,
)
from portal.parcels.models import CompartmentState, Fault, Parcel, ParcelState, Place
from portal.parcels.pages import CODE_FAILS, blueprint, private, to
from portal.passes.drawing import qr_svg
from portal.regions.directory import communities
from portal.regions.models import Dwelling, Region, Unit
from portal.services import current_services


@blueprint.get("/work/lockers")
@staff_required
def lockers() -> Any:
    """All lockers with what they hold."""
    services, actor = current_services(), current_actor()
    require_somewhere(actor, Permission.PARCEL_LIST)
    now = services.clock()
    with services.db.read() as session:
        rows = queries.lockers(session, actor, Permission.PARCEL_LIST)
        queries.add_overdue(session, {row.device.id: row for row in rows}, now)
        totals = queries.totals(session, actor, now)
    return render_template(
        "parcels/lockers.html",
        rows=rows,
        overdue=sum(counts["overdue"] for _region, counts in totals),
        on_shelf=sum(counts["on_shelf"] for _region, counts in totals),
        handles=bool(actor.paths(Permission.PARCEL_HANDLE)),
        several=len(totals) > 1,
    )


@blueprint.get("/work/lockers/<int:device_id>")
@staff_required
def locker(device_id: int) -> Any:
    """One locker: its compartments as they hang."""
    return _locker(device_id, LayoutForm())


def _locker(device_id: int, form: LayoutForm) -> Any:
    services, actor = current_services(), current_actor()
    with services.db.read() as session:
        device = staff.load_locker(session, actor, device_id)
        boxes = queries.boxes(session, device_id, services.clock())
    return render_template(
        "parcels/locker.html",
        device=device,
        boxes=boxes,
        form=form,
        may_manage=actor.may(Permission.PARCEL_MANAGE, device.community.path),
    )


@blueprint.post("/work/lockers/<int:device_id>/layout")
@staff_required
def lay_out(device_id: int) -> Any:
    """Say which sizes a locker has."""
    actor, form = current_actor(), LayoutForm()
    try:
        with current_services().db.write() as session:
            device = staff.load_locker(session, actor, device_id, Permission.PARCEL_MANAGE)
            staff.lay_out(session, actor, device, form.counts())
        flash(_("The locker is ready for parcels."), "success")
    except ConflictError as error:
        flash(str(error.message), "warning")
    except (NotFoundError, ForbiddenError):
        raise
    except DomainError as error:
        blame(form, error, "small")
        return _locker(device_id, form), 422
    return to("parcels.locker", device_id=device_id)


@blueprint.get("/work/lockers/<int:device_id>/<int:number>")
@staff_required
def compartment(device_id: int, number: int) -> Any:
    """One compartment: what is in it, what its door did, what can be done."""
    return _compartment(device_id, number, OpeningForm())


def _compartment(device_id: int, number: int, form: OpeningForm) -> str:
    services, actor = current_services(), current_actor()
    now = services.clock()
    with services.db.read() as session:
        row = staff.load_compartment(session, actor, device_id, number)
        parcel = session.scalars(
            select(Parcel)
            .options(
                joinedload(Parcel.resident),
                joinedload(Parcel.dwelling).joinedload(Dwelling.unit).joinedload(Unit.building),
            )
            .where(Parcel.compartment_id == row.id)
        ).first()
        past = queries.openings(session, row.id)
    return render_template(
        "parcels/compartment.html",
        row=row,
        parcel=parcel,
        overdue=parcel is not None and queries.is_overdue(parcel, now),
        openings=past,
        form=form,
        label_form=LabelForm(),
        State=CompartmentState,
        ParcelState=ParcelState,
        Fault=Fault,
        may_manage=actor.may(Permission.PARCEL_MANAGE, row.device.community.path),
    )


@blueprint.post("/work/lockers/<int:device_id>/<int:number>/<any(open, aside, back):verb>")
@staff_required
def compartment_act(device_id: int, number: int, verb: str) -> Any:
    """Open it for a reason, set it aside, put it back."""
    services, actor, form = current_services(), current_actor(), OpeningForm()
    now = services.clock()
    try:
        with services.db.write() as session:
            if verb == "open":
                staff.open_compartment(
                    session, actor, device_id, number, form.reason.data or "", now
                )
                said = _("The door has been asked to open.")
            else:
                row = staff.load_compartment(
                    session, actor, device_id, number, Permission.PARCEL_MANAGE
                )
                act = staff.take_out_of_order if verb == "aside" else staff.put_back
                act(session, actor, row, now)
                said = (
                    _("No parcel goes into this compartment now.")
                    if verb == "aside"
                    else _("The compartment is in service again.")
                )
        flash(said, "success")
    except ConflictError as error:
        flash(str(error.message), "warning")
    except (NotFoundError, ForbiddenError):
        raise
    except DomainError as error:
        blame(form, error, "reason")
        return _compartment(device_id, number, form), 422
    return to("parcels.compartment", device_id=device_id, number=number)


@blueprint.get("/work/parcels")
@staff_required
def queue() -> Any:
    """Parcels that are overdue, on the shelf, or waiting at all."""
    services, actor = current_services(), current_actor()
    require_somewhere(actor, Permission.PARCEL_LIST)
    show = request.args.get("show", "overdue")
    show = show if show in ("overdue", "shelf", "all") else "overdue"
    text = request.args.get("before", "")
    before = int(text) if text.isascii() and text.isdigit() and len(text) < 16 else 0
    now = services.clock()
    with services.db.read() as session:
        rows = queries.parcels(session, actor, show, now, before=before)
    return render_template(
        "parcels/queue.html",
        rows=[(row, queries.is_overdue(row, now)) for row in rows[: queries.PAGE]],
        more=len(rows) > queries.PAGE,
        show=show,
        Place=Place,
        handles=bool(actor.paths(Permission.PARCEL_HANDLE)),
        several=len({row.community_id for row in rows}) > 1,
    )


@blueprint.get("/work/parcels/<int:parcel_id>")
@staff_required
def staff_parcel(parcel_id: int) -> Any:
    """One parcel, for handing out or taking out."""
    return _parcel(parcel_id, CodeForm(), LabelForm())


def _parcel(parcel_id: int, code_form: CodeForm, label_form: LabelForm) -> str:
    services, actor = current_services(), current_actor()
    with services.db.read() as session:
        parcel = staff.for_staff(session, actor, parcel_id)
        path = parcel.community.path
        _home = (parcel.resident.name, parcel.dwelling.label)
    return render_template(
        "parcels/parcel.html",
        parcel=parcel,
        overdue=queries.is_overdue(parcel, services.clock()),
        code_form=code_form,
        label_form=label_form,
        State=ParcelState,
        Place=Place,
        may_handle=actor.may(Permission.PARCEL_HANDLE, path),
        may_manage=actor.may(Permission.PARCEL_MANAGE, path),
    )


@blueprint.post("/work/parcels/<int:parcel_id>/<any(hand_out, give_back, take_out, shelve):verb>")
@staff_required
@limited(CODE_FAILS, only_failed=True, key=lambda: f"user:{current_actor().user_id}")
def parcel_act(parcel_id: int, verb: str) -> Any:
    """Hand out against the code, give back, take out of the locker, lay on the shelf."""
    services, actor = current_services(), current_actor()
    code_form, label_form = CodeForm(), LabelForm()
    now = services.clock()
    try:
        with services.db.write() as session:
            if verb == "hand_out":
                shelf.hand_out(session, actor, parcel_id, code_form.code.data or "", now)
                said = _("Handed out.")
            elif verb == "give_back":
                shelf.give_back(session, actor, parcel_id, now)
                said = _("Given back to the courier.")
            else:
                label = shelf.check_label(label_form.label.data or "") if verb == "shelve" else ""
                staff.take_parcel(session, actor, parcel_id, now, label=label)
                said = _("The door has been asked to open. Take the parcel out and close the door.")
        flash(said, "success")
    except ConflictError as error:
        flash(str(error.message), "warning")
    except (NotFoundError, ForbiddenError):
        raise
    except DomainError as error:
        form: Any = label_form if error.field == "label" else code_form
        blame(form, error, "code")
        return _parcel(parcel_id, code_form, label_form), 422
    return to("parcels.staff_parcel", parcel_id=parcel_id)


def _communities(session: Session, actor: Actor) -> list[Region]:
    """Where the actor handles parcels; 404 for whoever has a grid only, below every community."""
    places = communities(session, actor, Permission.PARCEL_HANDLE)
    if not places:
        raise not_found()
    return places


@blueprint.route("/work/parcels/new", methods=["GET", "POST"])
@staff_required
def shelve() -> Any:
    """Lay a parcel on the shelf for somebody."""
    services, actor, form = current_services(), current_actor(), ShelfForm()
    require_somewhere(actor, Permission.PARCEL_HANDLE)
    with services.db.read() as session:
        places = _communities(session, actor)
        chosen = next((p for p in places if str(p.id) == form.community.data), places[0])
        form.offer_buildings(recipients.buildings(session, chosen.id))
    form.community.choices = [SelectChoice(value=str(p.id), label=p.name) for p in places]
    page: dict[str, Any] = {"form": form, "fitting": [], "several": len(places) > 1}
    if request.method == "GET" or not form.validate():
        return render_template("parcels/shelve.html", **page)
    try:
        shelf.check_label(form.label.data or "")
        with services.db.write() as session:
            asker = f"user:{actor.user_id}"
            page["fitting"] = recipients.match(session, chosen.id, form.asked(), asker)
            to_whom = recipients.choose(page["fitting"], form.recipient.data or "")
            if to_whom is None:
                return render_template("parcels/shelve.html", **page)
            community = session.get_one(Region, chosen.id)
            parcel = shelf.put(
                session, actor, community, to_whom, form.label.data or "", services.clock()
            )
    except DomainError as error:
        if error.field is None:
            raise
        blame(form, error, "tail")
        return render_template("parcels/shelve.html", **page), 422
    flash(_("The parcel is on the shelf, and the resident has been told."), "success")
    return to("parcels.staff_parcel", parcel_id=parcel.id)


@blueprint.route("/work/couriers", methods=["GET", "POST"])
@staff_required
def couriers_page() -> Any:
    """Couriers' codes: who has one, and a new one, which is shown this once."""
    services, actor, form = current_services(), current_actor(), IssueForm()
    require_somewhere(actor, Permission.PARCEL_HANDLE)
    issued, status = None, 200
    with services.db.read() as session:
        places = _communities(session, actor)
    form.community.choices = [SelectChoice(value=str(p.id), label=p.name) for p in places]
    if request.method == "POST":
        text = form.community.data or str(places[0].id)
        try:
            with services.db.write() as session:
                issued = couriers.issue(
                    session,
                    actor,
                    int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0,
                    form.company.data or "",
                    services.clock(),
                    timedelta(hours=form.life_hours()),
                )
        except (NotFoundError, ForbiddenError):
            raise
        except DomainError as error:
            blame(form, error, "company")
            status = 422
    with services.db.read() as session:
        rows = couriers.listed(session, actor)
    link = ""
    if issued is not None:
        base = services.config.effective_public_url
        link = base + url_for("parcels.courier_link", courier_code=issued.code)
    return private(
        "parcels/couriers.html",
        status,
        form=form,
        rows=rows,
        issued=issued,
        link=link,
        qr=qr_svg(link) if link else None,
        now=services.clock(),
        several=len(places) > 1,
    )


@blueprint.post("/work/couriers/<int:access_id>/revoke")
@staff_required
def revoke_courier(access_id: int) -> Any:
    """End a code now."""
    services = current_services()
    with services.db.write() as session:
        couriers.revoke(session, current_actor(), access_id, services.clock())
    flash(_("The code opens nothing any more."), "success")
    return to("parcels.couriers_page")
