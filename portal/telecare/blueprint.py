"""The blueprint that pages of this room belong to."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, redirect, request, url_for
from sqlalchemy.orm import Session

from portal.core.permissions import Actor, Permission, found
from portal.regions.directory import communities
from portal.regions.models import Region
from portal.telecare.operations import CAUSE_NAMES
from portal.telecare.words import (
    HEARING_NAMES,
    LANGUAGE_NAMES,
    STAGE_NAMES,
    STATE_NAMES,
    STEP_NAMES,
    TIE_NAMES,
    TROUBLE_HELP,
    TROUBLE_NAMES,
    hours_between,
    lasting,
    named,
)

blueprint = Blueprint("telecare", __name__, template_folder="templates")

WORDS: dict[str, Any] = {
    "alarm_states": STATE_NAMES,
    "alarm_steps": STEP_NAMES,
    "alarm_stages": STAGE_NAMES,
    "alarm_causes": CAUSE_NAMES,
    "hearing_names": HEARING_NAMES,
    "language_names": LANGUAGE_NAMES,
    "tie_names": TIE_NAMES,
    "trouble_names": TROUBLE_NAMES,
    "trouble_help": TROUBLE_HELP,
    "lasting": lasting,
    "hours_between": hours_between,
    "named": named,
}
"""What the templates of this room say things with."""


def to(endpoint: str, **values: Any) -> Response:
    """Lead the browser to a page."""
    response = redirect(url_for(endpoint, **values))
    assert isinstance(response, Response)  # noqa: S101 - narrows the type for mypy
    return response


def chosen_community(
    session: Session, actor: Actor, permission: Permission
) -> tuple[list[Region], Region]:
    """Communities where the actor holds the permission, and the one that the address names, or the first.

    Raises:
        NotFoundError: there is none, or not the one asked for.
    """
    places = communities(session, actor, permission)
    wanted = request.args.get("community", "")
    if wanted:
        return places, found(next((p for p in places if str(p.id) == wanted), None))
    return places, found(places[0] if places else None)
