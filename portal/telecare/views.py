"""Alarms on the pages of staff: the desk, one alarm, what is over.

Parts that change keep themselves up to date by a short poll, see ``templates/telecare/_live.html``; buttons
and forms stand outside them, so that nothing is swapped away under a finger.
"""

from __future__ import annotations

from typing import Any

from flask import render_template, request

from portal.core.actors import current_actor, staff_required
from portal.core.paging import page_number
from portal.core.permissions import Permission, require_somewhere
from portal.services import current_services
from portal.telecare import (
    care_views,
    duty_views,
    operations,
    queries,
    report_views,
    troubles,
    wearer_views,
)
from portal.telecare.alarm_pages import alarm_values, carried_out, closed, live_answer, signature
from portal.telecare.blueprint import WORDS, blueprint, to
from portal.telecare.forms import CloseForm
from portal.telecare.queries import Past, Sheet

__all__ = ["blueprint", "care_views", "duty_views", "report_views", "wearer_views"]


@blueprint.get("/work/telecare")
@staff_required
def desk() -> str:
    """Open alarms; the list keeps itself up to date and rings."""
    services, actor = current_services(), current_actor()
    require_somewhere(actor, Permission.TELECARE_LIST)
    with services.db.read() as session:
        faults = troubles.count_waiting(session, actor, services.clock())
    return render_template("telecare/desk.html", faults=faults, **_open())


@blueprint.get("/work/telecare/live")
@staff_required
def live() -> Any:
    """The list, when it is no longer what the page shows; 204 otherwise."""
    require_somewhere(current_actor(), Permission.TELECARE_LIST)
    values = _open()
    if request.args.get("seen") == values["seen"]:
        return "", 204
    return render_template("telecare/_open.html", **values)


def _open() -> dict[str, Any]:
    services = current_services()
    with services.db.read() as session:
        cards = queries.open_alarms(session, current_actor())
    return {
        **WORDS,
        "cards": cards,
        "now": services.clock(),
        "seen": signature(cards),
        "several": len({card.community for card in cards}) > 1,
    }


@blueprint.get("/work/telecare/past")
@staff_required
def past() -> str:
    """What is over."""
    services, actor = current_services(), current_actor()
    require_somewhere(actor, Permission.TELECARE_LIST)
    show = request.args.get("show", "")
    kind = Past(show) if show in set(Past) else Past.CLOSED
    with services.db.read() as session:
        page = queries.past_alarms(session, actor, kind, page_number(request.args.get("page")))
    return render_template("telecare/past.html", page=page, kind=kind, Past=Past, **WORDS)


@blueprint.get("/work/telecare/alarms/<int:alarm_id>")
@staff_required
def alarm(alarm_id: int) -> str:
    """One alarm for a responder: who, where, notes, what has been done, what to do."""
    return _alarm_page(alarm_id, CloseForm(formdata=None))


@blueprint.get("/work/telecare/alarms/<int:alarm_id>/live")
@staff_required
def alarm_live(alarm_id: int) -> Any:
    """How it stands, when that has changed; 204 otherwise."""
    return live_answer(_sheet(alarm_id), "telecare.alarm_live")


@blueprint.post("/work/telecare/alarms/<int:alarm_id>/<any(acknowledge, arrive, hand_back):verb>")
@staff_required
def act(alarm_id: int, verb: str) -> Any:
    """Take it, arrive, or hand it back."""
    return carried_out(alarm_id, verb, "telecare.alarm")


@blueprint.post("/work/telecare/alarms/<int:alarm_id>/close")
@staff_required
def close(alarm_id: int) -> Any:
    """End it with its cause."""
    form = CloseForm()
    if not closed(alarm_id, form):
        return _alarm_page(alarm_id, form), 422
    return to("telecare.desk")


def _sheet(alarm_id: int) -> Sheet:
    services, actor = current_services(), current_actor()
    with services.db.read() as session:
        row = queries.one_for_staff(session, actor, alarm_id)
        return queries.sheet(session, actor, row, services.clock())


def _alarm_page(alarm_id: int, form: CloseForm) -> str:
    services, actor = current_services(), current_actor()
    sheet = _sheet(alarm_id)
    may = actor.may(Permission.TELECARE_RESPOND, sheet.card.path)
    if may:
        with services.db.write() as session:
            operations.look(session, actor, alarm_id, services.clock())
    return render_template(
        "telecare/alarm.html",
        form=form,
        may_respond=may,
        **alarm_values(_sheet(alarm_id) if may else sheet, "telecare.alarm_live"),
    )
