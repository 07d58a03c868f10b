"""What the alarm pages of staff and of contacts share: carrying out buttons and forms, the changing part."""

from __future__ import annotations

import hashlib
from typing import Any

from flask import flash, make_response, render_template, request

from portal.core.actors import current_actor
from portal.core.errors import ConflictError, DomainError
from portal.core.i18n import _
from portal.services import current_services
from portal.telecare import operations
from portal.telecare.blueprint import WORDS, to
from portal.telecare.forms import CloseForm, blame
from portal.telecare.queries import Card, Sheet

ACTS: dict[str, Any] = {
    "acknowledge": operations.acknowledge,
    "arrive": operations.arrive,
    "hand_back": operations.hand_back,
}


def signature(cards: list[Card], *more: object) -> str:
    """What a live part shows, in short: it is sent again only when this has changed."""
    shown = [(c.id, c.state, c.step, c.presses, c.taken_by, c.taken_back) for c in cards]
    return hashlib.sha256(repr((shown, more)).encode()).hexdigest()[:16]


def group(card: Card) -> str:
    """What can be done with an alarm; the page is loaded anew when this changes."""
    if not card.open:
        return "over"
    return "ringing" if card.ringing else str(card.state)


def carried_out(alarm_id: int, verb: str, endpoint: str) -> Any:
    """Carry out what a button says and lead back to the alarm."""
    services = current_services()
    done = {
        "acknowledge": _("You have taken this alarm. The button tells its wearer."),
        "arrive": _("Noted: you are there."),
        "hand_back": _("Handed back. The next ones have been told."),
    }
    try:
        with services.db.write() as session:
            ACTS[verb](session, current_actor(), alarm_id, services.clock())
        flash(done[verb], "success")
    except ConflictError as error:
        flash(str(error.message), "warning")
    return to(endpoint, alarm_id=alarm_id)


def closed(alarm_id: int, form: CloseForm) -> bool:
    """Close an alarm by its form; ``False`` with a sentence beside what is wrong."""
    services = current_services()
    if not form.validate():
        return False
    cause, note = form.cause.data or "", form.note.data or ""
    try:
        with services.db.write() as session:
            operations.close(session, current_actor(), alarm_id, cause, note, services.clock())
    except ConflictError as error:
        flash(str(error.message), "warning")
        return True
    except DomainError as error:
        if error.field is None:
            raise
        blame(form, error, "cause")
        return False
    flash(_("The alarm is closed. The button tells its wearer."), "success")
    return True


def live_answer(sheet: Sheet, endpoint: str) -> Any:
    """The changing part of an alarm's page; the whole page anew when something else can be done now."""
    seen = sheet_signature(sheet)
    if request.args.get("seen") == seen:
        return "", 204
    if request.args.get("group") != group(sheet.card):
        response = make_response("", 204)
        response.headers["HX-Refresh"] = "true"
        return response
    return render_template("telecare/_alarm.html", fragment=True, **alarm_values(sheet, endpoint))


def sheet_signature(sheet: Sheet) -> str:
    """As :func:`signature`, with who was told and has seen it."""
    return signature([sheet.card], len(sheet.history), sheet.told)


def alarm_values(sheet: Sheet, endpoint: str) -> dict[str, Any]:
    """What templates of one alarm need; ``endpoint`` is that of its live part."""
    return {
        **WORDS,
        "sheet": sheet,
        "card": sheet.card,
        "group": group(sheet.card),
        "now": current_services().clock(),
        "seen": sheet_signature(sheet),
        "live_endpoint": endpoint,
    }
