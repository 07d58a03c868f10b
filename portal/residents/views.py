"""Pages of staff about residents: the queue, one resident, the decision, the look at full values."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from sqlalchemy.orm import Session

from portal.core.actors import current_actor, staff_required
from portal.core.errors import DomainError, ForbiddenError
from portal.core.i18n import _, lazy
from portal.core.paging import page_number
from portal.core.permissions import Actor, Permission
from portal.core.person_page import Person, Section
from portal.features import parts
from portal.residents import me, posters, registration
from portal.residents.blueprint import blueprint
from portal.residents.forms import DOCUMENTS, RELATIONS, DecisionForm
from portal.residents.models import Resident, ResidentState
from portal.residents.operations import decide, unmask
from portal.residents.queries import count_by_state, list_residents, load_resident
from portal.residents.words import STATES
from portal.services import current_services

__all__ = ["blueprint", "me", "posters", "registration"]


@blueprint.app_context_processor
def _names() -> dict[str, Any]:
    return {
        "resident_states": {s.value: v for s, v in STATES.items()},
        "document_names": {d.value: v for d, v in DOCUMENTS.items()},
        "relation_names": {r.value: v for r, v in RELATIONS.items()},
    }


def _asked_state() -> ResidentState:
    asked = request.args.get("state", "")
    return ResidentState(asked) if asked in set(ResidentState) else ResidentState.PENDING


@blueprint.get("/work/residents")
@staff_required
def queue() -> Any:
    """Residents by state, those who wait first."""
    actor = current_actor()
    if not actor.paths(Permission.RESIDENT_LIST):
        raise ForbiddenError(
            "forbidden", lazy("Your role does not allow this. Ask your administrator.")
        )
    state = _asked_state()
    with current_services().db.read() as session:
        page = list_residents(session, actor, state, page_number(request.args.get("page")))
        counts = count_by_state(session, actor)
    return render_template("residents/queue.html", page=page, counts=counts, state=state)


def _sections(session: Session, actor: Actor, resident: Resident) -> list[Section]:
    """What the features know of somebody, as far as the actor may see it."""
    person = Person(resident.id, resident.community_id, resident.community.path)
    now = current_services().clock()
    found = [part.section(session, actor, person, now) for part in parts("on_person")]
    return sorted((one for one in found if one is not None), key=lambda one: one.rank)


def _show(
    session: Session, actor: Actor, resident: Resident, form: DecisionForm, *, full: bool = False
) -> str:
    may_decide = actor.may(Permission.RESIDENT_DECIDE, resident.community.path)
    return render_template(
        "residents/detail.html",
        resident=resident,
        form=form,
        full=full,
        may_decide=may_decide,
        pending=resident.state == ResidentState.PENDING,
        sections=_sections(session, actor, resident),
    )


@blueprint.get("/work/residents/<int:resident_id>")
@staff_required
def detail(resident_id: int) -> Any:
    """One resident, masked."""
    actor = current_actor()
    with current_services().db.read() as session:
        resident = load_resident(session, actor, Permission.RESIDENT_LIST, resident_id)
        return _show(session, actor, resident, DecisionForm())


@blueprint.post("/work/residents/<int:resident_id>/unmask")
@staff_required
def reveal(resident_id: int) -> Any:
    """The same with full values; the look is in the audit before it is on the screen."""
    actor = current_actor()
    with current_services().db.write() as session:
        unmask(session, actor, resident_id)
    with current_services().db.read() as session:
        resident = load_resident(session, actor, Permission.RESIDENT_LIST, resident_id)
        return _show(session, actor, resident, DecisionForm(formdata=None), full=True)


@blueprint.post("/work/residents/<int:resident_id>/decision")
@staff_required
def decision(resident_id: int) -> Any:
    """Approve or refuse."""
    services, actor = current_services(), current_actor()
    form = DecisionForm()
    asked = request.form.get("decision")
    try:
        if asked not in {"approve", "refuse"}:
            raise DomainError("no_decision", lazy("Choose whether to approve or to refuse."))
        with services.db.write() as session:
            decide(
                session,
                actor,
                resident_id,
                approve=asked == "approve",
                note=form.note.data or "",
                now=services.clock(),
            )
    except DomainError as error:
        if error.status != 422:
            raise
        with services.db.read() as session:
            resident = load_resident(session, actor, Permission.RESIDENT_DECIDE, resident_id)
            if error.field == "note":
                form.note.errors = [error.message]
            else:
                form.form_errors = [error.message]
            return _show(session, actor, resident, form), 422
    flash(
        _("The registration is approved.")
        if asked == "approve"
        else _("The registration is refused."),
        "success",
    )
    return redirect(url_for("residents.queue"), code=303)
