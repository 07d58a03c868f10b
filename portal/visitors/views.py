"""Invitations on pages: the resident's, the queue of staff, and what a visitor sees behind the link.

The link's token is the only secret in an address here. It is 256 random bits, found by keyed hash; pages
behind it name no person, are not kept by caches and not indexed, and may be asked for 60 times a minute.
"""

from __future__ import annotations

import re
from typing import Any, Final
from zoneinfo import ZoneInfo

from flask import (
    Blueprint,
    Response,
    flash,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)

from portal.core import limits
from portal.core.actors import current_actor, resident_required, staff_required
from portal.core.errors import ConflictError, DomainError, TooManyError
from portal.core.i18n import _
from portal.core.identifiers.masking import mask_name, mask_phone
from portal.core.permissions import Permission, not_found, require_somewhere
from portal.passes.drawing import qr_svg
from portal.passes.operations import show_code
from portal.passes.settings import seconds_for_pass
from portal.services import current_services
from portal.visitors import operations, queries
from portal.visitors.forms import DecisionForm, InvitationForm, blame
from portal.visitors.models import Invitation, InvitationState
from portal.visitors.operations import PURPOSE_NAMES, Purpose
from portal.visitors.queries import PAGE, SHOWN_NAMES, Shown

blueprint = Blueprint("visitors", __name__, template_folder="templates")

TONES: Final[dict[Shown, str]] = {
    Shown.PENDING: "warn",
    Shown.APPROVED: "good",
    Shown.USED: "info",
    Shown.EXPIRED: "",
    Shown.REFUSED: "bad",
    Shown.CANCELLED: "",
}
TOKEN: Final = re.compile(r"[A-Za-z0-9_-]{43}")
LINK_LIMIT: Final = "60/minute"


@blueprint.app_context_processor
def _words() -> dict[str, Any]:
    return {"shown_names": SHOWN_NAMES, "shown_tones": TONES}


@blueprint.get("/visitors")
@resident_required
def mine() -> str:
    """The resident's invitations."""
    services = current_services()
    with services.db.read() as session:
        rows = queries.own(session, current_actor())
        may_invite = queries.home_of(session, current_actor()) is not None
    return render_template(
        "visitors/mine.html",
        rows=_with_states(rows),
        purpose_names=PURPOSE_NAMES,
        may_invite=may_invite,
    )


@blueprint.route("/visitors/new", methods=["GET", "POST"])
@resident_required
def new() -> Any:
    """Ask a visitor in."""
    services, actor = current_services(), current_actor()
    now = services.clock()
    with services.db.read() as session:
        home = queries.home_of(session, actor)
    if home is None:
        return render_template("visitors/not_yet.html"), 403
    zone = ZoneInfo(home.timezone)
    form = InvitationForm()
    status = 200
    if request.method == "GET":
        form.propose(now, zone)
    else:
        draft = form.draft(now, zone, home.limits)
        status = 422
        if draft is not None:
            try:
                with services.db.write() as session:
                    invitation = operations.invite(session, actor, draft, now)
            except TooManyError as error:
                form.form_errors.append(str(error.message))
            else:
                flash(
                    _("The invitation has been approved. Send the link to your visitor.")
                    if invitation.state == InvitationState.APPROVED
                    else _("The invitation has been sent to the community office."),
                    "success",
                )
                return redirect(url_for("visitors.one", invitation_id=invitation.id))
    return render_template("visitors/new.html", form=form, home=home), status


@blueprint.get("/visitors/<int:invitation_id>")
@resident_required
def one(invitation_id: int) -> str:
    """One invitation of the resident, with the link to share."""
    services = current_services()
    with services.db.read() as session:
        invitation = queries.own_one(session, current_actor(), invitation_id)
    return render_template(
        "visitors/one.html",
        invitation=invitation,
        state=queries.shown_state(invitation, services.clock()),
        Shown=Shown,
        purpose=_purpose(invitation),
        link=_link(invitation),
    )


@blueprint.post("/visitors/<int:invitation_id>/cancel")
@resident_required
def cancel(invitation_id: int) -> Response:
    """Take an invitation back."""
    services = current_services()
    try:
        with services.db.write() as session:
            operations.cancel(session, current_actor(), invitation_id, services.clock())
        flash(_("The invitation has been cancelled. Its pass opens nothing any more."), "success")
    except ConflictError as error:
        flash(str(error.message), "warning")
    return _to("visitors.one", invitation_id=invitation_id)


