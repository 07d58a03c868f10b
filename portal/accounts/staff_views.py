"""Accounts of staff, for system administrators (invite, disable, renew) and security administrators (roles, lock-outs)."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import flash, render_template, request, url_for

from portal.accounts import lockouts, roles, staff, staff_queries
from portal.accounts.account_forms import GrantForm, InviteForm, blame
from portal.accounts.pages import blueprint, role_label, secret_page, to
from portal.accounts.words import LEVEL_NAMES, LOCK_NAMES
from portal.core.actors import current_actor, staff_required
from portal.core.errors import ConflictError, DomainError
from portal.core.i18n import _
from portal.core.paging import page_number, paginate
from portal.core.permissions import ROLE_NAMES, Actor, Permission, Role, require_somewhere
from portal.regions.models import Level, Region
from portal.services import current_services


def _regions(found: list[Region]) -> list[tuple[str, str]]:
    return [
        (
            str(region.id),
            f"{'　' * (region.path.count('/') - 2)}{region.name} · {LEVEL_NAMES[Level(region.level)]}",
        )
        for region in found
    ]


def _may(actor: Actor, permission: Permission) -> bool:
    return bool(actor.paths(permission))


@blueprint.get("/work/accounts")
@staff_required
def staff_list() -> str:
    """Accounts of the administrator's subtree, and open invitations."""
    services, actor = current_services(), current_actor()
    require_somewhere(actor, Permission.ACCOUNT_LIST)
    now = services.clock()
    with services.db.read() as db:
        page = paginate(db, staff_queries.visible(db, actor), page_number(request.args.get("page")))
        invitations = staff_queries.open_invitations(db, actor, now)
    return render_template(
        "accounts/staff.html",
        page=page,
        invitations=invitations,
        role_label=role_label,
        in_force=lambda grant: roles.in_force(grant, now),
        may_manage=_may(actor, Permission.ACCOUNT_MANAGE),
        may_unlock=_may(actor, Permission.LOCKOUT_MANAGE),
    )


@blueprint.route("/work/accounts/invite", methods=["GET", "POST"])
@staff_required
def invite() -> Any:
    """Invite somebody; the link is shown once."""
    services, actor = current_services(), current_actor()
    require_somewhere(actor, Permission.ACCOUNT_MANAGE)
    form = InviteForm()
    with services.db.read() as db:
        form.region.choices = _regions(
            staff_queries.regions_of(db, actor, Permission.ACCOUNT_MANAGE)
        )
    if request.method == "GET":
        return render_template("accounts/invite.html", form=form)
    if form.region.data not in dict(form.region.choices):
        form.region.errors = [_("Choose a region from the list.")]
        return render_template("accounts/invite.html", form=form), 422
    try:
        with services.db.write() as db:
            made = staff.invite(
                db, actor, _number(form.region.data), form.note.data or "", services.clock()
            )
    except DomainError as error:
        if error.field is None:
            raise
        blame(form, error)
        return render_template("accounts/invite.html", form=form), 422
    return _link_page(made)


def _link_page(made: staff.Invited) -> Any:
    base = current_services().config.effective_public_url
    link = f"{base}{url_for('accounts.join', token=made.token)}"
    return secret_page(
        render_template("accounts/invited.html", link=link, expires_at=made.expires_at)
    )


def _number(raw: str | None) -> int:
    return int(raw) if raw and raw.isascii() and raw.isdigit() and len(raw) < 12 else 0


@blueprint.post("/work/accounts/invitations/<int:invitation_id>/revoke")
@staff_required
def revoke_invitation(invitation_id: int) -> Any:
    """Take an invitation back."""
    services = current_services()
    with services.db.write() as db:
        done = staff.revoke(db, current_actor(), invitation_id, services.clock())
    if done:
        flash(_("The invitation has been taken back. Its link opens nothing any more."), "success")
    else:
        flash(_("This invitation was used or taken back before."), "warning")
    return to("accounts.staff_list")


def _account_page(user_id: int, form: GrantForm, status: int = 200) -> Any:
    services, actor = current_services(), current_actor()
    now = services.clock()
    with services.db.read() as db:
        user = staff_queries.one(db, actor, user_id)
        home = db.get(Region, user.region_id) if user.region_id else None
        form.region.choices = (
            _regions(staff_queries.regions_of(db, actor, Permission.GRANT_MANAGE))
            if _may(actor, Permission.GRANT_MANAGE)
            else []
        )
    form.role.choices = [(role.value, str(ROLE_NAMES[role])) for role in Role]
    page = render_template(
        "accounts/one.html",
        account=user,
        home=home,
        form=form,
        now=now,
        role_label=role_label,
        in_force=lambda grant: roles.in_force(grant, now),
        own=user.id == actor.user_id,
        may_manage=_may(actor, Permission.ACCOUNT_MANAGE),
        may_grant=_may(actor, Permission.GRANT_MANAGE),
    )
    return page, status


