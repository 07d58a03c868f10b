"""Passkeys on pages: the list, and the two exchanges that a script of the page carries on in JSON."""

from __future__ import annotations

from typing import Any, Final

from flask import Response, flash, g, jsonify, make_response, render_template, request, session
from flask_login import login_user

from portal.accounts import passkeys, signed_in
from portal.accounts.pages import blueprint, own_path, to
from portal.accounts.passkeys import Site
from portal.accounts.signed_in import confirm_required
from portal.core import audit
from portal.core.actors import NOBODY, current_actor, signed_in_required
from portal.core.errors import DomainError, ForbiddenError, UnavailableError
from portal.core.i18n import _, lazy
from portal.core.limits import SIGN_IN_ADDRESS, limited
from portal.services import current_services

CHALLENGE: Final = "passkey_challenge"


def site() -> Site | None:
    """Where passkeys of this request count."""
    return passkeys.site_of(current_services().config.effective_public_url, request.host)


def _site() -> Site:
    found = site()
    if found is None:
        raise UnavailableError(
            "no_passkeys",
            lazy("Browsers offer passkeys only where the portal has a name, not a number."),
        )
    return found


def _problem(error: DomainError) -> Response:
    return make_response(jsonify(sentence=str(error.message)), error.status)


def _options(text: str, challenge: str) -> Response:
    session[CHALLENGE] = challenge
    response = make_response(text)
    response.mimetype = "application/json"
    return response


def _sent() -> dict[str, Any]:
    body = request.get_json(silent=True)
    if not isinstance(body, dict) or not isinstance(body.get("credential"), dict):
        raise DomainError("passkey", lazy("The browser's answer was incomplete. Try again."))
    return body


@blueprint.get("/account/passkeys")
@signed_in_required
@confirm_required
def passkey_list() -> str:
    """One's passkeys, and the button that makes another."""
    with current_services().db.read() as db:
        keys = passkeys.listed(db, signed_in.account().id)
    return render_template("accounts/passkeys.html", keys=keys, offered=site() is not None)


@blueprint.post("/account/passkeys/options")
@signed_in_required
def passkey_options() -> Response:
    """What the browser needs to make one."""
    services, user = current_services(), signed_in.account()
    try:
        _fresh()
        with services.db.write() as db:
            text, challenge = passkeys.registration_options(
                db,
                user.id,
                _site(),
                services.clock(),
                label=user.username or _("Linli resident"),
            )
    except DomainError as error:
        return _problem(error)
    return _options(text, challenge)


@blueprint.post("/account/passkeys")
@signed_in_required
def passkey_add() -> Response:
    """Keep the one it has made."""
    services = current_services()
    try:
        _fresh()
        body = _sent()
        with services.db.write() as db:
            passkeys.register(
                db,
                current_actor(),
                body["credential"],
                str(body.get("name", ""))[:200],
                session.pop(CHALLENGE, ""),
                _site(),
                services.clock(),
            )
    except DomainError as error:
        return _problem(error)
    flash(_("The passkey is ready. You can sign in with it from now on."), "success")
    return jsonify(location="/account/passkeys")


def _fresh() -> None:
    if not signed_in.confirmed():
        raise ForbiddenError(
            "confirm", lazy("Reload the page and enter your password, then try again.")
        )


@blueprint.post("/account/passkeys/<int:passkey_id>/rename")
@signed_in_required
def passkey_rename(passkey_id: int) -> Any:
    """Call it otherwise."""
    try:
        with current_services().db.write() as db:
            passkeys.rename(db, current_actor(), passkey_id, request.form.get("name", ""))
    except DomainError as error:
        if error.field != "name":
            raise
        flash(str(error.message), "error")
    return to("accounts.passkey_list")


@blueprint.post("/account/passkeys/<int:passkey_id>/remove")
@signed_in_required
@confirm_required
def passkey_remove(passkey_id: int) -> Any:
    """It opens nothing any more."""
    with current_services().db.write() as db:
        passkeys.remove(db, current_actor(), passkey_id)
    flash(_("The passkey has been removed."), "success")
    return to("accounts.passkey_list")


@blueprint.post("/sign-in/passkey/options")
@limited(SIGN_IN_ADDRESS)
def passkey_sign_in_options() -> Response:
    """What the browser needs to offer its passkeys."""
    services = current_services()
    try:
        with services.db.write() as db:
            text, challenge = passkeys.sign_in_options(db, _site(), services.clock())
    except DomainError as error:
        return _problem(error)
    return _options(text, challenge)


@blueprint.post("/sign-in/passkey")
@limited(SIGN_IN_ADDRESS)
def passkey_sign_in() -> Response:
    """Sign in with the one that was chosen."""
    services = current_services()
    try:
        body = _sent()
        with services.db.write() as db:
            user = passkeys.sign_in(
                db,
                body["credential"],
                session.pop(CHALLENGE, ""),
                _site(),
                services.clock(),
            )
    except DomainError as error:
        with services.db.write() as db:
            audit.record(db, NOBODY, "sign_in.fail", ("account", "?"), result="bad_passkey")
        return _problem(error)
    g.sign_in_method = "passkey"
    login_user(user, force=True)
    return jsonify(location=own_path(str(body.get("next", "/"))))


@blueprint.app_context_processor
def _offered() -> dict[str, Any]:
    """Whether sign-in pages may offer passkeys and codes by phone."""
    return {
        "passkeys_offered": site() is not None,
        "phone_codes_offered": current_services().config.sms != "off",
    }
