"""What the pages of residents, couriers and staff share. The blueprint has its pages from ``views``."""

from __future__ import annotations

from typing import Any, Final

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for

from portal.parcels import words
from portal.parcels.couriers import COMPANY_NAMES

blueprint = Blueprint("parcels", __name__, template_folder="templates")
LINK_LIMIT: Final = "60 per minute"
CODE_FAILS: Final = "10 per 15 minutes"
"""Wrong codes from one address."""
LOCKER_FAILS: Final = "100 per hour"
"""Wrong codes at one locker, from wherever: of 100 million codes nobody finds one so."""
LOOK_UPS: Final = "30 per minute; 300 per hour"
"""A courier asks for every parcel once or twice."""
LOOK_UP_FAILS: Final = "10 per 10 minutes"
"""Nobody tries through the tails of a building."""


@blueprint.app_context_processor
def _words() -> dict[str, Any]:
    return {"parcel_words": words, "company_names": COMPANY_NAMES}


def to(endpoint: str, **values: Any) -> Response:
    """See there."""
    response = redirect(url_for(endpoint, **values), code=303)
    assert isinstance(response, Response)  # noqa: S101 - narrows the type for mypy
    return response


def private(template: str, status: int = 200, **values: Any) -> Response:
    """A page that no cache keeps and no search machine lists."""
    return unkept(make_response(render_template(template, **values), status))


def unkept(response: Response) -> Response:
    """Say so."""
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


def unless_seen(template: str, seen: str, **values: Any) -> Response:
    """A part of a page, or nothing when it is what the page shows."""
    if request.args.get("seen") == seen:
        return unkept(make_response("", 204))
    return private(template, seen=seen, **values)
