"""Forms of the account pages."""

from __future__ import annotations

from typing import Any

from flask_wtf import FlaskForm
from wtforms import DateField, PasswordField, SelectField, StringField
from wtforms.validators import Optional

from portal.core.errors import DomainError
from portal.core.i18n import lazy


def blame(form: Any, error: DomainError) -> None:
    """Put a refusal beside its field, or above the form where it has none."""
    field = form[error.field] if error.field and error.field in form else None
    if field is None:
        form.form_errors = [*form.form_errors, str(error.message)]
    elif not field.errors:
        field.errors = [str(error.message)]


class ConfirmForm(FlaskForm):  # type: ignore[misc]  # flask_wtf ships no types
    """Who you are, once more."""

    password = PasswordField(lazy("Password"))


class PasswordChangeForm(FlaskForm):  # type: ignore[misc]
    """A new password for oneself."""

    old = PasswordField(lazy("Present password"))
    password = PasswordField(lazy("New password"))
    again = PasswordField(lazy("New password once more"))


class AuthenticatorForm(FlaskForm):  # type: ignore[misc]
    """The code that proves an authenticator."""

    code = StringField(lazy("Six digits"))


class RecoveryForm(FlaskForm):  # type: ignore[misc]
    """A recovery code instead of the authenticator's."""

    code = StringField(lazy("Recovery code"))


class JoinForm(FlaskForm):  # type: ignore[misc]
    """What an invited member of staff sets."""

    username = StringField(lazy("User name"))
    display_name = StringField(lazy("Your name"))
    password = PasswordField(lazy("Password"))
    again = PasswordField(lazy("Password once more"))
    code = StringField(lazy("Six digits"))


class PhoneForm(FlaskForm):  # type: ignore[misc]
    """The phone that gets a code."""

    phone = StringField(lazy("Phone number"))


class PhoneCodeForm(FlaskForm):  # type: ignore[misc]
    """The code it got."""

    code = StringField(lazy("Six digits"))


class InviteForm(FlaskForm):  # type: ignore[misc]
    """An invitation; regions are set by the view."""

    note = StringField(lazy("Invited person"))
    region = SelectField(lazy("Region"), validate_choice=False)


class GrantForm(FlaskForm):  # type: ignore[misc]
    """A role on a region; both lists are set by the view."""

    role = SelectField(lazy("Role"), validate_choice=False)
    region = SelectField(lazy("Region"), validate_choice=False)
    valid_from = DateField(lazy("From"), validators=[Optional()])
    valid_until = DateField(lazy("Last day"), validators=[Optional()])
