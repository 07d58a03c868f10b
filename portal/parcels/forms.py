"""The forms of parcels. What is right or wrong is said by the operations."""

from __future__ import annotations

from typing import Any, Final

from flask_wtf import FlaskForm
from wtforms import HiddenField, IntegerField, RadioField, SelectChoice, SelectField, StringField

from portal.core.errors import DomainError
from portal.core.i18n import lazy
from portal.parcels.couriers import COMPANY_NAMES
from portal.parcels.recipients import Asked
from portal.parcels.staff import REASON_NAMES
from portal.parcels.words import SIZE_NAMES

SHELF: Final = "shelf"
LIVES: Final = {
    4: lazy("4 hours"),
    12: lazy("12 hours"),
    24 * 7: lazy("7 days"),
    24 * 30: lazy("30 days"),
}


def _named(names: Any, first: Any = None) -> list[Any]:
    chosen = [SelectChoice(value=str(value), label=name) for value, name in names.items()]
    return [SelectChoice(value="", label=first), *chosen] if first is not None else chosen


def blame(form: Any, error: DomainError, default: str) -> None:
    """Put a rule's sentence beside its field, or beside the default one."""
    name = error.field if error.field in form else default
    form[name].errors = [str(error.message)]


class RecipientForm(FlaskForm):  # type: ignore[misc]  # flask_wtf ships no types
    """Who something is for."""

    building = SelectField(lazy("Building"), validate_choice=False)
    number = StringField(lazy("Number on the door"))
    tail = StringField(lazy("Last 4 digits of the phone number"))
    recipient = HiddenField()

    def asked(self) -> Asked:
        """What was typed."""
        text = self.building.data or ""
        building = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
        return Asked(building, self.number.data or "", self.tail.data or "")

    def offer_buildings(self, buildings: Any) -> None:
        """The community's buildings to choose from."""
        self.building.choices = [SelectChoice(value=str(b.id), label=b.name) for b in buildings]


class ParcelForm(RecipientForm):
    """A parcel that a courier lays in."""

    locker = SelectField(lazy("Locker"), validate_choice=False)
    size = RadioField(
        lazy("Size"),
        choices=lambda: [
            *_named(SIZE_NAMES),
            SelectChoice(value=SHELF, label=lazy("Too large: on the shelf")),
        ],
        validate_choice=False,
        default="S",
    )
    label = StringField(lazy("Place on the shelf"))


class ShelfForm(RecipientForm):
    """A parcel that staff lay on the shelf."""

    community = SelectField(lazy("Community"), validate_choice=False)
    label = StringField(lazy("Place on the shelf"))


class MealForm(RecipientForm):
    """A meal that waits at a gate."""

    gate = SelectField(lazy("Where it waits"), validate_choice=False)


class AccessForm(FlaskForm):  # type: ignore[misc]
    """A courier's code."""

    code = StringField(lazy("Courier code"))


class IssueForm(FlaskForm):  # type: ignore[misc]
    """A new code for a courier."""

    community = SelectField(lazy("Community"), validate_choice=False)
    company = SelectField(
        lazy("Company"), choices=lambda: _named(COMPANY_NAMES), validate_choice=False
    )
    hours = SelectField(
        lazy("Valid for"), choices=lambda: _named(LIVES), validate_choice=False, default="12"
    )

    def life_hours(self) -> int:
        """How long, in hours; 0 for nonsense."""
        text = self.hours.data or ""
        return int(text) if text.isascii() and text.isdigit() and len(text) < 5 else 0


class PickupForm(FlaskForm):  # type: ignore[misc]
    """Somebody with a code at a locker."""

    locker = SelectField(lazy("Locker"), validate_choice=False)
    code = StringField(lazy("Pick-up code"))


class CodeForm(FlaskForm):  # type: ignore[misc]
    """The recipient's code, as staff type it."""

    code = StringField(lazy("Pick-up code"))


class LabelForm(FlaskForm):  # type: ignore[misc]
    """A place on the shelf."""

    label = StringField(lazy("Place on the shelf"))


class ShareForm(FlaskForm):  # type: ignore[misc]
    """Whom a code is for, in the resident's own words."""

    label = StringField(lazy("Whom it is for"))


class OpeningForm(FlaskForm):  # type: ignore[misc]
    """Why staff open a compartment."""

    reason = SelectField(
        lazy("Why do you open it?"),
        choices=lambda: _named(REASON_NAMES, lazy("Choose…")),
        validate_choice=False,
    )


class LayoutForm(FlaskForm):  # type: ignore[misc]
    """How many compartments of each size."""

    small = IntegerField(lazy("Small"), default=8)
    middle = IntegerField(lazy("Middle"), default=6)
    large = IntegerField(lazy("Large"), default=2)

    def counts(self) -> dict[str, int]:
        """By size class; what is no number counts as none."""
        return {"S": self.small.data or 0, "M": self.middle.data or 0, "L": self.large.data or 0}
