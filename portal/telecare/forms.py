"""The forms of telecare. What is right or wrong is said by the operations; a form finds the fields."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from flask_wtf import FlaskForm
from wtforms import SelectChoice, SelectField, StringField, TextAreaField
from wtforms.widgets import DateTimeLocalInput, TimeInput

from portal.core.errors import DomainError
from portal.core.i18n import lazy
from portal.telecare.contacts import Draft
from portal.telecare.operations import CAUSE_NAMES
from portal.telecare.thresholds import LIMITS, Settings
from portal.telecare.wearers import Profile
from portal.telecare.words import CONSENT_NAMES, HEARING_NAMES, LANGUAGE_NAMES, TIE_NAMES

FORMAT: Final = "%Y-%m-%dT%H:%M"
_TIME: Final = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)(?::\d\d)?")
_WRONG_TIME: Final = -1
"""No minute of any day: the operation says so beside the field."""


def _choices(names: dict[Any, Any]) -> list[Any]:
    return [SelectChoice(value=str(value), label=name) for value, name in names.items()]


def _causes() -> list[Any]:
    first = SelectChoice(value="", label=lazy("Choose…"))
    return [first, *_choices(CAUSE_NAMES)]


class WearerForm(FlaskForm):  # type: ignore[misc]  # flask_wtf ships no types
    """A wearer; name and number are asked for new ones only."""

    name = StringField(lazy("Resident's name"))
    phone = StringField(lazy("Resident's phone number"))
    device_id = SelectField(lazy("Alarm button"), choices=[], validate_choice=False)
    hearing = SelectField(
        lazy("Hearing"), choices=lambda: _choices(HEARING_NAMES), validate_choice=False
    )
    language = SelectField(
        lazy("Language"), choices=lambda: _choices(LANGUAGE_NAMES), validate_choice=False
    )
    health_notes = TextAreaField(lazy("Health, for helpers"))
    entry_note = TextAreaField(lazy("Key and way in"))

    def offer(self, buttons: Iterable[Any]) -> None:
        """The buttons to choose from."""
        none = SelectChoice(value="", label=lazy("No button yet"))
        self.device_id.choices = [
            none,
            *(SelectChoice(value=str(button.id), label=button.title) for button in buttons),
        ]

    def profile(self) -> Profile:
        """What was entered."""
        number = self.device_id.data or ""
        return Profile(
            device_id=int(number) if number.isascii() and number[:9].isdigit() else None,
            hearing=self.hearing.data or "",
            language=self.language.data or "",
            health_notes=self.health_notes.data or "",
            entry_note=self.entry_note.data or "",
        )


class ContactForm(FlaskForm):  # type: ignore[misc]
    """A contact. Empty hours mean all day."""

    name = StringField(lazy("Name"))
    phone = StringField(lazy("Phone number"))
    tie = SelectField(
        lazy("Is to the wearer"), choices=lambda: _choices(TIE_NAMES), validate_choice=False
    )
    from_minute = StringField(lazy("Reachable from"), widget=TimeInput())
    until_minute = StringField(lazy("Until"), widget=TimeInput())
    consent_how = SelectField(
        lazy("Consent"), choices=lambda: _choices(CONSENT_NAMES), validate_choice=False
    )

    def draft(self) -> Draft:
        """What was entered."""
        return Draft(
            name=self.name.data or "",
            phone=self.phone.data or "",
            tie=self.tie.data or "",
            from_minute=_minute(self.from_minute.data),
            until_minute=_minute(self.until_minute.data),
            consent_how=self.consent_how.data or "",
        )


class CloseForm(FlaskForm):  # type: ignore[misc]
    """How an alarm ended."""

    cause = SelectField(lazy("What it was"), choices=_causes, validate_choice=False)
    note = TextAreaField(lazy("Note"))


class ShiftForm(FlaskForm):  # type: ignore[misc]
    """A shift, on the community's clocks."""

    user_id = SelectField(lazy("Who"), choices=[], validate_choice=False)
    starts_at = StringField(lazy("From"), widget=DateTimeLocalInput())
    ends_at = StringField(lazy("Until"), widget=DateTimeLocalInput())
    days = StringField(lazy("On so many days"), default="1")

    def moments(self, zone: ZoneInfo) -> tuple[datetime, datetime] | None:
        """Start and end, or ``None`` with a sentence beside what cannot be read."""
        start, end = (_moment(field, zone) for field in (self.starts_at, self.ends_at))
        return None if start is None or end is None else (start, end)


class SettingsForm(FlaskForm):  # type: ignore[misc]
    """Durations and limits of one community."""

    cancel_seconds = StringField(lazy("Time to take a press back (seconds)"))
    contact_seconds = StringField(lazy("Each contact has (seconds)"))
    duty_seconds = StringField(lazy("Staff on duty have (seconds)"))
    supervisor_seconds = StringField(lazy("Supervisors have (seconds)"))
    all_seconds = StringField(lazy("Everybody is told again after (seconds)"))
    arrival_minutes = StringField(lazy("Time to arrive (minutes)"))
    phantom_seconds = StringField(lazy("A press so soon after a start is not believed (seconds)"))
    silent_minutes = StringField(lazy("A button is silent after (minutes)"))
    low_battery_percent = StringField(lazy("The battery is low at (percent)"))
    test_days = StringField(lazy("A test is due after (days)"))

    def fill(self, settings: Settings) -> None:
        """Show what holds."""
        for name in LIMITS:
            self[name].data = str(getattr(settings, name))

    def numbers(self) -> dict[str, int | None]:
        """What was entered; ``None`` for what is no whole number."""
        return {name: _number(self[name].data) for name in LIMITS}


def blame(form: Any, error: DomainError, otherwise: str) -> None:
    """Put a refusal beside its field, or beside ``otherwise`` when it belongs to none."""
    field = form[error.field if error.field in form else otherwise]
    if not field.errors:
        field.errors = [str(error.message)]


def blame_all(form: Any, errors: Iterable[DomainError], otherwise: str) -> bool:
    """Likewise for several; whether there were any."""
    found = list(errors)
    for error in found:
        blame(form, error, otherwise)
    return bool(found)


def number_of(text: str | None) -> int:
    """A whole number that was chosen; 0 for nonsense."""
    return _number(text) or 0


def _number(text: str | None) -> int | None:
    text = (text or "").strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else None


def _minute(text: str | None) -> int:
    text = (text or "").strip()
    if not text:
        return 0
    match = _TIME.fullmatch(text)
    return int(match[1]) * 60 + int(match[2]) if match else _WRONG_TIME


def _moment(field: Any, zone: ZoneInfo) -> datetime | None:
    try:
        return datetime.strptime((field.data or "").strip()[:16], FORMAT).replace(tzinfo=zone)
    except ValueError:
        if not field.errors:
            field.errors = [str(lazy("Enter date and time, for example 2026-03-02 16:30."))]
        return None
