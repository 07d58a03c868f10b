"""Pages of whoever scans: the camera page, the look at a code, and letting in or turning away.

Codes come in bodies only, never in an address. Answers to htmx are the card alone, others the whole
page with the card in it, so that typing a code works without scripts too.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any, Final

from flask import Blueprint, Response, make_response, render_template, request, session
from sqlalchemy.exc import IntegrityError

from portal.access import by_hand
from portal.access.by_hand import Recorded
from portal.access.decision import Reason
from portal.access.models import Gate, Outcome
from portal.access.reasons import sentence
from portal.core.actors import current_actor, staff_required
from portal.core.content_policy import HEADER, content_policy
from portal.core.errors import DomainError
from portal.core.i18n import lazy
from portal.core.limits import SCAN_ACCOUNT, limited
from portal.core.permissions import Actor, Permission, require_somewhere
from portal.regions.directory import communities
from portal.regions.models import Region
from portal.scanning import tickets
from portal.scanning.card import VERDICTS, card_of, gate_name
from portal.scanning.tickets import Ticket
from portal.services import current_services

blueprint = Blueprint("scanning", __name__, url_prefix="/work/scan", template_folder="templates")

PLACE: Final = "scan_place"
"""Where in the session the last place is kept."""
ACTS: Final = {"let_in": True, "turn_away": False}


@dataclass(frozen=True, slots=True)
class Places:
    """Where the actor may scan: at gates, or away from any in a community."""

    gates: list[Gate]
    communities: list[Region]

    def chosen(self, asked: str, actor: Actor) -> str:
        """The place asked for when there is one of that name, else the likeliest.

        Who records passages stands at a gate, others are out and about.
        """
        at_gates = [f"gate-{gate.id}" for gate in self.gates]
        away = [f"community-{place.id}" for place in self.communities]
        if asked in (*at_gates, *away):
            return asked
        first = at_gates if actor.paths(Permission.PASSAGE_RECORD) else away
        return next(iter((*first, *at_gates, *away)), "")


def _account() -> str:
    return f"scan:{current_actor().user_id}"


@blueprint.get("")
@staff_required
def page() -> Response:
    """The camera, with a field to type a code into."""
    return _page()


@blueprint.post("/code")
@limited(SCAN_ACCOUNT, key=_account)
@staff_required
def look_up() -> Response:
    """What the code is worth, as a card."""
    services, actor = current_services(), current_actor()
    require_somewhere(actor, Permission.PASS_SCAN)
    now = services.clock()
    code = request.form.get("code", "").strip("\r\n\t").lstrip()  # spaces belong to Base45
    gate_id, community_id = _place(request.form.get("place", ""))
    try:
        with services.db.write() as db:
            seen = by_hand.look_up(db, actor, code, now, gate_id=gate_id, community_id=community_id)
            card, gate = card_of(db, actor, seen), gate_name(db, gate_id)
    except DomainError as error:
        return _refused(error)
    session[PLACE] = request.form["place"]
    ticket = ""
    if gate_id is not None and actor.paths(Permission.PASSAGE_RECORD):
        visit = request.form.get("visit", "") or secrets.token_hex(16)
        ticket = tickets.write(Ticket(code, gate_id, actor.user_id or 0, visit, now.isoformat()))
    return _answer("scanning/_card.html", card=card, gate=gate, ticket=ticket)


@blueprint.post("/passage")
@limited(SCAN_ACCOUNT, key=_account)
@staff_required
def record() -> Response:
    """Let in or turn away; the same ticket again changes nothing."""
    actor = current_actor()
    require_somewhere(actor, Permission.PASSAGE_RECORD)
    try:
        act = request.form.get("act", "")
        if act not in ACTS:
            raise DomainError("no_act", lazy("Choose whether to let in or to turn away."))
        ticket = tickets.read(request.form.get("ticket", ""), actor.user_id)
        recorded = _record(actor, ticket, let_in=ACTS[act])
    except DomainError as error:
        return _refused(error)
    reason = Reason(recorded.reason)
    return _answer(
        "scanning/_recorded.html",
        recorded=recorded,
        allowed=recorded.outcome is Outcome.ALLOW,
        turned_away=reason is Reason.TURNED_AWAY,
        verdict=VERDICTS[reason],
        sentence=sentence(recorded.reason),
    )


def _record(actor: Actor, ticket: Ticket, *, let_in: bool) -> Recorded:
    services = current_services()

    def once() -> Recorded:
        with services.db.write() as db:
            return by_hand.record(
                db,
                actor,
                ticket.code,
                gate_id=ticket.gate_id,
                seen_at=ticket.read_at,
                visit=ticket.visit,
                let_in=let_in,
                now=services.clock(),
            )

    try:
        return once()
    except IntegrityError:  # the gate read the same code this very moment: its passage stands now
        return once()


def _place(value: str) -> tuple[int | None, int | None]:
    """Gate id or community id of a choice; neither for nonsense."""
    kind, _, number = value.partition("-")
    if not (number.isascii() and number.isdigit() and len(number) < 16):
        return None, None
    return (int(number), None) if kind == "gate" else (None, int(number))


def _refused(error: DomainError) -> Response:
    """A sentence in place of the card for what may be tried again; the rest is an error page."""
    if error.status not in (409, 422):
        raise error
    response = _answer("scanning/_refused.html", message=error.message)
    response.status_code = 422
    return response


def _answer(template: str, **values: Any) -> Response:
    if request.headers.get("HX-Request") == "true":
        return make_response(render_template(template, **values))
    return _page(part=template, **values)


def _page(**values: Any) -> Response:
    actor = current_actor()
    require_somewhere(actor, Permission.PASS_SCAN)
    with current_services().db.read() as db:
        places = Places(
            list(by_hand.gates(db, actor)), communities(db, actor, Permission.PASS_SCAN)
        )
    html = render_template(
        "scanning/scan.html",
        places=places,
        chosen=places.chosen(str(session.get(PLACE, "")), actor),
        **values,
    )
    response = make_response(html)
    response.headers[HEADER] = content_policy(webassembly=True)
    return response
