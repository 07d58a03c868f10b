"""Sign-in form and code form, on Flask-Security's; one sentence for every failure."""

from __future__ import annotations

from typing import Any

from flask_security.forms import LoginForm, TwoFactorRescueForm, TwoFactorVerifyCodeForm
from flask_security.proxies import _datastore
from wtforms import RadioField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length

from portal.accounts import attempts
from portal.accounts.identity import sign_in_hash
from portal.core.i18n import _, lazy


class SignInForm(LoginForm):  # type: ignore[misc]  # flask_security is not followed
    """User name or phone, and password."""

    email = None
    remember = None
    identity = StringField(
        lazy("Phone number or user name"),
        validators=[
            InputRequired(lazy("Enter your phone number or user name.")),
            Length(max=64, message=lazy("This is too long.")),
        ],
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.next.data = self.next.data or "/"

    def validate(self, **kwargs: Any) -> bool:
        """Check both; never tell which of them was wrong, nor whether the account exists."""
        self.ifield = self.identity
        typed = self.identity.data or ""
        missing = not typed or not self.password.data
        if not missing and (wait := attempts.wait_for(sign_in_hash(typed[:64]))):
            self.form_errors = [attempts.please_wait(wait)]
            return False
        self.user = _datastore.find_user(identity=typed) if 0 < len(typed) <= 64 else None
        if super().validate(**kwargs):
            return True
        if not missing:
            self.identity.errors = []
            self.password.errors = []
            self.form_errors = [
                _("The name or the password is not right. Please check both and try again.")
            ]
            attempts.failed(sign_in_hash(typed[:64]), self.user, "bad_password")
        return False


class CodeForm(TwoFactorVerifyCodeForm):  # type: ignore[misc]
    """The six digits of the authenticator app."""

    def validate(self, **kwargs: Any) -> bool:
        """Accept digits with blanks between them; answer one sentence."""
        if self.code.data:
            self.code.data = "".join(str(self.code.data).split())
        user = self.user
        if user is not None and (wait := attempts.wait_for(user.sign_in_hash)):
            self.code.errors = [attempts.please_wait(wait)]
            return False
        if super().validate(**kwargs):
            return True
        if user is not None:
            attempts.failed(user.sign_in_hash, user, "bad_code")
        self.code.errors = [_("This code is not right or not valid any more. Enter the next one.")]
        return False


class RescueForm(TwoFactorRescueForm):  # type: ignore[misc]
    """Flask-Security builds one with every code form; ours offers nothing but to ask a person."""

    help_setup = RadioField(choices=[SelectChoice("help", lazy("Ask your administrator"))])
