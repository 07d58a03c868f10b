"""What somebody enters in the workbench."""

from __future__ import annotations

from flask_wtf import FlaskForm
from wtforms import TextAreaField

from portal.core.i18n import lazy


class DecisionForm(FlaskForm):  # type: ignore[misc]  # flask_wtf ships no types
    """The note to a decision; the button says which."""

    note = TextAreaField(lazy("Note"))
