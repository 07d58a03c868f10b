"""Wearers and their contacts on the pages of staff."""

from __future__ import annotations

from typing import Any

from flask import flash, render_template, request

from portal.core.actors import current_actor, staff_required
from portal.core.errors import DomainError, TooManyError
from portal.core.i18n import _
from portal.core.paging import page_number
from portal.core.permissions import Permission, require_somewhere
from portal.services import current_services
from portal.telecare import contacts, wearer_queries
from portal.telecare import wearers as keeping
from portal.telecare.blueprint import WORDS, blueprint, chosen_community, to
from portal.telecare.contacts import contact_name, contact_phone, standing
from portal.telecare.forms import ContactForm, WearerForm, blame, blame_all
from portal.telecare.words import CONSENT_NAMES


@blueprint.get("/work/telecare/wearers")
@staff_required
def wearers() -> str:
    """Who wears a button."""
    services, actor = current_services(), current_actor()
    require_somewhere(actor, Permission.TELECARE_LIST)
    with services.db.read() as session:
        page = wearer_queries.wearers(session, actor, page_number(request.args.get("page")))
    return render_template(
        "telecare/wearers.html",
        page=page,
        may_manage=bool(actor.paths(Permission.TELECARE_MANAGE)),
        asked=lambda wearer: sum(c.consent_at is not None for c in standing(wearer)),
        **WORDS,
    )


@blueprint.route("/work/telecare/wearers/new", methods=["GET", "POST"])
@staff_required
def wearer_new() -> Any:
    """A resident gets a button."""
    services, actor = current_services(), current_actor()
    require_somewhere(actor, Permission.TELECARE_MANAGE)
    form = WearerForm()
    with services.db.read() as session:
        places, place = chosen_community(session, actor, Permission.TELECARE_MANAGE)
        form.offer(keeping.free_buttons(session, place.id))
    status = 200
    if request.method == "POST":
        status = 422
        profile = form.profile()
        valid = form.validate() and not blame_all(form, keeping.profile_faults(profile), "name")
        if valid:
            try:
                with services.db.write() as session:
                    made = keeping.register(
                        session,
                        actor,
                        place.id,
                        form.name.data or "",
                        form.phone.data or "",
                        profile,
                        services.clock(),
                    )
            except DomainError as error:
                blame(form, error, "name")
            else:
                flash(_("Registered. Now add who is to be called."), "success")
                return to("telecare.wearer", wearer_id=made.id)
    values = {"form": form, "wearer": None, "places": places, "place": place}
    return render_template("telecare/wearer_form.html", **values, **WORDS), status


@blueprint.get("/work/telecare/wearers/<int:wearer_id>")
@staff_required
def wearer(wearer_id: int) -> str:
    """One wearer with contacts in order; notes stay covered here."""
    services, actor = current_services(), current_actor()
    with services.db.read() as session:
        row = wearer_queries.wearer(session, actor, wearer_id)
    return render_template(
        "telecare/wearer.html",
        wearer=row,
        contacts=standing(row),
        contact_name=contact_name,
        contact_phone=contact_phone,
        consent_names=CONSENT_NAMES,
        most=contacts.MOST,
        may_manage=actor.may(Permission.TELECARE_MANAGE, row.community.path),
        **WORDS,
    )


@blueprint.route("/work/telecare/wearers/<int:wearer_id>/edit", methods=["GET", "POST"])
@staff_required
def wearer_edit(wearer_id: int) -> Any:
    """Change what is kept; opening it shows the notes, which the audit keeps."""
    services, actor = current_services(), current_actor()
    form = WearerForm()
    if request.method == "GET":
        with services.db.write() as session:
            keeping.open_notes(session, actor, wearer_id)
    with services.db.read() as session:
        keeping.load_wearer(session, actor, wearer_id, Permission.TELECARE_MANAGE)
        row = wearer_queries.wearer(session, actor, wearer_id)
        form.offer(keeping.free_buttons(session, row.community_id, row.device_id))
    status = 200
    if request.method == "GET":
        form.device_id.data = str(row.device_id or "")
        form.hearing.data, form.language.data = row.hearing, row.language
        form.health_notes.data, form.entry_note.data = row.health_notes, row.entry_note
    else:
        status = 422
        profile = form.profile()
        valid = form.validate() and not blame_all(
            form, keeping.profile_faults(profile), "device_id"
        )
        if valid:
            try:
                with services.db.write() as session:
                    keeping.change(session, actor, wearer_id, profile)
            except DomainError as error:
                blame(form, error, "device_id")
            else:
                flash(_("Saved."), "success")
                return to("telecare.wearer", wearer_id=wearer_id)
    values = {"form": form, "wearer": row, "places": [], "place": row.community}
    return render_template("telecare/wearer_form.html", **values, **WORDS), status


