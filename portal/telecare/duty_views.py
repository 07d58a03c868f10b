"""Duty, settings and buttons in trouble on the pages of staff."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any
from zoneinfo import ZoneInfo

from flask import flash, render_template, request
from wtforms import SelectChoice

from portal.core.actors import current_actor, staff_required
from portal.core.errors import ConflictError, DomainError
from portal.core.i18n import _
from portal.core.permissions import Permission, require_somewhere
from portal.services import current_services
from portal.telecare import roster
from portal.telecare import thresholds as setting
from portal.telecare import troubles as watching
from portal.telecare.blueprint import WORDS, blueprint, chosen_community, to
from portal.telecare.forms import SettingsForm, ShiftForm, blame, blame_all, number_of
from portal.telecare.thresholds import LIMITS, Settings, settings_of


@blueprint.route("/work/telecare/duty", methods=["GET", "POST"])
@staff_required
def duty() -> Any:
    """Who is on duty now and next; planning for whoever may."""
    services, actor = current_services(), current_actor()
    require_somewhere(actor, Permission.TELECARE_LIST)
    form, now = ShiftForm(), services.clock()
    with services.db.read() as session:
        places, place = chosen_community(session, actor, Permission.TELECARE_LIST)
        people = roster.responders(session, place)
    may = actor.may(Permission.TELECARE_MANAGE, place.path)
    form.user_id.choices = [
        SelectChoice(value=str(user.id), label=user.username or "", render_kw={"lang": ""})
        for user in people
    ]
    status = 200
    if request.method == "POST":
        status = 422
        moments = form.moments(ZoneInfo(place.timezone)) if form.validate() else None
        if moments is not None:
            try:
                with services.db.write() as session:
                    made = roster.plan(
                        session,
                        actor,
                        place.id,
                        number_of(form.user_id.data),
                        *moments,
                        number_of(form.days.data),
                    )
            except DomainError as error:
                if error.status == 403:
                    raise
                blame(form, error, "user_id")
            else:
                flash(_("Planned: %(count)s shifts.", count=made), "success")
                return to("telecare.duty", community=place.id)
    with services.db.read() as session:
        planned = roster.shifts(session, actor, place.id, now)
    return render_template(
        "telecare/duty.html",
        form=form,
        shifts=planned,
        places=places,
        place=place,
        may_manage=may,
        **WORDS,
    ), status


@blueprint.post("/work/telecare/duty/<int:shift_id>/cancel")
@staff_required
def shift_cancel(shift_id: int) -> Any:
    """Take a shift out of the plan."""
    with current_services().db.write() as session:
        community_id = roster.cancel(session, current_actor(), shift_id)
    flash(_("The shift has been taken out."), "success")
    return to("telecare.duty", community=community_id)


@blueprint.route("/work/telecare/settings", methods=["GET", "POST"])
@staff_required
def settings() -> Any:
    """How long each step takes, and when a button is in trouble."""
    services, actor = current_services(), current_actor()
    require_somewhere(actor, Permission.TELECARE_MANAGE)
    form = SettingsForm()
    with services.db.read() as session:
        places, place = chosen_community(session, actor, Permission.TELECARE_MANAGE)
        holds = settings_of(session, place.id)
    status = 200
    if request.method == "GET":
        form.fill(holds)
    else:
        status = 422
        numbers = form.numbers()
        wrong = not form.validate()
        if not blame_all(form, setting.faults(numbers), "cancel_seconds") and not wrong:
            wanted = Settings(**{name: value or 0 for name, value in numbers.items()})
            with services.db.write() as session:
                setting.change(session, actor, place.id, wanted)
            flash(_("Saved. Alarms that ring already keep their time."), "success")
            return to("telecare.settings", community=place.id)
    return render_template(
        "telecare/settings.html",
        form=form,
        places=places,
        place=place,
        limits=LIMITS,
        defaults=asdict(Settings()),
        **WORDS,
    ), status


@blueprint.get("/work/telecare/buttons")
@staff_required
def troubles() -> str:
    """Buttons that are silent, weak, untested or strange."""
    services, actor = current_services(), current_actor()
    require_somewhere(actor, Permission.TELECARE_LIST)
    now = services.clock()
    with services.db.read() as session:
        rows = watching.waiting(session, actor, now)
    return render_template(
        "telecare/troubles.html",
        rows=rows,
        may_respond=lambda row: actor.may(Permission.TELECARE_RESPOND, row.community.path),
        **WORDS,
    )


@blueprint.post("/work/telecare/buttons/<int:trouble_id>/handle")
@staff_required
def trouble_handle(trouble_id: int) -> Any:
    """Take one in hand."""
    services = current_services()
    try:
        with services.db.write() as session:
            watching.handle(session, current_actor(), trouble_id, services.clock())
        flash(_("Noted. It comes back after a day if it is still there."), "success")
    except ConflictError as error:
        flash(str(error.message), "warning")
    return to("telecare.troubles")