@blueprint.get("/work/visitors")
@staff_required
def queue() -> str:
    """What waits for a decision, or what has been decided."""
    services, actor = current_services(), current_actor()
    require_somewhere(actor, Permission.INVITATION_LIST)
    decided = request.args.get("show") == "closed"
    before = request.args.get("before", "")
    with services.db.read() as session:
        rows = queries.queue(
            session,
            actor,
            services.clock(),
            decided=decided,
            before=int(before) if before.isascii() and before.isdigit() and len(before) < 16 else 0,
        )
    return render_template(
        "visitors/queue.html",
        rows=_with_states(rows[:PAGE]),
        more=len(rows) > PAGE,
        decided=decided,
        purpose_names=PURPOSE_NAMES,
        mask_name=mask_name,
        several=len({r.community_id for r in rows}) > 1,
    )


@blueprint.get("/work/visitors/<int:invitation_id>")
@staff_required
def decide(invitation_id: int) -> str:
    """One invitation for a decision."""
    return _decision_page(invitation_id, DecisionForm())


@blueprint.post("/work/visitors/<int:invitation_id>/<any(approve, refuse):verb>")
@staff_required
def decided(invitation_id: int, verb: str) -> Any:
    """Approve or refuse."""
    services, actor = current_services(), current_actor()
    form = DecisionForm()
    if not form.validate():
        return _decision_page(invitation_id, form), 422
    act = operations.approve if verb == "approve" else operations.refuse
    try:
        with services.db.write() as session:
            act(session, actor, invitation_id, form.note.data or "", services.clock())
    except ConflictError as error:
        flash(str(error.message), "warning")
        return _to("visitors.decide", invitation_id=invitation_id)
    except DomainError as error:
        if error.field != "note":
            raise
        blame(form.note, error.message)
        return _decision_page(invitation_id, form), 422
    flash(
        _("Approved. The visitor's link now shows the pass.")
        if verb == "approve"
        else _("Refused. The resident sees your note."),
        "success",
    )
    return _to("visitors.queue")


def _decision_page(invitation_id: int, form: DecisionForm) -> str:
    services, actor = current_services(), current_actor()
    with services.db.read() as session:
        invitation = queries.one_for_staff(session, actor, invitation_id)
    return render_template(
        "visitors/decide.html",
        invitation=invitation,
        form=form,
        state=queries.shown_state(invitation, services.clock()),
        Shown=Shown,
        purpose=_purpose(invitation),
        name=mask_name(invitation.visitor_name),
        phone=mask_phone(invitation.visitor_phone),
        may_decide=actor.may(Permission.INVITATION_DECIDE, invitation.community.path),
    )


@blueprint.get("/v/<token>")
@limits.limiter.limit(LINK_LIMIT)
def link(token: str) -> Response:
    """What the visitor sees."""
    return _public("visitors/link.html", _behind(token))


@blueprint.get("/v/<token>/state")
@limits.limiter.limit(LINK_LIMIT)
def state(token: str) -> Any:
    """The same, when it is no longer what the page shows; 204 otherwise."""
    values = _behind(token)
    if request.args.get("seen") == values["seen"]:
        return _unkept(make_response("", 204))
    return _public("visitors/_state.html", values)


def _behind(token: str) -> dict[str, Any]:
    """State and, for a pass that counts now, its code."""
    if not TOKEN.fullmatch(token):
        raise not_found()
    services = current_services()
    now = services.clock()
    with services.db.read() as session:
        invitation = queries.by_link(session, token)
        shown = queries.shown_state(invitation, now)
        usable = shown is Shown.APPROVED and invitation.valid_from <= now
        picture = None
        if usable and invitation.pass_id is not None:
            seconds = seconds_for_pass(session, invitation.pass_id, services.config.pass_seconds)
            code = show_code(session, invitation.pass_id, now, seconds=seconds)
            picture = qr_svg(code.token)
    return {
        "token": token,
        "invitation": invitation,
        "state": shown,
        "seen": f"{shown}-{'now' if usable else 'not'}",
        "final": shown not in (Shown.PENDING, Shown.APPROVED),
        "qr": picture,
        "Shown": Shown,
    }


def _public(template: str, values: dict[str, Any]) -> Response:
    return _unkept(make_response(render_template(template, **values)))


def _unkept(response: Response) -> Response:
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


def _to(endpoint: str, **values: Any) -> Response:
    response = redirect(url_for(endpoint, **values))
    assert isinstance(response, Response)  # noqa: S101 - narrows the type for mypy
    return response


def _link(invitation: Invitation) -> str:
    base = current_services().config.effective_public_url
    return f"{base}{url_for('visitors.link', token=invitation.link_token)}"


def _purpose(invitation: Invitation) -> str:
    return str(PURPOSE_NAMES[Purpose(invitation.purpose)])


def _with_states(rows: Any) -> list[tuple[Invitation, Shown]]:
    now = current_services().clock()
    return [(row, queries.shown_state(row, now)) for row in rows]
