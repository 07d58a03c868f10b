"""The forms of invitations. What is right or wrong is said by :mod:`portal.visitors.operations`."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from flask_wtf import FlaskForm
from wtforms import SelectChoice, SelectField, StringField, TextAreaField
from wtforms.widgets import DateTimeLocalInput

from portal.core.i18n import lazy
from portal.visitors.operations import PURPOSE_NAMES, Draft, faults
from portal.visitors.settings import Limits

FORMAT: Final = "%Y-%m-%dT%H:%M"
DEFAULT_STAY: Final = timedelta(hours=4)


def _purposes() -> list[Any]:
    return [SelectChoice(value=str(value), label=name) for value, name in PURPOSE_NAMES.items()]


class InvitationForm(FlaskForm):  # type: ignore[misc]  # flask_wtf ships no types
    """What a resident enters. Times are those of the community's clocks."""

    visitor_name = StringField(lazy("Visitor's name"))
    visitor_phone = StringField(lazy("Visitor's phone number"))
    purpose = SelectField(lazy("Purpose"), choices=_purposes, validate_choice=False)
    valid_from = StringField(lazy("May come from"), widget=DateTimeLocalInput())
    valid_until = StringField(lazy("Until"), widget=DateTimeLocalInput())

    def propose(self, now: datetime, zone: ZoneInfo) -> None:
        """Fill in an empty form: from now, for four hours."""
        local = now.astimezone(zone).replace(second=0, microsecond=0)
        self.valid_from.data = local.strftime(FORMAT)
        self.valid_until.data = (local + DEFAULT_STAY).strftime(FORMAT)

    def draft(self, now: datetime, zone: ZoneInfo, limits: Limits) -> Draft | None:
        """What was entered, or ``None`` with a sentence beside every field that is at fault."""
        if not self.validate():
            return None
        start = _moment(self.valid_from, zone)
        end = _moment(self.valid_until, zone)
        draft = Draft(
            visitor_name=self.visitor_name.data or "",
            visitor_phone=self.visitor_phone.data or "",
            purpose=self.purpose.data or "",
            valid_from=start or now,
            valid_until=end or (start or now) + DEFAULT_STAY,
        )
        for fault in faults(draft, now, limits):
            blame(self[fault.field or "visitor_name"], fault.message)
        return None if self.errors else draft


class DecisionForm(FlaskForm):  # type: ignore[misc]
    """A worker's word on an invitation."""

    note = TextAreaField(lazy("Note to the resident"))


def blame(field: Any, message: Any) -> None:
    """Put a sentence beside a field, unless there is one already."""
    if not field.errors:
        field.errors = [str(message)]


def _moment(field: Any, zone: ZoneInfo) -> datetime | None:
    try:
        return datetime.strptime((field.data or "").strip()[:16], FORMAT).replace(tzinfo=zone)
    except ValueError:
        blame(field, lazy("Enter date and time, for example 2026-03-02 16:30."))
        return None
