"""The resident's pass on a screen: one page, and the fragment with which it renews its code.

A code stands in the answer's body only, never in an address, and no cache may keep it. For a phone without
a network there are two addresses more: the code it keeps, and a page to show that code on. The page is the
same for everybody and says nothing about anybody, so that the service worker may keep it.
"""

from __future__ import annotations

from typing import Any, Final

from flask import Blueprint, Response, jsonify, make_response, render_template

from portal.core import limits
from portal.core.actors import current_actor, resident_required
from portal.core.errors import ConflictError
from portal.core.permissions import Actor
from portal.passes import own
from portal.passes.drawing import qr_svg
from portal.passes.operations import ShownCode
from portal.passes.settings import seconds_for_resident
from portal.services import Services, current_services

blueprint = Blueprint("passes", __name__, url_prefix="/pass", template_folder="templates")

OFFLINE_LIMIT: Final = "60 per hour"
"""By account. Each such code opens every gate once, so nobody needs many; a phone asks twelve times an hour."""


@blueprint.get("")
@resident_required
def show() -> Response:
    """The page; it says why when there is no pass."""
    services, actor = current_services(), current_actor()
    now = services.clock()
    with services.db.read() as session:
        mine = own.holder(session, actor, now)
    values: dict[str, Any] = {"holder": mine, "Standing": own.Standing}
    if mine.standing is own.Standing.VALID:
        values |= _drawn(services, _code(services, actor))
    return _private(render_template("passes/show.html", **values))


@blueprint.get("/code")
@resident_required
def code() -> Response:
    """A fresh code, to be put in place of the one on the screen."""
    services = current_services()
    shown = _code(services, current_actor())
    return _private(render_template("passes/_code.html", **_drawn(services, shown)))


def _account() -> str:
    return f"offline-code:{current_actor().user_id}"


@blueprint.get("/offline/code")
@limits.limited(OFFLINE_LIMIT, exempt_when=lambda: False, key=_account)
@resident_required
def offline_code() -> Response:
    """The code that a phone keeps: ``{svg, seconds}``; 204 for whoever has no pass or where none is handed out."""
    services = current_services()
    seconds = services.config.pass_offline_seconds
    if not seconds:
        return _unkept(make_response("", 204))
    try:
        shown = _code(services, current_actor(), seconds)
    except ConflictError:
        return _unkept(make_response("", 204))
    drawn = _drawn(services, shown)
    return _unkept(jsonify(svg=str(drawn["qr"]), seconds=drawn["seconds"]))


@blueprint.get("/offline")
def offline() -> str:
    """The page on which a phone without a network shows the code it keeps. Anybody may have it."""
    return render_template("passes/offline.html", bare=True)


def _code(services: Services, actor: Actor, offline_seconds: int = 0) -> ShownCode:
    """A code for the screen, as long as the community has it; or one that the phone keeps for so long."""
    now, installed = services.clock(), services.config.pass_seconds
    offline = offline_seconds > 0
    with services.db.read() as session:
        seconds = offline_seconds or seconds_for_resident(session, actor.resident_id, installed)
        try:
            return own.code(session, actor, now, seconds, offline=offline)
        except own.NotIssuedError:
            pass
    with services.db.write() as session:
        own.obtain(session, actor, now)
        return own.code(session, actor, now, seconds, offline=offline)


def _drawn(services: Services, shown: ShownCode) -> dict[str, Any]:
    """The drawing, and for how many seconds it counts from now; a page's own clock may be wrong."""
    seconds = max(1, int((shown.expires_at - services.clock()).total_seconds()))
    return {"qr": qr_svg(shown.token), "seconds": seconds, "renew": max(1, seconds * 2 // 3)}


def _private(html: str) -> Response:
    return _unkept(make_response(html))


def _unkept(response: Response) -> Response:
    response.headers["Cache-Control"] = "no-store"
    return response
