"""Pages of the book of dwellings: buildings with their grids, the generator."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from sqlalchemy.orm import Session

from portal.core.actors import current_actor, staff_required
from portal.core.errors import DomainError
from portal.core.i18n import _
from portal.core.paging import page_number
from portal.core.permissions import Actor, Permission, not_found
from portal.regions import book, generator, tree
from portal.regions.blueprint import blueprint
from portal.regions.forms import GeneratorForm, GridForm, blame, options
from portal.regions.models import Level, Region
from portal.services import current_services


def _community(session: Session, actor: Actor, code: str) -> Region:
    region = tree.load_present(session, actor, Permission.REGION_VIEW, code)
    if region.level != Level.COMMUNITY:
        raise not_found()
    return region


@blueprint.route("/<code>/buildings", methods=["GET", "POST"])
@staff_required
def buildings(code: str) -> Any:
    """The buildings of a community; those that are ticked get a grid."""
    services, actor, form = current_services(), current_actor(), GridForm()
    number = page_number(request.args.get("page"))
    status = 200
    if form.validate_on_submit():
        chosen = {int(v) for v in request.form.getlist("building") if v.isdecimal() and len(v) < 16}
        try:
            with services.db.write() as session:
                community = _community(session, actor, code)
                changed = book.assign_grid(session, actor, community, chosen, form.grid.data or "")
        except DomainError as error:
            if error.status != DomainError.status:
                raise
            blame(form, error, "grid")
            status = 422
        else:
            flash(_("Dwellings with another grid now: %(number)s.", number=changed), "success")
            return redirect(url_for("regions.buildings", code=community.code, page=number))
    with services.db.read() as session:
        community = _community(session, actor, code)
        page = book.buildings_page(session, community, number)
        grids = tree.all_children(session, community)
    form.grid.choices = options([("", _("No grid")), *((g.code, g.name) for g in grids)])
    return render_template(
        "regions/buildings.html",
        community=community,
        page=page,
        grids=grids,
        form=form,
        may_write=actor.may(Permission.DWELLING_MANAGE, community.path),
    ), status


@blueprint.route("/<code>/generate", methods=["GET", "POST"])
@staff_required
def generate(code: str) -> Any:
    """Make dwellings by patterns: first a look, then the act."""
    services, actor, form = current_services(), current_actor(), GeneratorForm()
    with services.db.read() as session:
        community = _community(session, actor, code)
        book.require_community(actor, community)
    shelf, made, status = None, [], 200
    if not form.is_submitted():
        form.propose()
    elif form.validate():
        pattern = form.pattern()
        faults = generator.faults(pattern)
        for fault in faults:
            blame(form, fault, "building")
        if faults:
            status = 422
        else:
            made = generator.entries(pattern)
            if request.form.get("confirmed"):
                with services.db.write() as session:
                    row = _community(session, actor, code)
                    done = book.write(session, actor, row, made)
                flash(_("New dwellings: %(number)s.", number=done.dwellings), "success")
                return redirect(url_for("regions.buildings", code=community.code))
            with services.db.read() as session:
                shelf = book.look(session, community, made)
    else:
        status = 422
    first = [e for e in made if e.building == made[0].building and e.unit == made[0].unit]
    return render_template(
        "regions/generate.html",
        community=community,
        form=form,
        shelf=shelf,
        first=first[:60],
        more=max(0, len(first) - 60),
        last=made[-1].label if made else "",
    ), status
