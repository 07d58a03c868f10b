"""The public start page, and the choice of language."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, redirect, render_template, request, session, url_for

from portal.accounts.operations import change_language
from portal.core.actors import current_actor
from portal.core.errors import DomainError
from portal.core.i18n import LANGUAGES, lazy
from portal.services import current_services

blueprint = Blueprint("start", __name__)


def own_path(target: str) -> str:
    """The target if it is a path of this site, else the start page. Refuses ``//host`` and the like."""
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


@blueprint.get("/")
def index() -> Any:
    """What this is, and sign-in; whoever is signed in lands where their work is."""
    actor = current_actor()
    if actor.is_staff:
        return redirect(url_for("workbench.index"))
    if actor.resident_id is not None:
        return redirect(url_for("home.index"))
    if actor.user_id is not None:  # an account of staff whose role is still to come
        return redirect(url_for("accounts.index"))
    return render_template("start.html")


@blueprint.post("/language")
def language() -> Any:
    """Switch the language and come back."""
    chosen = request.form.get("language", "")
    if chosen not in LANGUAGES:
        raise DomainError("bad_language", lazy("This language is not available."))
    session["language"] = chosen
    actor = current_actor()
    if actor.user_id is not None:
        with current_services().db.write() as db:
            change_language(db, actor.user_id, chosen)
    return redirect(own_path(request.form.get("next", "")), code=303)