@blueprint.post("/work/telecare/wearers/<int:wearer_id>/end")
@staff_required
def wearer_end(wearer_id: int) -> Any:
    """The button is given back."""
    services = current_services()
    with services.db.write() as session:
        keeping.end(session, current_actor(), wearer_id, services.clock())
    flash(_("Ended. Notes and contacts have been wiped."), "success")
    return to("telecare.wearers")


@blueprint.route("/work/telecare/wearers/<int:wearer_id>/contacts/new", methods=["GET", "POST"])
@staff_required
def contact_new(wearer_id: int) -> Any:
    """One more to be called."""
    return _contact_page(wearer_id, None)


@blueprint.route(
    "/work/telecare/wearers/<int:wearer_id>/contacts/<int:contact_id>", methods=["GET", "POST"]
)
@staff_required
def contact_edit(wearer_id: int, contact_id: int) -> Any:
    """Change one."""
    return _contact_page(wearer_id, contact_id)


@blueprint.post("/work/telecare/wearers/<int:wearer_id>/contacts/<int:contact_id>/up")
@staff_required
def contact_up(wearer_id: int, contact_id: int) -> Any:
    """Ask this one earlier."""
    with current_services().db.write() as session:
        contacts.move_up(session, current_actor(), wearer_id, contact_id)
    return to("telecare.wearer", wearer_id=wearer_id)


@blueprint.post("/work/telecare/wearers/<int:wearer_id>/contacts/<int:contact_id>/remove")
@staff_required
def contact_remove(wearer_id: int, contact_id: int) -> Any:
    """Ask this one no more."""
    services = current_services()
    with services.db.write() as session:
        contacts.remove(session, current_actor(), wearer_id, contact_id, services.clock())
    flash(_("Removed. Name and number have been wiped."), "success")
    return to("telecare.wearer", wearer_id=wearer_id)


def _contact_page(wearer_id: int, contact_id: int | None) -> Any:
    services, actor = current_services(), current_actor()
    form = ContactForm()
    with services.db.read() as session:
        keeping.load_wearer(session, actor, wearer_id, Permission.TELECARE_MANAGE)
        row = wearer_queries.wearer(session, actor, wearer_id)
        if contact_id is not None:
            _row, contact = contacts.load_contact(session, actor, wearer_id, contact_id)
            if request.method == "GET":
                form.name.data, form.phone.data = contact_name(contact), contact_phone(contact)
                form.tie.data, form.consent_how.data = contact.tie, contact.consent_how
                if contact.from_minute != contact.until_minute:
                    form.from_minute.data = _clock(contact.from_minute)
                    form.until_minute.data = _clock(contact.until_minute)
    status = 200
    if request.method == "POST":
        status = 422
        draft = form.draft()
        if form.validate() and not blame_all(form, contacts.faults(draft), "name"):
            try:
                with services.db.write() as session:
                    if contact_id is None:
                        contacts.add(session, actor, wearer_id, draft, services.clock())
                    else:
                        now = services.clock()
                        contacts.change(session, actor, wearer_id, contact_id, draft, now)
            except TooManyError as error:
                form.form_errors.append(str(error.message))
            else:
                flash(_("Saved."), "success")
                return to("telecare.wearer", wearer_id=wearer_id)
    values = {"form": form, "wearer": row, "contact_id": contact_id}
    return render_template("telecare/contact_form.html", **values, **WORDS), status


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"
