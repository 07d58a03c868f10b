"""The page of a region's settings: each value, where it comes from, and what this level may do."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request, url_for

from portal.core.actors import current_actor, staff_required
from portal.core.errors import DomainError
from portal.core.i18n import _, lazy
from portal.core.permissions import Permission, require
from portal.regions import setting_changes, settings, tree
from portal.regions.blueprint import blueprint
from portal.regions.forms import entered, setting_form
from portal.regions.models import Level
from portal.regions.settings import Rule, Setting, Type
from portal.services import current_services

RULES = {
    Rule.TIGHTEN: lazy("Levels below may only tighten it."),
    Rule.EXTEND: lazy("Levels below may only extend it."),
    Rule.FREE: lazy("Levels below may set their own."),
}


def shown(one: Setting, value: Any) -> Any:
    """A value as people read it."""
    if value is None:
        return _("As installed")
    if one.type is Type.SWITCH:
        return _("Yes") if value else _("No")
    if one.type is Type.TEXT:
        return dict(one.choices).get(value, value)
    return f"{value} {one.unit}" if one.unit else str(value)


@blueprint.route("/<code>/settings", methods=["GET", "POST"])
@staff_required
def region_settings(code: str) -> Any:
    """Look at the settings of a region, and make or take back its own."""
    services, actor = current_services(), current_actor()
    with services.db.read() as session:
        region = tree.load_present(session, actor, Permission.REGION_VIEW, code)
        require(actor, Permission.REGION_SETTINGS, region.path)
        standing = settings.standings(session, region)
        names = {r.id: r.name for r in [*tree.ancestors(session, region), region]}
    forms = {
        s.setting.key: setting_form(s.setting, s.value if s.own is None else s.own)
        for s in standing
    }
    status = 200
    key = request.form.get("key", "")
    if request.method == "POST" and key in forms:
        form, one = forms[key], settings.registry()[key]
        try:
            with services.db.write() as session:
                row = tree.load_present(session, actor, Permission.REGION_VIEW, code)
                if request.form.get("act") == "clear":
                    setting_changes.clear_value(session, actor, row, key)
                else:
                    value = entered(one, form.value.data or "")
                    setting_changes.set_value(session, actor, row, key, value, services.clock())
        except DomainError as error:
            if error.status != DomainError.status:
                raise
            form.value.errors = [str(error.message)]
            status = 422
        else:
            flash(_("The setting has been changed for this region and all below it."), "success")
            return redirect(url_for("regions.region_settings", code=region.code))
    return render_template(
        "regions/settings.html",
        region=region,
        standing=standing,
        forms_by_key=forms,
        names=names,
        rules=RULES,
        shown=shown,
        level=Level(region.level),
    ), status
