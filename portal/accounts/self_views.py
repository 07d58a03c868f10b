"""One's own account: password, devices, history, and the proof that it is still oneself."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request, session

from portal.accounts import attempts, factors, passkeys, passwords, sessions, signed_in
from portal.accounts.account_forms import ConfirmForm, PasswordChangeForm, blame
from portal.accounts.pages import before, blueprint, own_path, to
from portal.accounts.sessions import Limits
from portal.accounts.words import END_NAMES, METHOD_NAMES
from portal.core.actors import current_actor, signed_in_required
from portal.core.errors import DomainError
from portal.core.i18n import _
from portal.core.limits import CODE_ACCOUNT, limited
from portal.services import current_services


def _account_key() -> str:
    return f"confirm:{current_actor().user_id}"


@blueprint.get("/account")
@signed_in_required
def index() -> str:
    """Everything about one's sign-in."""
    user = signed_in.account()
    with current_services().db.read() as db:
        keys = len(passkeys.listed(db, user.id))
        codes = factors.recovery_codes_left(db, user.id)
    return render_template("accounts/index.html", account=user, keys=keys, codes=codes)


@blueprint.route("/account/confirm", methods=["GET", "POST"])
@signed_in_required
@limited(CODE_ACCOUNT, key=_account_key, only_failed=True)
def confirm() -> Any:
    """The password once more, before something that a borrowed phone must not do."""
    user = signed_in.account()
    form = ConfirmForm()
    if request.method == "GET":
        return render_template("accounts/confirm.html", form=form)
    if wait := attempts.wait_for(user.sign_in_hash):
        form.password.errors = [attempts.please_wait(wait)]
    elif passwords.is_password(user.password, form.password.data or ""):
        session[signed_in.CONFIRMED] = int(current_services().clock().timestamp())
        return redirect(own_path(request.args.get("next", "/account")), code=303)
    else:
        attempts.failed(user.sign_in_hash, user, "bad_password")
        form.password.errors = [_("This is not your present password.")]
    return render_template("accounts/confirm.html", form=form), 422


@blueprint.route("/account/password", methods=["GET", "POST"])
@signed_in_required
@limited(CODE_ACCOUNT, key=_account_key, only_failed=True)
def password() -> Any:
    """A new password; other devices are signed out."""
    services, user = current_services(), signed_in.account()
    form = PasswordChangeForm()
    status = 200
    if request.method == "POST":
        status = 422
        if form.password.data != form.again.data:
            form.again.errors = [_("The two passwords are not the same.")]
        else:
            try:
                with services.db.write() as db:
                    passwords.change(
                        db,
                        current_actor(),
                        user,
                        form.old.data or "",
                        form.password.data or "",
                        services.clock(),
                        session_id=signed_in.session_id(),
                        classes=services.config.password_classes if user.resident_id is None else 0,
                    )
            except DomainError as error:
                if error.code == "old_wrong":
                    attempts.failed(user.sign_in_hash, user, "bad_password")
                blame(form, error)
            else:
                flash(
                    _("Your password has been changed. Other devices were signed out."), "success"
                )
                return to("accounts.index")
    page = render_template(
        "accounts/password.html",
        form=form,
        forced=user.must_change_password,
        shortest=passwords.SHORTEST,
    )
    return page, status


@blueprint.get("/account/devices")
@signed_in_required
def devices() -> str:
    """Where one is signed in."""
    services, user = current_services(), signed_in.account()
    with services.db.read() as db:
        rows = sessions.opened(db, user.id, Limits.of(services.config), services.clock())
    return render_template(
        "accounts/devices.html",
        rows=rows,
        current=signed_in.session_id(),
        unseen=user.unseen_session_id,
        method_names=METHOD_NAMES,
    )


@blueprint.post("/account/devices/<int:session_id>/end")
@signed_in_required
def end_device(session_id: int) -> Any:
    """Sign one of them out."""
    services = current_services()
    with services.db.write() as db:
        sessions.end_own(db, current_actor(), session_id, services.clock())
    flash(_("That device has been signed out."), "success")
    return to("accounts.devices")


@blueprint.post("/account/devices/end-others")
@signed_in_required
def end_other_devices() -> Any:
    """Sign all others out."""
    services = current_services()
    with services.db.write() as db:
        sessions.end_others(db, current_actor(), signed_in.session_id(), services.clock())
        sessions.notice_read(db, current_actor())
    flash(_("All other devices have been signed out."), "success")
    return to("accounts.devices")


@blueprint.post("/account/devices/known")
@signed_in_required
def known_device() -> Any:
    """It was me: the notice goes away."""
    with current_services().db.write() as db:
        sessions.notice_read(db, current_actor())
    return to("accounts.devices")


@blueprint.get("/account/history")
@signed_in_required
def history() -> str:
    """When and where one has signed in."""
    services, user = current_services(), signed_in.account()
    with services.db.read() as db:
        rows = sessions.history(db, user.id, before())
    limits, now = Limits.of(services.config), services.clock()
    staff = user.resident_id is None
    shown = rows[: sessions.LISTED]
    return render_template(
        "accounts/history.html",
        rows=[(row, row.end_reason or limits.over(row, staff=staff, now=now)) for row in shown],
        more=len(rows) > sessions.LISTED,
        method_names=METHOD_NAMES,
        end_names=END_NAMES,
    )
