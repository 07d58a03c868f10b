"""Pages that change one region: rename, merge, split, credit code."""

from __future__ import annotations

from typing import Any

from flask import Response, flash, redirect, render_template, request, url_for
from sqlalchemy.orm import Session

from portal.core.actors import current_actor, staff_required
from portal.core.errors import ConflictError, DomainError
from portal.core.formats import number
from portal.core.i18n import _
from portal.core.permissions import Actor, Permission, Role
from portal.regions import belongings, changes, merging, splitting, tree
from portal.regions.authority import require_manage
from portal.regions.blueprint import blueprint
from portal.regions.forms import CreditCodeForm, MergeForm, RenameForm, SplitForm, blame, options
from portal.regions.models import Level, Region
from portal.regions.queries import buildings
from portal.services import current_services


def to_region(region: Region) -> Response:
    """Back to the region's page."""
    response = redirect(url_for("regions.show", code=region.code))
    assert isinstance(response, Response)  # noqa: S101 - narrows the type for mypy
    return response


def _mine(session: Session, actor: Actor, code: str) -> Region:
    region = tree.load_present(session, actor, Permission.REGION_VIEW, code)
    require_manage(actor, region)
    return region


@blueprint.route("/<code>/rename", methods=["GET", "POST"])
@staff_required
def rename(code: str) -> Any:
    """Give a region another name."""
    services, actor, form = current_services(), current_actor(), RenameForm()
    with services.db.read() as session:
        region = _mine(session, actor, code)
    status = 200
    if form.validate_on_submit():
        try:
            with services.db.write() as session:
                row = _mine(session, actor, code)
                changes.rename(
                    session,
                    actor,
                    row,
                    form.name.data or "",
                    form.reason.data or "",
                    services.clock(),
                )
        except ConflictError as error:
            flash(str(error.message), "warning")
            return to_region(region)
        except DomainError as error:
            if error.status != DomainError.status:
                raise
            blame(form, error, "name")
            status = 422
        else:
            flash(_("The region has been renamed. Its old name is in its history."), "success")
            return to_region(row)
    elif form.is_submitted():
        status = 422
    else:
        form.name.data = region.name
    return render_template("regions/rename.html", region=region, form=form), status


@blueprint.route("/<code>/merge", methods=["GET", "POST"])
@staff_required
def merge(code: str) -> Any:
    """Choose what a region goes into, see what would move, and do it."""
    services, actor, form = current_services(), current_actor(), MergeForm()
    asked = (request.values.get("other") or request.values.get("target") or "").strip()[:20]
    plan, fault = None, None
    with services.db.read() as session:
        region = _mine(session, actor, code)
        siblings = _siblings(session, actor, region)
        if asked:
            target = tree.find(session, asked)
            if target is None or not actor.knows(target.path):
                fault = _("There is no region of this code.")
            else:
                try:
                    plan = merging.plan_merge(session, actor, region, target)
                except DomainError as error:
                    fault = str(error.message)
    status = 422 if fault else 200
    if form.validate_on_submit() and plan is not None:
        try:
            with services.db.write() as session:
                done = merging.merge(
                    session,
                    actor,
                    region.id,
                    plan.target.id,
                    form.reason.data or "",
                    services.clock(),
                )
        except ConflictError as error:
            flash(str(error.message), "warning")
            return redirect(url_for("regions.index"))
        except DomainError as error:
            if error.status != DomainError.status:
                raise
            blame(form, error, "reason")
            status = 422
        else:
            flash(_("The regions have been merged. The old code leads here."), "success")
            return to_region(done)
    objects = belongings.named(plan.objects) if plan else []
    return render_template(
        "regions/merge.html",
        region=region,
        siblings=siblings,
        siblings_options=[(r.code, f"{r.name} {r.code}") for r in siblings],
        asked=asked,
        fault=fault,
        plan=plan,
        objects=objects,
        objects_shown=[(name, number(count)) for name, count in objects],
        form=form,
    ), status


def _siblings(session: Session, actor: Actor, region: Region) -> list[Region]:
    if region.parent_id is None:
        return []
    parent = session.get_one(Region, region.parent_id)
    page = tree.children(session, parent, size=500)
    return [n.region for n in page.items if n.region.id != region.id and actor.knows(n.region.path)]


@blueprint.route("/<code>/split", methods=["GET", "POST"])
@staff_required
def split(code: str) -> Any:
    """Say what goes to a new region, see what would move, and do it."""
    services, actor, form = current_services(), current_actor(), SplitForm()
    plan = None
    with services.db.read() as session:
        region = _mine(session, actor, code)
        members = [(f"r{r.id}", f"{r.code} {r.name}") for r in tree.all_children(session, region)]
        if region.level == Level.COMMUNITY:
            members += [(f"b{b.id}", b.name) for b in buildings(session, region.id)]
        form.members.choices = options(members)
        status = 200
        if form.is_submitted():
            draft = _draft(form)
            try:
                plan = splitting.plan_split(session, actor, region, draft)
            except DomainError as error:
                if error.status != DomainError.status:
                    raise
                blame(form, error, "code")
                status = 422
    if plan is not None and request.form.get("confirmed") and form.validate():
        try:
            with services.db.write() as session:
                made = splitting.split(session, actor, region.id, draft, services.clock())
        except ConflictError as error:
            flash(str(error.message), "warning")
            return to_region(region)
        flash(_("The new region is there, with what you chose."), "success")
        return to_region(made)
    return render_template(
        "regions/split.html", region=region, form=form, plan=plan, members=members
    ), status


def _draft(form: SplitForm) -> splitting.SplitDraft:
    chosen = [value for value in form.members.data or [] if value[1:].isdecimal()]
    return splitting.SplitDraft(
        code=form.code.data or "",
        name=form.name.data or "",
        reason=form.reason.data or "",
        children=frozenset(int(v[1:]) for v in chosen if v.startswith("r") and len(v) < 16),
        buildings=frozenset(int(v[1:]) for v in chosen if v.startswith("b") and len(v) < 16),
    )


@blueprint.route("/<code>/credit-code", methods=["GET", "POST"])
@staff_required
def credit_code(code: str) -> Any:
    """Enter a community's unified social credit code."""
    services, actor, form = current_services(), current_actor(), CreditCodeForm()
    with services.db.read() as session:
        region = _mine(session, actor, code)
    status = 200
    if form.validate_on_submit():
        try:
            with services.db.write() as session:
                row = _mine(session, actor, code)
                changes.set_uscc(
                    session,
                    actor,
                    row,
                    form.uscc.data or "",
                    services.clock(),
                    override=bool(form.override.data),
                    reason=form.reason.data or "",
                )
        except DomainError as error:
            if error.status != DomainError.status:
                raise
            blame(form, error, "uscc")
            status = 422
        else:
            flash(_("The credit code has been entered. Print the posters anew."), "success")
            return to_region(row)
    elif not form.is_submitted():
        form.uscc.data = region.uscc
    return render_template(
        "regions/credit_code.html",
        region=region,
        form=form,
        administrator=any(g.role is Role.SYSTEM_ADMIN for g in actor.grants),
    ), status
