"""The authenticator and recovery codes: set up, made anew, and a recovery code used at sign-in."""

from __future__ import annotations

import base64
from typing import Any, Final

from cryptography.exceptions import InvalidTag
from flask import flash, g, redirect, render_template, request, session, url_for
from flask_login import login_user
from flask_security.tf_plugin import tf_clean_session

from portal.accounts import attempts, factors, signed_in
from portal.accounts.account_forms import AuthenticatorForm, RecoveryForm, blame
from portal.accounts.datastore import load_user
from portal.accounts.models import User
from portal.accounts.pages import blueprint, own_path, qr_of, secret_page
from portal.accounts.sessions import actor_label
from portal.accounts.signed_in import confirm_required
from portal.core.actors import current_actor, signed_in_required
from portal.core.clock import utc_now
from portal.core.crypto.envelope import EnvelopeError
from portal.core.errors import DomainError
from portal.core.i18n import _, ngettext
from portal.core.limits import CODE_ACCOUNT, SIGN_IN_ADDRESS, limited
from portal.core.protected import seal, unseal
from portal.services import current_services

DRAFT: Final = "totp_draft"


def draft_secret() -> str:
    """The secret of an authenticator that is being set up, kept sealed in the cookie until it is proven."""
    kept = session.get(DRAFT)
    if isinstance(kept, str):
        try:
            return unseal(base64.b64decode(kept), DRAFT)
        except (EnvelopeError, InvalidTag, ValueError):
            session.pop(DRAFT)
    secret = factors.new_totp_secret()
    session[DRAFT] = base64.b64encode(seal(secret, DRAFT)).decode()
    return secret


def shown_secret(secret: str, username: str) -> dict[str, Any]:
    """What a page shows of it: the QR code, and the letters in groups of four."""
    return {
        "qr": qr_of(factors.totp_uri(secret, username)),
        "letters": " ".join(secret[n : n + 4] for n in range(0, len(secret), 4)),
    }


def _code_key() -> str:
    return f"factor:{current_actor().user_id}"


@blueprint.route("/account/authenticator", methods=["GET", "POST"])
@signed_in_required
@confirm_required
@limited(CODE_ACCOUNT, key=_code_key, only_failed=True)
def authenticator() -> Any:
    """Set up an authenticator app, the first one or another one; shows recovery codes once."""
    services, user = current_services(), signed_in.account()
    secret = draft_secret()
    form = AuthenticatorForm()
    status = 200
    if request.method == "POST":
        status = 422
        try:
            with services.db.write() as db:
                codes = factors.set_authenticator(
                    db,
                    current_actor(),
                    user,
                    secret,
                    form.code.data or "",
                    services.clock(),
                    utc_now(),
                )
        except DomainError as error:
            blame(form, error)
        else:
            session.pop(DRAFT, None)
            return secret_page(render_template("accounts/recovery_codes.html", codes=codes))
    page = render_template(
        "accounts/authenticator.html",
        form=form,
        first=not user.tf_totp_secret,
        **shown_secret(secret, user.username or ""),
    )
    return secret_page(page, status)


@blueprint.route("/account/recovery-codes", methods=["GET", "POST"])
@signed_in_required
@confirm_required
def recovery_codes() -> Any:
    """How many are left; a POST makes new ones and shows them once."""
    services, user = current_services(), signed_in.account()
    if request.method == "POST":
        with services.db.write() as db:
            codes = factors.new_recovery_codes(db, current_actor(), user.id, services.clock())
        return secret_page(render_template("accounts/recovery_codes.html", codes=codes))
    with services.db.read() as db:
        left = factors.recovery_codes_left(db, user.id)
    return render_template("accounts/recovery.html", left=left)


def _half_way() -> User | None:
    """Who has given a right password and owes the second factor."""
    if session.get("tf_state") != "ready" or not session.get("tf_user_id"):
        return None
    with current_services().db.read() as db:
        user = load_user(db, User.fs_uniquifier == session["tf_user_id"])
    return user if user is not None and user.active else None


def _half_way_key() -> str:
    return f"code:{session.get('tf_user_id', '')}"


@blueprint.route("/sign-in/recovery", methods=["GET", "POST"])
@limited(SIGN_IN_ADDRESS)
@limited(CODE_ACCOUNT, key=_half_way_key, only_failed=True)
def recovery() -> Any:
    """A recovery code instead of the authenticator's."""
    user = _half_way()
    if user is None:
        return redirect(url_for("security.login"))
    form = RecoveryForm()
    if request.method == "GET":
        return render_template("accounts/recovery_sign_in.html", form=form)
    services = current_services()
    if wait := attempts.wait_for(user.sign_in_hash):
        form.code.errors = [attempts.please_wait(wait)]
        return render_template("accounts/recovery_sign_in.html", form=form), 422
    with services.db.write() as db:
        used = factors.use_recovery_code(
            db, actor_label(user), user.id, (form.code.data or "")[:40], services.clock()
        )
        left = factors.recovery_codes_left(db, user.id)
    if not used:
        attempts.failed(user.sign_in_hash, user, "bad_recovery_code")
        form.code.errors = [_("This recovery code is not right, or it was used before.")]
        return render_template("accounts/recovery_sign_in.html", form=form), 422
    g.sign_in_method = "password+recovery"
    login_user(user, force=True)
    tf_clean_session()
    flash(
        ngettext(
            "%(num)s recovery code is left. Set up a new authenticator soon.",
            "%(num)s recovery codes are left. Set up a new authenticator soon.",
            left,
        ),
        "warning",
    )
    return redirect(own_path(request.args.get("next", "/")), code=303)
