"""What residents see: people they care for, an alarm they were told of, their own button."""

from __future__ import annotations

from typing import Any

from flask import render_template

from portal.core.actors import current_actor, resident_required
from portal.services import current_services
from portal.telecare import alarm_pages, operations, queries, wearer_queries
from portal.telecare.blueprint import WORDS, blueprint, to
from portal.telecare.contacts import contact_name, standing
from portal.telecare.forms import CloseForm
from portal.telecare.queries import Sheet


@blueprint.get("/care")
@resident_required
def care() -> str:
    """People I care for, what happened, and my own button."""
    services, actor = current_services(), current_actor()
    with services.db.read() as session:
        values = {
            "people": wearer_queries.caring_for(session, actor),
            "open_cards": queries.told_alarms(session, actor),
            "past_cards": queries.told_alarms(session, actor, over=True),
            "own": wearer_queries.own_profile(session, actor),
        }
    return render_template(
        "telecare/care.html",
        now=services.clock(),
        standing=standing,
        contact_name=contact_name,
        **values,
        **WORDS,
    )


@blueprint.get("/care/alarms/<int:alarm_id>")
@resident_required
def care_alarm(alarm_id: int) -> str:
    """An alarm that this resident was told of."""
    return _page(alarm_id, CloseForm(formdata=None))


@blueprint.get("/care/alarms/<int:alarm_id>/live")
@resident_required
def care_live(alarm_id: int) -> Any:
    """How it stands, when that has changed; 204 otherwise."""
    return alarm_pages.live_answer(_sheet(alarm_id), "telecare.care_live")


@blueprint.post("/care/alarms/<int:alarm_id>/<any(acknowledge, arrive, hand_back):verb>")
@resident_required
def care_act(alarm_id: int, verb: str) -> Any:
    """Take it, arrive, or hand it back."""
    return alarm_pages.carried_out(alarm_id, verb, "telecare.care_alarm")


@blueprint.post("/care/alarms/<int:alarm_id>/close")
@resident_required
def care_close(alarm_id: int) -> Any:
    """End it with its cause."""
    form = CloseForm()
    if not alarm_pages.closed(alarm_id, form):
        return _page(alarm_id, form), 422
    return to("telecare.care_alarm", alarm_id=alarm_id)


def _sheet(alarm_id: int) -> Sheet:
    services, actor = current_services(), current_actor()
    with services.db.read() as session:
        row, contact = queries.one_for_contact(session, actor, alarm_id)
        return queries.sheet(session, actor, row, services.clock(), contact)


def _page(alarm_id: int, form: CloseForm) -> str:
    services, actor = current_services(), current_actor()
    _sheet(alarm_id)  # a stranger gets no further
    with services.db.write() as session:
        operations.look(session, actor, alarm_id, services.clock())
    sheet = _sheet(alarm_id)
    return render_template(
        "telecare/care_alarm.html",
        form=form,
        **alarm_pages.alarm_values(sheet, "telecare.care_live"),
    )
