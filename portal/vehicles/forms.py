"""The forms of vehicles. What is right or wrong is said by :mod:`portal.vehicles.operations`."""

from __future__ import annotations

from typing import Any

from flask_wtf import FlaskForm
from wtforms import RadioField, SelectChoice, SelectField, StringField, TextAreaField

from portal.core.i18n import lazy
from portal.vehicles.models import Belongs, VehicleKind
from portal.vehicles.operations import Draft, faults
from portal.vehicles.words import BELONGS_NAMES, COLOUR_NAMES, KIND_NAMES


def _choices(names: dict[str, Any]) -> list[Any]:
    return [SelectChoice(value=str(value), label=name) for value, name in names.items()]


def _colours() -> list[Any]:
    return [SelectChoice(value="", label=lazy("Not given")), *_choices(COLOUR_NAMES)]


class VehicleForm(FlaskForm):  # type: ignore[misc]  # flask_wtf ships no types
    """What a resident enters."""

    plate = StringField(lazy("Licence plate"))
    kind = SelectField(
        lazy("What is it?"),
        choices=lambda: _choices(KIND_NAMES),
        default=VehicleKind.CAR.value,
        validate_choice=False,
    )
    brand = StringField(lazy("Brand"))
    colour = SelectField(lazy("Colour"), choices=_colours, validate_choice=False)
    belongs = RadioField(
        lazy("Whose is it?"),
        choices=lambda: _choices(BELONGS_NAMES),
        default=Belongs.OWN.value,
        validate_choice=False,
    )

    def draft(self) -> Draft | None:
        """What was entered, or ``None`` with a sentence beside every field that is at fault."""
        if not self.validate():
            return None
        draft = Draft(
            plate=self.plate.data or "",
            kind=self.kind.data or "",
            belongs=self.belongs.data or "",
            brand=self.brand.data or "",
            colour=self.colour.data or "",
        )
        for fault in faults(draft):
            blame(self[fault.field or "plate"], fault.message)
        return None if self.errors else draft


class DecisionForm(FlaskForm):  # type: ignore[misc]
    """A worker's word on a vehicle."""

    note = TextAreaField(lazy("Note to the resident"))


def blame(field: Any, message: Any) -> None:
    """Put a sentence beside a field, unless there is one already."""
    if not field.errors:
        field.errors = [str(message)]
