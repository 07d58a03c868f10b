"""Residents sign in with a code that is sent to their phone; staff cannot: it would be one factor."""

from __future__ import annotations

import base64
from typing import Any, Final

from flask import Response, g, redirect, render_template, request, session, url_for
from flask_login import login_user

from portal.accounts import attempts, otp, sms
from portal.accounts.account_forms import PhoneCodeForm, PhoneForm, blame
from portal.accounts.datastore import load_user
from portal.accounts.identity import sign_in_hash
from portal.accounts.models import User
from portal.accounts.pages import blueprint, own_path, to
from portal.core.crypto.envelope import EnvelopeError
from portal.core.errors import DomainError
from portal.core.i18n import _, get_locale
from portal.core.identifiers import check_phone, mask_phone
from portal.core.identifiers.messages import sentence
from portal.core.limits import PHONE_CODE_ADDRESS, SIGN_IN_ADDRESS, limited
from portal.core.permissions import not_found
from portal.core.protected import seal, unseal
from portal.services import current_services

ASKED: Final = "phone_asked"


def _asked_phone() -> str | None:
    kept = session.get(ASKED)
    if not isinstance(kept, str):
        return None
    try:
        return unseal(base64.b64decode(kept), ASKED)
    except (EnvelopeError, ValueError):
        return None


def _offered() -> None:
    if current_services().config.sms == "off":
        raise not_found()


def _resident_of(phone: str) -> User | None:
    """The account that may sign in like this: a resident's, active, without any role."""
    with current_services().db.read() as db:
        user = load_user(db, User.sign_in_hash == sign_in_hash(phone))
    if user is None or user.resident_id is None or user.role_grants or not user.active:
        return None
    return user


@blueprint.route("/sign-in/phone", methods=["GET", "POST"])
@limited(PHONE_CODE_ADDRESS)
def phone() -> Any:
    """Ask for a code. The answer is the same whether the phone has an account or not."""
    _offered()
    services = current_services()
    form = PhoneForm()
    if request.method == "GET":
        return render_template("accounts/phone.html", form=form)
    checked = check_phone((form.phone.data or "")[:40])
    if not checked.valid:
        form.phone.errors = [str(sentence(checked))]
        return render_template("accounts/phone.html", form=form), 422
    try:
        with services.db.write() as db:
            issued = otp.issue(db, checked.value, otp.Purpose.SIGN_IN, services.clock())
    except DomainError as error:
        blame(form, error)
        return render_template("accounts/phone.html", form=form), error.status
    if _resident_of(checked.value) is not None:
        sms.sender(services.config).send(
            sms.Message(
                id=str(issued.id),
                phone=checked.value,
                template=otp.Purpose.SIGN_IN.value,
                language=str(get_locale()),
                code=issued.code,
                minutes=int(otp.LASTS.total_seconds()) // 60,
            )
        )
    session[ASKED] = base64.b64encode(seal(checked.value, ASKED)).decode()
    return to("accounts.phone_code", next=request.args.get("next"))


@blueprint.route("/sign-in/phone/code", methods=["GET", "POST"])
@limited(SIGN_IN_ADDRESS)
def phone_code() -> Any:
    """Enter it."""
    _offered()
    number = _asked_phone()
    if number is None:
        return redirect(url_for("accounts.phone"))
    services = current_services()
    form = PhoneCodeForm()
    shown: dict[str, Any] = {"form": form, "phone": mask_phone(number)}
    if request.method == "GET":
        return render_template("accounts/phone_code.html", **shown)
    hashed = sign_in_hash(number)
    user = _resident_of(number)
    if wait := attempts.wait_for(hashed):
        form.code.errors = [attempts.please_wait(wait)]
        return render_template("accounts/phone_code.html", **shown), 422
    with services.db.write() as db:
        right = otp.redeem(
            db, number, otp.Purpose.SIGN_IN, (form.code.data or "")[:20], services.clock()
        )
    if not right or user is None:
        attempts.failed(hashed, user, "bad_phone_code")
        form.code.errors = [
            _("This code is not right or not valid any more. Check it, or ask for a new one.")
        ]
        return render_template("accounts/phone_code.html", **shown), 422
    return _welcome(user)


def _welcome(user: User) -> Response:
    session.pop(ASKED, None)
    g.sign_in_method = "phone"
    login_user(user, force=True)
    response = redirect(own_path(request.args.get("next", "/")), code=303)
    assert isinstance(response, Response)  # noqa: S101 - narrows the type for mypy
    return response
