"""``/styleguide``: every component of the portal in every state, for who builds and judges pages.

Open to staff, and to everybody where Flask runs in debug mode (development). Each example is a template of
its own in ``templates/styleguide``; the page shows it and its source, so the two cannot disagree.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

from flask import Blueprint, current_app, jsonify, render_template, request
from flask_wtf import FlaskForm
from wtforms import (
    BooleanField,
    DateField,
    DateTimeLocalField,
    FileField,
    IntegerField,
    PasswordField,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.fields.choices import SelectChoice
from wtforms.widgets import CheckboxInput, ListWidget

from portal.core.actors import staff_required
from portal.core.i18n import _, lazy

blueprint = Blueprint("styleguide", __name__, url_prefix="/styleguide")

# Groups in the order of the page, and their examples: name of the template, title.
GROUPS: Final[tuple[tuple[str, Any, tuple[tuple[str, Any], ...]], ...]] = (
    (
        "foundations",
        lazy("Foundations"),
        (
            ("colours", lazy("Colours")),
            ("type", lazy("Type")),
            ("values", lazy("Dates, numbers, measures")),
            ("icons", lazy("Icons")),
        ),
    ),
    (
        "actions",
        lazy("Buttons"),
        (
            ("buttons", lazy("Kinds of buttons")),
            ("button_states", lazy("States of a button")),
            ("small_buttons", lazy("Small tools")),
        ),
    ),
    (
        "forms",
        lazy("Forms"),
        (
            ("fields", lazy("Fields")),
            ("errors", lazy("Fields with errors")),
            ("search", lazy("Search and filters")),
        ),
    ),
    (
        "content",
        lazy("Content"),
        (
            ("cards", lazy("Cards and tiles")),
            ("status", lazy("Status")),
            ("lists", lazy("Lists")),
            ("boxes", lazy("Boxes")),
            ("timeline", lazy("Timeline")),
            ("prose", lazy("Prose")),
            ("tree", lazy("Tree")),
            ("table", lazy("Table")),
        ),
    ),
    (
        "feedback",
        lazy("Feedback"),
        (
            ("notes", lazy("Notes")),
            ("toasts", lazy("Toasts")),
            ("dialogs", lazy("Dialogs")),
            ("states", lazy("Empty, loading, failed")),
        ),
    ),
    (
        "navigation",
        lazy("Ways through"),
        (
            ("heads", lazy("Head of a page")),
            ("tabs", lazy("Tabs, pages, steps")),
            ("panes", lazy("Two panes")),
            ("bottom", lazy("Main navigation")),
        ),
    ),
    ("charts", lazy("Charts"), (("charts", lazy("Curves and states")),)),
)
_EXAMPLES: Final = Path(__file__).parent / "templates" / "styleguide"
_NOON: Final = datetime(2026, 11, 20, 4, 0, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Example:
    """One example: what renders it and its source."""

    name: str
    title: Any
    template: str
    source: str


class ExampleForm(FlaskForm):  # type: ignore[misc]  # flask_wtf has no types
    """A field of each kind that pages use."""

    name = StringField(lazy("Name"))
    password = PasswordField(lazy("Password"))
    people = IntegerField(lazy("How many people"))
    relation = SelectField(
        lazy("Belongs as"),
        choices=[SelectChoice("owner", lazy("owner")), SelectChoice("tenant", lazy("tenant"))],
    )
    document = RadioField(
        lazy("Document"),
        choices=[
            SelectChoice("id", lazy("Resident identity card")),
            SelectChoice("passport", lazy("Passport")),
        ],
        default="id",
    )
    topics = SelectMultipleField(
        lazy("Tell me about"),
        choices=[
            SelectChoice("parcels", lazy("Parcels")),
            SelectChoice("notices", lazy("Notices")),
        ],
        default=["parcels"],
        option_widget=CheckboxInput(),
        widget=ListWidget(),
    )
    day = DateField(lazy("Day"))
    start = DateTimeLocalField(lazy("From"))
    picture = FileField(lazy("Photo"))
    note = TextAreaField(lazy("Note"))
    agree = BooleanField(lazy("I have read this and agree."))


def _forms() -> tuple[ExampleForm, ExampleForm]:
    """One form as it comes and one that was refused, with a sentence at each field."""
    values = {"day": date(2026, 11, 20), "start": datetime(2026, 11, 20, 12, 0), "people": 2}  # noqa: DTZ001 - a local time, as typed
    good = ExampleForm(formdata=None, data=values, prefix="good-")
    bad = ExampleForm(formdata=None, data=values, prefix="bad-")
    for field in bad:
        if field.id != "bad-csrf_token":
            field.errors = (_("Fill this in; without it we cannot go on."),)
    return good, bad


def _examples(names: tuple[tuple[str, Any], ...]) -> list[Example]:
    return [
        Example(
            name=name,
            title=title,
            template=f"styleguide/{name}.html",
            source=(_EXAMPLES / f"{name}.html").read_text("utf-8").strip(),
        )
        for name, title in names
    ]


def _allowed(view: Any) -> Any:
    """Staff only, unless Flask runs in debug mode."""
    guarded = staff_required(view)

    def chosen(**values: Any) -> Any:
        return view(**values) if current_app.debug else guarded(**values)

    chosen.__name__ = view.__name__
    chosen.__doc__ = view.__doc__
    return chosen


@blueprint.get("", endpoint="index")
@_allowed
def index() -> Any:
    """All groups, or the one that ``?group=`` names."""
    wanted = request.args.get("group")
    known = {name for name, _title, _examples in GROUPS}
    chosen = wanted if wanted in known else GROUPS[0][0]
    good, bad = _forms()
    group = next(entry for entry in GROUPS if entry[0] == chosen)
    return render_template(
        "styleguide.html",
        groups=[(name, title) for name, title, _ in GROUPS],
        chosen=chosen,
        title=group[1],
        examples=_examples(group[2]),
        form=good,
        wrong=bad,
        noon=_NOON,
        later=_NOON + timedelta(hours=3),
        somebody="张伟",
        a_page=SimpleNamespace(number=2, has_previous=True, has_next=True),
    )


@blueprint.get("/telemetry", endpoint="telemetry")
@_allowed
def telemetry() -> Any:
    """Curves for the charts of the guide: a temperature with a gap, a door, a store that is away."""
    if request.args.get("range") == "away":
        return jsonify(error=_("The telemetry store does not answer. Try again in a minute.")), 503
    start = int(_NOON.timestamp() * 1000)
    step = 600_000
    warm = [
        [start + i * step, value, value - 0.3, value + 0.3]
        for i in range(144)
        if not 60 <= i < 84
        for value in (round(20 + 4 * ((i % 72) / 72) + 0.4 * ((i * 7) % 5), 1),)
    ]
    door = [[start + i * step] + 3 * [float(i % 24 == 0)] for i in range(0, 144, 6)]
    return jsonify(
        start=start,
        end=start + 144 * step,
        range="24h",
        curves=[
            {
                "name": _("Temperature"),
                "unit": "°C",
                "states": [],
                "step_ms": step,
                "points": warm,
            },
            {
                "name": _("Door"),
                "unit": "",
                "states": [_("closed"), _("open")],
                "step_ms": 6 * step,
                "points": door,
            },
        ],
    )
