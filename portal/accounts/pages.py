"""The blueprint that all pages of accounts hang on, and what they share. The pages are in ``*_views`` modules."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import segno
from flask import Blueprint, Response, make_response, redirect, request, url_for
from markupsafe import Markup

from portal.accounts.words import LEVEL_NAMES
from portal.core.permissions import ROLE_NAMES, Role
from portal.regions.models import Level

blueprint = Blueprint("accounts", __name__, template_folder="templates")


def to(endpoint: str, **values: Any) -> Response:
    """Lead on after a POST."""
    response = redirect(url_for(endpoint, **values), code=303)
    assert isinstance(response, Response)  # noqa: S101 - narrows the type for mypy
    return response


def own_path(target: str) -> str:
    """The target if it is a path of this site, else the start page."""
    parts = urlsplit(target)
    safe = (
        target.startswith("/")
        and not target.startswith(("//", "/\\"))
        and not parts.scheme
        and not parts.netloc
        and "\\" not in target
        and target.isprintable()
    )
    return target if safe else url_for("start.index")


def secret_page(answer: Any, status: int = 200) -> Response:
    """A page behind a secret link, or with secrets on it: not kept, not indexed, its address told nobody."""
    response = make_response(answer, status)
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


def qr_of(text: str) -> Markup:
    """A QR code for an authenticator, inline and without style or script."""
    code = segno.make(text, error="m", micro=False, boost_error=False)
    return Markup(  # noqa: S704 - drawn by segno out of numbers alone, the text is not in it
        code.svg_inline(
            border=4, dark="#000", light="#fff", omitsize=True, svgclass="qr-image", lineclass=None
        )
    )


def before() -> int:
    """The number that a list goes on from (``?before=``); nonsense means its head."""
    raw = request.args.get("before", "")
    return int(raw) if raw.isascii() and raw.isdigit() and len(raw) < 16 else 0


def role_label(role: str, level: str) -> str:
    """A role as lists show it; of a supervisor, also at which level."""
    if role not in set(Role):
        return role
    name = str(ROLE_NAMES[Role(role)])
    if role == Role.SUPERVISOR and level in set(Level):
        return f"{name} · {LEVEL_NAMES[Level(level)]}"
    return name