@blueprint.get("/work/accounts/<int:user_id>")
@staff_required
def staff_one(user_id: int) -> Any:
    """One account: its roles, its last sign-in, what can be done."""
    require_somewhere(current_actor(), Permission.ACCOUNT_LIST)
    return _account_page(user_id, GrantForm())


@blueprint.post("/work/accounts/<int:user_id>/grants")
@staff_required
def grant(user_id: int) -> Any:
    """Give a role."""
    services, actor = current_services(), current_actor()
    require_somewhere(actor, Permission.GRANT_MANAGE)
    form = GrantForm()
    if form.valid_from.errors or form.valid_until.errors or not form.validate():
        return _account_page(user_id, form, 422)
    role = form.role.data
    if role not in set(Role):
        form.role.errors = [_("Choose a role from the list.")]
        return _account_page(user_id, form, 422)
    zone = ZoneInfo(services.config.timezone)
    try:
        with services.db.write() as db:
            roles.grant(
                db,
                actor,
                user_id,
                Role(role),
                _number(form.region.data),
                services.clock(),
                valid_from=_midnight(form.valid_from.data, zone),
                valid_until=_midnight(form.valid_until.data, zone, days=1),
            )
    except DomainError as error:
        if error.field is None and error.code not in {"own_roles", "disabled"}:
            raise
        blame(form, error)
        return _account_page(user_id, form, error.status)
    flash(_("The role has been given."), "success")
    return to("accounts.staff_one", user_id=user_id)


def _midnight(day: date | None, zone: ZoneInfo, days: int = 0) -> datetime | None:
    if day is None:
        return None
    return datetime(day.year, day.month, day.day, tzinfo=zone) + timedelta(days=days)


@blueprint.post("/work/accounts/<int:user_id>/grants/<int:grant_id>/end")
@staff_required
def end_grant(user_id: int, grant_id: int) -> Any:
    """End a role."""
    services, actor = current_services(), current_actor()
    require_somewhere(actor, Permission.GRANT_MANAGE)
    with services.db.write() as db:
        roles.end_grant(db, actor, grant_id, services.clock())
    flash(_("The role has ended."), "success")
    return to("accounts.staff_one", user_id=user_id)


@blueprint.post("/work/accounts/<int:user_id>/<any(disable, enable, renew, password):verb>")
@staff_required
def manage(user_id: int, verb: str) -> Any:
    """Disable, enable, give a link for new secrets, or ask for a new password."""
    services, actor = current_services(), current_actor()
    require_somewhere(actor, Permission.ACCOUNT_MANAGE)
    now = services.clock()
    try:
        with services.db.write() as db:
            if verb == "renew":
                return _link_page(staff.renew(db, actor, user_id, now))
            if verb == "password":
                staff.require_new_password(db, actor, user_id, now)
                said = _("The person has to choose a new password at the next click.")
            elif verb == "disable":
                staff.disable(db, actor, user_id, now)
                said = _("The account is disabled and signed out everywhere.")
            else:
                staff.enable(db, actor, user_id, now)
                said = _("The account is enabled.")
    except ConflictError as error:
        flash(str(error.message), "warning")
    else:
        flash(said, "success")
    return to("accounts.staff_one", user_id=user_id)


@blueprint.get("/work/lock-outs")
@staff_required
def lock_outs() -> str:
    """Who is locked out now, and the rules in force."""
    services = current_services()
    with services.db.read() as db:
        rows = lockouts.listed(db, current_actor(), services.clock())
    return render_template(
        "accounts/lock_outs.html",
        rows=rows,
        kinds=LOCK_NAMES,
        config=services.config,
        rule=lockouts,
    )


@blueprint.post("/work/lock-outs/unlock")
@staff_required
def unlock() -> Any:
    """Let somebody try again."""
    with current_services().db.write() as db:
        lockouts.unlock(db, current_actor(), request.form.get("key", "")[:80])
    flash(_("Unlocked. The next attempt counts at once."), "success")
    return to("accounts.lock_outs")
