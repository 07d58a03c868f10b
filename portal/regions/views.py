"""Pages of the tree: its tops and what is below, one region, search."""

from __future__ import annotations

from typing import Any

from flask import redirect, render_template, request, url_for

from portal.core.actors import current_actor, staff_required
from portal.core.errors import DomainError
from portal.core.paging import page_number
from portal.core.permissions import Permission, require_somewhere
from portal.regions import (
    directory,
    tree,
    views_changes,
    views_dwellings,
    views_import,
    views_settings,
)
from portal.regions.authority import manages
from portal.regions.blueprint import blueprint
from portal.regions.models import Level
from portal.regions.settings import ZONES
from portal.services import current_services

__all__ = ["blueprint", "views_changes", "views_dwellings", "views_import", "views_settings"]


@blueprint.get("")
@staff_required
def index() -> Any:
    """The tops of what the actor may see, or what a search found."""
    actor = current_actor()
    require_somewhere(actor, Permission.REGION_VIEW)
    asked = request.args.get("q", "").strip()[: tree.LONGEST + 1]
    hits, fault = None, None
    with current_services().db.read() as session:
        if asked:
            try:
                hits = tree.matching(session, actor, asked)
            except DomainError as error:
                fault = error.message
        nodes = tree.roots(session, actor, Permission.REGION_VIEW)
    return render_template(
        "regions/index.html",
        nodes=nodes,
        asked=asked,
        hits=hits,
        fault=fault,
        most=tree.HITS,
        may_import=bool(actor.paths(Permission.REGION_MANAGE)),
    ), (422 if fault else 200)


@blueprint.get("/<code>")
@staff_required
def show(code: str) -> Any:
    """One region; a former code leads to what it has become."""
    actor = current_actor()
    with current_services().db.read() as session:
        region = tree.load(session, actor, Permission.REGION_VIEW, code)
        if region.code != code:
            return redirect(url_for("regions.show", code=region.code, formerly=code[:20]))
        page = tree.children(session, region, page_number(request.args.get("page")))
        values = {
            "above": [r for r in tree.ancestors(session, region) if actor.knows(r.path)],
            "below": tree.count_below(session, region),
            "history": tree.history(session, region),
            "size": directory.size(session, region) if region.level == Level.COMMUNITY else None,
        }
    formerly = request.args.get("formerly", "")
    return render_template(
        "regions/show.html",
        region=region,
        page=page,
        zone=dict(ZONES).get(region.timezone, region.timezone),
        formerly=formerly if formerly.isascii() and formerly.isdigit() else "",
        may_change=manages(actor, region.path, itself=True),
        may_set=actor.may(Permission.REGION_SETTINGS, region.path),
        may_write=actor.may(Permission.DWELLING_MANAGE, region.path),
        **values,
    )


@blueprint.get("/<code>/children")
@staff_required
def children(code: str) -> str:
    """What lies right below, for the tree on the page."""
    actor = current_actor()
    with current_services().db.read() as session:
        region = tree.load(session, actor, Permission.REGION_VIEW, code)
        page = tree.children(session, region)
    return render_template("regions/_children.html", region=region, page=page)
