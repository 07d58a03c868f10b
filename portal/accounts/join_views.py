"""The page behind an invitation's link: name, password and second factor, all set by the invited person."""

from __future__ import annotations

from typing import Any

from flask import render_template, request, session

from portal.accounts import passwords, staff
from portal.accounts.account_forms import JoinForm, blame
from portal.accounts.factor_views import DRAFT, draft_secret, shown_secret
from portal.accounts.models import User
from portal.accounts.pages import blueprint, secret_page
from portal.core.clock import utc_now
from portal.core.errors import DomainError, NotFoundError
from portal.core.i18n import _
from portal.core.limits import SIGN_IN_ADDRESS, limited
from portal.services import current_services


@blueprint.route("/join/<token>", methods=["GET", "POST"])
@limited(SIGN_IN_ADDRESS)
def join(token: str) -> Any:
    """Accept an invitation; shows recovery codes once."""
    services = current_services()
    with services.db.read() as db:
        try:
            invitation = staff.invitation_of(db, token, services.clock())
        except NotFoundError:
            return secret_page(render_template("accounts/join_gone.html"), 404)
        known = db.get(User, invitation.user_id) if invitation.user_id else None
    form = JoinForm()
    secret = draft_secret()
    status = 200
    if request.method == "POST":
        status = 422
        username = known.username or "" if known else form.username.data or ""
        if form.password.data != form.again.data:
            form.again.errors = [_("The two passwords are not the same.")]
        else:
            try:
                with services.db.write() as db:
                    user, codes = staff.accept(
                        db,
                        token,
                        staff.Acceptance(
                            username=username,
                            display_name=form.display_name.data or "",
                            password=form.password.data or "",
                            secret=secret,
                            code=form.code.data or "",
                        ),
                        services.clock(),
                        utc_now(),
                        classes=services.config.password_classes,
                    )
            except DomainError as error:
                if error.code == "name_taken":
                    error.field = "username"
                blame(form, error)
            else:
                session.pop(DRAFT, None)
                return secret_page(
                    render_template("accounts/joined.html", codes=codes, username=user.username)
                )
    page = render_template(
        "accounts/join.html",
        form=form,
        known=known,
        invitation=invitation,
        shortest=passwords.SHORTEST,
        **shown_secret(secret, known.username or "" if known else ""),
    )
    return secret_page(page, status)
