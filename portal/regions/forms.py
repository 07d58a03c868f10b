"""The forms of this room. What is right or wrong is said by its operations."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from flask_wtf import FlaskForm
from wtforms import (
    BooleanField,
    FileField,
    SelectChoice,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.widgets import CheckboxInput, ListWidget

from portal.core.errors import DomainError
from portal.core.i18n import lazy
from portal.regions.generator import Pattern
from portal.regions.settings import Setting, Type

ON: Final = "on"
OFF: Final = "off"
LONGEST_NUMBER: Final = 9


class RenameForm(FlaskForm):  # type: ignore[misc]  # flask_wtf ships no types
    """Another name."""

    name = StringField(lazy("New name"))
    reason = TextAreaField(lazy("Why"))


class MergeForm(FlaskForm):  # type: ignore[misc]
    """The word on a merger, after the look at what moves."""

    reason = TextAreaField(lazy("Why"))


class SplitForm(FlaskForm):  # type: ignore[misc]
    """The new region and what goes to it."""

    name = StringField(lazy("Name of the new region"))
    code = StringField(lazy("Code of the new region"))
    members = SelectMultipleField(
        lazy("What goes to the new region"),
        choices=list,
        validate_choice=False,
        widget=ListWidget(prefix_label=False),
        option_widget=CheckboxInput(),
    )
    reason = TextAreaField(lazy("Why"))


class CreditCodeForm(FlaskForm):  # type: ignore[misc]
    """A community's unified social credit code."""

    uscc = StringField(lazy("Unified social credit code"))
    override = BooleanField(lazy("The certificate shows exactly this code"))
    reason = TextAreaField(lazy("Reason"))


class ImportForm(FlaskForm):  # type: ignore[misc]
    """A file."""

    file = FileField(lazy("File"))


class GridForm(FlaskForm):  # type: ignore[misc]
    """A grid for the buildings that are ticked."""

    grid = SelectField(lazy("Grid"), choices=list, validate_choice=False)


class GeneratorForm(FlaskForm):  # type: ignore[misc]
    """Patterns and numbers."""

    building = StringField(lazy("Name of a building"))
    first = StringField(lazy("First number"))
    last = StringField(lazy("Last number"))
    unit = StringField(lazy("Name of a unit"))
    units = StringField(lazy("Units in a building"))
    floors = StringField(lazy("Floors"))
    doors = StringField(lazy("Doors on a floor of a unit"))
    number = StringField(lazy("Door number"))

    def propose(self) -> None:
        """Fill in an empty form."""
        pattern = Pattern()
        for name in pattern.__slots__:
            self[name].data = str(getattr(pattern, name))

    def pattern(self) -> Pattern:
        """What was entered; what is no number counts as none and is refused by the rules."""
        return Pattern(
            building=(self.building.data or "").strip(),
            first=whole(self.first.data, -1),
            last=whole(self.last.data, -1),
            unit=(self.unit.data or "").strip(),
            units=whole(self.units.data, -1),
            floors=whole(self.floors.data, -1),
            doors=whole(self.doors.data, -1),
            number=(self.number.data or "").strip(),
        )


def whole(typed: str | None, otherwise: int) -> int:
    """A whole number from nought upward as typed, or ``otherwise``."""
    text = (typed or "").strip()
    if not text.isascii() or not text.isdigit() or len(text) > LONGEST_NUMBER:
        return otherwise
    return int(text)


def setting_form(one: Setting, value: Any) -> Any:
    """A form of one field, ``value``, that fits a setting."""
    choices: list[Any] = []
    if one.type is Type.SWITCH:
        choices = [(ON, lazy("Yes")), (OFF, lazy("No"))]
        value = None if value is None else (ON if value else OFF)
    elif one.type is Type.TEXT:
        choices = list(one.choices)

    class SettingForm(FlaskForm):  # type: ignore[misc]
        value = (
            SelectField(
                one.title,
                choices=[SelectChoice(value=v, label=n) for v, n in choices],
                validate_choice=False,
            )
            if choices
            else StringField(one.title)
        )

    form = SettingForm(prefix=one.key.replace(".", "-"))
    if not form.is_submitted() or form.value.data is None:
        form.value.data = "" if value is None else str(value)
    return form


def entered(one: Setting, typed: str) -> Any:
    """A setting's value as typed; ``None`` where it is none."""
    if one.type is Type.SWITCH:
        return {ON: True, OFF: False}.get(typed)
    if one.type is Type.NUMBER:
        number = whole(typed, -1)
        return None if number < 0 else number
    return typed


def blame(form: Any, error: DomainError, otherwise: str) -> None:
    """Put a sentence beside the field it belongs to, unless there is one already."""
    field = form[error.field] if error.field in form._fields else form[otherwise]
    if not field.errors:
        field.errors = [str(error.message)]


def options(pairs: Iterable[tuple[str, Any]]) -> list[Any]:
    """Choices of a list from values and names."""
    return [SelectChoice(value=value, label=name) for value, name in pairs]
