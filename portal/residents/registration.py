"""Registration, opened by the QR code of a community's poster, one topic a page::

    /r/<uscc>  consent ──► person ──► document ──► dwelling ──► secret ──► check ──► done

What was entered is kept in the sealed draft of :mod:`portal.residents.draft`; nothing personal stands in an
address. An error leads back to its field with everything else kept. Going back keeps what is right on the page,
and whoever comes back later goes on where they stopped, or starts again.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

import structlog
from flask import redirect, render_template, request, url_for
from sqlalchemy.orm import Session

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
from portal.residents import steps
from portal.residents.blueprint import blueprint
from portal.residents.forms import (
    CheckForm,
    ConsentForm,
    DocumentForm,
    DwellingForm,
    PersonForm,
    SecretForm,
    UnlockForm,
)
from portal.residents.homes import offer
from portal.residents.models import DocumentType, Relation
from portal.residents.operations import Registration, check_free, check_phone, register
from portal.services import current_services

log = structlog.get_logger("portal.residents")
FORMS: Final[dict[str, Any]] = {
    "person": PersonForm,
    "document": DocumentForm,
    "dwelling": DwellingForm,
    "secret": SecretForm,
    steps.CHECK: CheckForm,
}


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


def _to(step: str, uscc: str, **values: Any) -> Any:
    endpoint = "begin" if step == steps.CONSENT else step
    return redirect(url_for(f"residents.{endpoint}", uscc=uscc, **values), code=303)


def _restart(uscc: str) -> Any:
    return _to("done" if drafts.is_finished(uscc) else steps.CONSENT, uscc)


@blueprint.route("/r/<uscc>", methods=["GET", "POST"])
@limited(REGISTRATION_ADDRESS)
def begin(uscc: str) -> Any:
    """First step: what happens with the data, and the consent. Whoever has begun before may go on."""
    services = current_services()
    now = services.clock()
    with services.db.read() as session:
        community = _community(session, uscc)
    uscc = community.uscc or uscc
    draft = drafts.read(uscc, now)
    if request.method == "GET" and draft and "phone" in draft and "read" not in request.args:
        return _begun(community, draft, UnlockForm(formdata=None))
    text = _text(_language())
    form = ConsentForm()
    if form.validate_on_submit():
        drafts.begin(uscc, text.id, now)
        draft = drafts.read(uscc, now) or {}
        return _to("person" if "phone" not in draft else steps.lacking(draft), uscc)
    page = render_template(
        "residents/consent.html", community=community, text=text, form=form, labels=_labels()
    )
    return page, 422 if form.errors else 200


def _begun(community: Region, draft: drafts.Draft, form: UnlockForm) -> str:
    """Go on or start again; shows nothing of what was entered."""
    unlocked = drafts.is_open(draft, current_services().clock())
    return render_template(
        "residents/begun.html",
        community=community,
        form=form,
        at=datetime.fromisoformat(draft["consent_at"]),
        onward=steps.lacking(draft) if unlocked else None,
    )


@blueprint.post("/r/<uscc>/continue")
@limited(REGISTRATION_ADDRESS)
def resume(uscc: str) -> Any:
    """Go on with a draft that is locked, by the number in it."""
    services = current_services()
    now = services.clock()
    with services.db.read() as session:
        community = _community(session, uscc)
    draft = drafts.read(uscc, now)
    if draft is None:
        return _restart(uscc)
    form = UnlockForm()
    if form.validate_on_submit():
        if drafts.unlock(draft, form.phone.data, now):
            return _to(steps.lacking(draft), uscc)
        form.phone.errors = [
            lazy("This is not the number that was entered. Enter that one, or start again.")
        ]
    return _begun(community, draft, form), 422


@blueprint.post("/r/<uscc>/again")
def start_again(uscc: str) -> Any:
    """Throw the draft away."""
    drafts.discard()
    return _to(steps.CONSENT, uscc)


@blueprint.route("/r/<uscc>/person", methods=["GET", "POST"])
@limited(REGISTRATION_ADDRESS)
def person(uscc: str) -> Any:
    """Name and phone."""
    return _step(uscc, "person")


@blueprint.route("/r/<uscc>/document", methods=["GET", "POST"])
@limited(REGISTRATION_ADDRESS)
def document(uscc: str) -> Any:
    """Kind and number of the document."""
    return _step(uscc, "document")


@blueprint.route("/r/<uscc>/dwelling", methods=["GET", "POST"])
@limited(REGISTRATION_ADDRESS, exempt_when=lambda: not_posted() or _is_choosing())
def dwelling(uscc: str) -> Any:
    """Building, unit, number, relation."""
    return _step(uscc, "dwelling")


@blueprint.route("/r/<uscc>/secret", methods=["GET", "POST"])
@limited(REGISTRATION_ADDRESS)
def secret(uscc: str) -> Any:
    """The password."""
    return _step(uscc, "secret")


@blueprint.route("/r/<uscc>/check", methods=["GET", "POST"])
@limited(REGISTRATION_ADDRESS)
def check(uscc: str) -> Any:
    """All answers on one page, each with a way to change it; sends the registration."""
    return _step(uscc, steps.CHECK)


def _step(uscc: str, step: str) -> Any:
    now = current_services().clock()
    with current_services().db.read() as session:
        community = _community(session, uscc)
        uscc = str(community.uscc)
        draft = drafts.read_open(uscc, now)
        if draft is None:
            return _restart(uscc)
        if not steps.reached(step, draft):
            return _to(steps.lacking(draft), uscc)
        form = _form(session, community, step, draft)
        if request.method == "GET" or (step == "dwelling" and _is_choosing()):
            return _page(session, community, step, draft, form)
        valid = form.validate_on_submit()
        if request.form.get("step") == "back":
            drafts.write(draft | _entered(step, form, right_only=True), now)
            back = steps.before(step, draft)
            return _to(back, uscc, **({"read": 1} if back == steps.CONSENT else {}))
        if not valid:
            return _page(session, community, step, draft, form), 422
        draft |= _entered(step, form)
        drafts.write(draft, now)
        try:
            _require_free(session, community, step, draft)
        except DomainError as error:
            return _refused(session, community, draft, error)
    return _send(community, draft) if step == steps.CHECK else _to(steps.lacking(draft), uscc)


def _form(
    session: Session, community: Region, step: str, draft: drafts.Draft, *, typed: bool = True
) -> Any:
    kept = {name: draft.get(name, "") for name in steps.ASKED.get(step, ())}
    form = FORMS[step](data=kept) if typed else FORMS[step](formdata=None, data=kept)
    if isinstance(form, DocumentForm) and not form.document_type.data and not form.is_submitted():
        form.document_type.data = DocumentType.RESIDENT_ID.value
    elif isinstance(form, DwellingForm):
        offer(session, community.id, form)
    elif isinstance(form, SecretForm):
        form.has_password = "password_hash" in draft
        form.about = tuple(str(draft[n]) for n in ("name", "phone", "document_number"))
    return form


def _entered(step: str, form: Any, *, right_only: bool = False) -> drafts.Draft:
    """What the form adds to the draft; with ``right_only`` leaving out fields that are empty or wrong."""
    if isinstance(form, SecretForm):
        chosen = form.password.data if not right_only else ""
        return {"password_hash": hash_password(chosen)} if chosen else {}
    return {
        name: form[name].data
        for name in steps.ASKED.get(step, ())
        if not right_only or (form[name].data and not form[name].errors)
    }


def _page(session: Session, community: Region, step: str, draft: drafts.Draft, form: Any) -> str:
    values = {"community": community, "form": form, "step": step, "draft": draft}
    if step == "dwelling" and _by_htmx():
        return render_template("residents/dwelling_fields.html", **values)
    if step == steps.CHECK:
        home = regions.dwelling(session, community.id, int(draft["dwelling"]))
        values |= {
            "home": home.label if home else "–",
            "agreed_at": datetime.fromisoformat(draft["consent_at"]),
        }
    return render_template(
        f"residents/{step}.html",
        order=steps.ORDER,
        labels=_labels(),
        **values,
    )


def _labels() -> list[Any]:
    return [steps.NAMES[one] for one in steps.ORDER]


def _by_htmx() -> bool:
    return request.headers.get("HX-Request") == "true"


def _is_choosing() -> bool:
    """Whether only the lists are to be brought up to date."""
    return _by_htmx() or request.form.get("step") == "choose"


def _require_free(session: Session, community: Region, step: str, draft: drafts.Draft) -> None:
    """Whether phone and document may register here: said as early as it is known."""
    if step == "person":
        check_phone(session, community.id, draft["phone"])
    elif step == "document":
        kind = DocumentType(draft["document_type"])
        check_free(session, community.id, draft["phone"], kind, draft["document_number"])


def _refused(session: Session, community: Region, draft: drafts.Draft, error: DomainError) -> Any:
    """The page that asks for what was refused, with the sentence beside its field."""
    log.info("registration refused", code=error.code)
    step = steps.asking_for(error.field)
    form = _form(session, community, step, draft, typed=False)
    if error.field is not None and error.field in form:
        form[error.field].errors = [error.message]
    else:
        form.form_errors = [error.message]
    return _page(session, community, step, draft, form), error.status


def _send(community: Region, draft: drafts.Draft) -> Any:
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
        with services.db.read() as session:
            return _refused(session, community, draft, error)
    drafts.finish(uscc)
    return _to("done", uscc)


@blueprint.get("/r/<uscc>/done")
def done(uscc: str) -> Any:
    """Last page: what happens now."""
    with current_services().db.read() as session:
        community = _community(session, uscc)
    if not drafts.is_finished(str(community.uscc)):
        return _to(steps.CONSENT, uscc)
    return render_template("residents/done.html", community=community)
