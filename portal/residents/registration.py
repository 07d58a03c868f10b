"""Registration, opened by the QR code of a community's poster::

    /r/<uscc>  consent ──► data ──► dwelling ──► done

What was entered is kept in the sealed draft of the session (:mod:`portal.residents.draft`); nothing
personal stands in an address. An error leads back to its field with everything else kept.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import structlog
from flask import redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from wtforms.fields.choices import SelectChoice

from portal.accounts.passwords import hash_password
from portal.core.errors import DomainError, NotFoundError
from portal.core.i18n import get_locale, lazy
from portal.core.identifiers import check_uscc
from portal.core.limits import REGISTRATION_ADDRESS, limited, not_posted
from portal.privacy.models import ConsentText
from portal.privacy.operations import current_text, publish_defaults
from portal.privacy.texts import REGISTRATION
from portal.regions import queries as regions
from portal.regions.models import Region
from portal.residents import draft as drafts
from portal.residents.blueprint import blueprint
from portal.residents.forms import ConsentForm, DataForm, DwellingForm
from portal.residents.models import DocumentType, Relation
from portal.residents.operations import Registration, check_free, register
from portal.services import current_services

log = structlog.get_logger("portal.residents")
PERSON = ("name", "phone", "document_type", "document_number")
HOME = ("building", "unit", "dwelling", "relation")


def _community(session: Session, uscc: str) -> Region:
    """The community of a poster.

    Raises:
        NotFoundError: the code is misread, or no community here has it.
    """
    checked = check_uscc(uscc)
    community = None
    if checked.valid or checked.overridable:
        community = regions.community_by_uscc(session, checked.value)
    if community is not None:
        return community
    if not checked.valid:
        raise NotFoundError(
            "bad_uscc",
            lazy("This is not the code of a community: it was misread. Scan the poster again."),
        )
    raise NotFoundError(
        "unknown_community",
        lazy("No community with this code is registered here. Ask the staff for the right poster."),
    )


def _text(language: str) -> ConsentText:
    services = current_services()
    with services.db.read() as session:
        text = current_text(session, REGISTRATION, language)
    if text is None:
        with services.db.write() as session:
            publish_defaults(session, services.clock())
            text = current_text(session, REGISTRATION, language)
    if text is None:
        raise RuntimeError("no consent text for registration in this language nor in Chinese")
    return text


def _language() -> str:
    return str(get_locale() or "")


def _read_draft(uscc: str) -> drafts.Draft | None:
    return drafts.read(uscc, current_services().clock())


def _restart(uscc: str) -> Any:
    step = "residents.done" if drafts.is_finished(uscc) else "residents.begin"
    return redirect(url_for(step, uscc=uscc), code=303)


@blueprint.route("/r/<uscc>", methods=["GET", "POST"])
@limited(REGISTRATION_ADDRESS)
def begin(uscc: str) -> Any:
    """First step: what happens with the data, and the consent."""
    services = current_services()
    with services.db.read() as session:
        community = _community(session, uscc)
    uscc = community.uscc or uscc
    text = _text(_language())
    form = ConsentForm()
    if form.validate_on_submit():
        drafts.begin(uscc, text.id, services.clock())
        return redirect(url_for("residents.data", uscc=uscc), code=303)
    page = render_template("residents/consent.html", community=community, text=text, form=form)
    return page, 422 if form.errors else 200


@blueprint.route("/r/<uscc>/data", methods=["GET", "POST"])
@limited(REGISTRATION_ADDRESS)
def data(uscc: str) -> Any:
    """Second step: name, phone, document, password."""
    services = current_services()
    with services.db.read() as session:
        community = _community(session, uscc)
        draft = _read_draft(uscc)
        if draft is None:
            return _restart(uscc)
        form = DataForm(data={key: draft.get(key, "") for key in PERSON})
        if not form.document_type.data:
            form.document_type.data = DocumentType.RESIDENT_ID.value
        form.has_password = "password_hash" in draft
        if form.validate_on_submit():
            try:
                kind = DocumentType(form.document_type.data)
                phone, number = form.phone.data, form.document_number.data
                check_free(session, community.id, phone, kind, number)
            except DomainError as error:
                _put_beside(form, error)
            else:
                draft.update({key: form[key].data for key in PERSON})
                if form.password.data:
                    draft["password_hash"] = hash_password(form.password.data)
                drafts.write(draft)
                return redirect(url_for("residents.dwelling", uscc=uscc), code=303)
    page = render_template("residents/data.html", community=community, form=form)
    return page, 422 if form.errors else 200


def _put_beside(form: Any, error: DomainError) -> None:
    """Show a refusal beside its field, or above the form."""
    if error.field is not None and error.field in form:
        form[error.field].errors = [*form[error.field].errors, error.message]
    else:
        form.form_errors = [*form.form_errors, error.message]
    log.info("registration refused", code=error.code)


def _listed(rows: Iterable[tuple[int, str]]) -> list[SelectChoice]:
    choices = [SelectChoice(str(number), name) for number, name in rows]
    return [SelectChoice("", lazy("Choose")), *choices]


def _offer(session: Session, community: Region, form: DwellingForm) -> None:
    """Fill the lists that depend on each other; a choice that does not fit any more is dropped."""
    form.building.choices = _listed(
        (b.id, b.name) for b in regions.buildings(session, community.id)
    )
    building = _chosen(form.building)
    form.unit.choices = _listed(
        (u.id, u.name) for u in regions.units(session, community.id, building or 0)
    )
    if len(form.unit.choices) == 2:
        form.unit.data = form.unit.choices[1].value
    unit = _chosen(form.unit)
    form.dwelling.choices = _listed(
        (d.id, d.number) for d in regions.dwellings(session, community.id, unit or 0)
    )
    _chosen(form.dwelling)


def _chosen(field: Any) -> int | None:
    """The chosen id if it is offered; else the choice is dropped."""
    if field.data and field.data in {choice.value for choice in field.choices}:
        return int(field.data)
    field.data = ""
    return None


@blueprint.route("/r/<uscc>/dwelling", methods=["GET", "POST"])
@limited(REGISTRATION_ADDRESS, exempt_when=lambda: not_posted() or _is_choosing())
def dwelling(uscc: str) -> Any:
    """Third step: building, unit, number, relation; sends the registration."""
    with current_services().db.read() as session:
        community = _community(session, uscc)
        draft = _read_draft(uscc)
        if draft is None:
            return _restart(uscc)
        if "password_hash" not in draft:
            return redirect(url_for("residents.data", uscc=uscc), code=303)
        form = DwellingForm(data={key: draft.get(key, "") for key in HOME})
        _offer(session, community, form)
    choosing = _is_choosing()
    if request.method == "POST" and choosing:
        part = "residents/dwelling_fields.html" if _by_htmx() else "residents/dwelling.html"
        return render_template(part, community=community, form=form)
    if form.validate_on_submit():
        draft.update({key: form[key].data for key in HOME})
        drafts.write(draft)
        return _send(community, draft, form)
    page = render_template("residents/dwelling.html", community=community, form=form)
    return page, 422 if form.errors else 200


def _by_htmx() -> bool:
    return request.headers.get("HX-Request") == "true"


def _is_choosing() -> bool:
    """Whether only the lists are to be brought up to date."""
    return _by_htmx() or request.form.get("step") == "choose"


def _send(community: Region, draft: drafts.Draft, form: DwellingForm) -> Any:
    services = current_services()
    entered = Registration(
        name=draft["name"],
        phone=draft["phone"],
        document_type=DocumentType(draft["document_type"]),
        document_number=draft["document_number"],
        password_hash=draft["password_hash"],
        dwelling_id=int(draft["dwelling"]),
        relation=Relation(draft["relation"]),
        consent_text_id=int(draft["text_id"]),
        consent_at=datetime.fromisoformat(draft["consent_at"]),
        language=_language(),
    )
    uscc = str(community.uscc)
    try:
        with services.db.write() as session:
            register(session, community.id, entered, services.clock())
    except DomainError as error:
        if error.field in PERSON:
            person = DataForm(formdata=None, data={key: draft[key] for key in PERSON})
            _put_beside(person, error)
            page = render_template("residents/data.html", community=community, form=person)
            return page, error.status
        _put_beside(form, error)
        return render_template("residents/dwelling.html", community=community, form=form), 422
    drafts.finish(uscc)
    return redirect(url_for("residents.done", uscc=uscc), code=303)


@blueprint.get("/r/<uscc>/done")
def done(uscc: str) -> Any:
    """Last step: what happens now."""
    with current_services().db.read() as session:
        community = _community(session, uscc)
    if not drafts.is_finished(str(community.uscc)):
        return redirect(url_for("residents.begin", uscc=uscc), code=303)
    return render_template("residents/done.html", community=community)
