"""The poster of a community: a QR code that opens registration on a phone (A2)."""

from __future__ import annotations

from typing import Any

import segno
from flask import render_template, url_for
from markupsafe import Markup

from portal.core.actors import current_actor, staff_required
from portal.core.errors import ConflictError, ForbiddenError
from portal.core.i18n import lazy
from portal.core.permissions import Permission
from portal.regions.directory import communities
from portal.regions.queries import load_community
from portal.residents.blueprint import blueprint
from portal.services import current_services


def registration_url(base: str, uscc: str) -> str:
    """What the poster's code says: ``{public_url}/r/{uscc}``."""
    return f"{base}/r/{uscc}"


@blueprint.get("/work/communities")
@staff_required
def posters() -> Any:
    """Communities whose poster one may print."""
    actor = current_actor()
    if not actor.paths(Permission.POSTER_PRINT):
        raise ForbiddenError(
            "forbidden", lazy("Your role does not allow this. Ask your administrator.")
        )
    with current_services().db.read() as session:
        found = communities(session, actor, Permission.POSTER_PRINT)
    return render_template("residents/posters.html", communities=found)


@blueprint.get("/work/communities/<int:community_id>/poster")
@staff_required
def poster(community_id: int) -> Any:
    """The page to print."""
    services, actor = current_services(), current_actor()
    with services.db.read() as session:
        community = load_community(session, actor, Permission.POSTER_PRINT, community_id)
    if community.uscc is None:
        raise ConflictError(
            "no_uscc", lazy("This community has no unified social credit code yet; add it first.")
        )
    address = registration_url(services.config.effective_public_url, community.uscc)
    code = segno.make_qr(address, error="q")
    drawing = Markup(  # noqa: S704 - segno's own drawing of our own address
        code.svg_inline(omitsize=True, border=4, dark="#000", light="#fff", title=address)
    )
    return render_template(
        "residents/poster.html",
        community=community,
        address=address,
        drawing=drawing,
        back=url_for("residents.posters"),
    )
