"""The poster of a community: a QR code that opens registration on a phone (A2), as a page and as PDF."""

from __future__ import annotations

from typing import Any

import segno
from flask import Response, make_response, render_template, request, url_for
from markupsafe import Markup

from portal.core.actors import current_actor, staff_required
from portal.core.errors import ConflictError, ForbiddenError
from portal.core.i18n import lazy
from portal.core.permissions import Permission
from portal.regions.directory import communities
from portal.regions.queries import load_community
from portal.residents.blueprint import blueprint
from portal.residents.poster_sheet import Sheet, draw
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
    """The page to look at and to print."""
    sheet = _sheet(community_id)
    code = segno.make_qr(sheet.address, error="q")
    drawing = Markup(  # noqa: S704 - segno's own drawing of our own address
        code.svg_inline(omitsize=True, border=4, dark="#000", light="#fff", title=sheet.address)
    )
    return render_template(
        "residents/poster.html",
        sheet=sheet,
        drawing=drawing,
        download=url_for("residents.poster_file", community_id=community_id),
        back=url_for("residents.posters"),
    )


@blueprint.get("/work/communities/<int:community_id>/poster.pdf")
@staff_required
def poster_file(community_id: int) -> Response:
    """The same as a file of one A4 page. The browser may keep it, but asks first whether it still holds."""
    sheet = _sheet(community_id)
    response = make_response(b"")
    response.set_etag(sheet.version)
    response.headers["Cache-Control"] = "private, no-cache"
    if request.if_none_match.contains(sheet.version):
        response.status_code = 304
        return response
    response.data = draw(sheet)
    response.mimetype = "application/pdf"
    response.headers.set("Content-Disposition", "attachment", filename=sheet.filename)
    return response


def _sheet(community_id: int) -> Sheet:
    """What the poster of a community says, for somebody who may print it."""
    services, actor = current_services(), current_actor()
    with services.db.read() as session:
        community = load_community(session, actor, Permission.POSTER_PRINT, community_id)
    if community.uscc is None:
        raise ConflictError(
            "no_uscc", lazy("This community has no unified social credit code yet; add it first.")
        )
    address = registration_url(services.config.effective_public_url, community.uscc)
    return Sheet(community.name, community.uscc, address)
