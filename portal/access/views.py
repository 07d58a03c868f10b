"""Passages on pages: the live log of staff, and a resident's own."""

from __future__ import annotations

from typing import Any, Final

from flask import Blueprint, make_response, render_template, request

from portal.access import log as passage_log
from portal.access.log import PAGE, Answer, Filter
from portal.access.models import Outcome
from portal.access.reasons import sentence
from portal.core.actors import current_actor, resident_required, staff_required
from portal.core.i18n import lazy
from portal.core.permissions import Permission, require_somewhere
from portal.services import current_services

blueprint = Blueprint("access", __name__, template_folder="templates")


LARGEST_ID: Final = 2**53
OUTCOME_NAMES: Final[dict[Outcome, Any]] = {
    Outcome.ALLOW: lazy("Let through"),
    Outcome.REFUSE: lazy("Not let through"),
}
COMMAND_REASONS: Final[dict[str, Any]] = {
    "jammed": lazy("the bolt is jammed"),
    "expired": lazy("the command came too late"),
    "busy": lazy("the door was busy"),
    "offline": lazy("the door was offline"),
}
"""Answers of locks that are worth a sentence; others are shown as they are."""


@blueprint.get("/work/passages")
@staff_required
def log() -> str:
    """The log; its first page keeps itself up to date."""
    actor, services = current_actor(), current_services()
    require_somewhere(actor, Permission.PASSAGE_LIST)
    chosen, before = _filter(), _number("before")
    with services.db.read() as session:
        gates = passage_log.gates(session, actor)
        rows = passage_log.page(session, actor, chosen, before=before)
    known = {gate.id for gate in gates}
    return render_template(
        "access/log.html",
        gates=gates,
        several=len({gate.community_id for gate in gates}) > 1,
        chosen=chosen,
        unknown_gate=chosen.gate_id is not None and chosen.gate_id not in known,
        before=before,
        more=len(rows) > PAGE,
        **_shown(rows[:PAGE]),
    )


@blueprint.get("/work/passages/newer")
@staff_required
def newer() -> Any:
    """Rows above the newest one shown, and rows shown whose door has answered since; 204 for none."""
    actor, services = current_actor(), current_services()
    require_somewhere(actor, Permission.PASSAGE_LIST)
    now = services.clock()
    after = _number("after")
    with services.db.read() as session:
        rows = passage_log.page(session, actor, _filter(), after=after)
        waiting = passage_log.some(session, actor, _numbers("waiting"))
    answered = [p for p in waiting if passage_log.answer(p, now) is not Answer.WAITING]
    if not rows and not answered:
        return "", 204
    flood = len(rows) > PAGE
    html = render_template(
        "access/_newer.html",
        first=not after,
        flood=flood,
        answered=[] if flood else answered,
        **_shown(rows[:PAGE]),
    )
    response = make_response(html)
    if flood:  # more than fit into one answer: start over with the newest
        response.headers["HX-Reswap"] = "innerHTML"
    return response


@blueprint.get("/passages")
@resident_required
def mine() -> str:
    """The resident's own passages and those of their visitors."""
    with current_services().db.read() as session:
        rows = passage_log.own(session, current_actor())
    return render_template("access/mine.html", **_shown(list(rows)))


def _shown(rows: list[Any]) -> dict[str, Any]:
    return {
        "rows": rows,
        "now": current_services().clock(),
        "answer": passage_log.answer,
        "answer_ms": passage_log.answer_ms,
        "sentence": sentence,
        "outcome_names": OUTCOME_NAMES,
        "command_reasons": COMMAND_REASONS,
        "Answer": Answer,
    }


def _filter() -> Filter:
    """What the address asks for; nonsense means all."""
    outcome = request.args.get("outcome", "")
    return Filter(
        gate_id=_number("gate") or None,
        outcome=Outcome(outcome) if outcome in set(Outcome) else None,
    )


def _number(name: str) -> int:
    return _parsed(request.args.get(name, ""))


def _numbers(name: str) -> list[int]:
    return [n for n in map(_parsed, request.args.getlist(name)[:PAGE]) if n]


def _parsed(raw: str) -> int:
    if not raw.isascii() or not raw.isdigit() or len(raw) > 16:
        return 0
    return min(int(raw), LARGEST_ID)
