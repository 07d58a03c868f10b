"""Pages of a resident about themselves: what they registered (masked), and what is stored."""

from __future__ import annotations

from typing import Any

from flask import render_template

from portal.core.actors import current_actor, resident_required
from portal.core.permissions import Actor
from portal.features import parts
from portal.privacy.queries import consents_of
from portal.residents.blueprint import blueprint
from portal.residents.operations import unmask_own
from portal.residents.queries import own_record
from portal.services import current_services


def _own_id(actor: Actor) -> int:
    assert actor.resident_id is not None  # noqa: S101 - resident_required saw to it
    return actor.resident_id


def _show(*, full: bool) -> str:
    services, actor = current_services(), current_actor()
    now = services.clock()
    with services.db.read() as session:
        resident = own_record(session, _own_id(actor))
        links = [link for part in parts("for_me") for link in part.links(session, actor, now)]
    links.sort(key=lambda link: link.rank)
    return render_template("residents/me.html", resident=resident, full=full, links=links)


@blueprint.get("/me")
@resident_required
def me() -> Any:
    """My registration, masked: a phone is looked at by others too."""
    return _show(full=False)


@blueprint.post("/me")
@resident_required
def reveal_own() -> Any:
    """The same with full values; the look is written down like anybody's."""
    actor = current_actor()
    with current_services().db.write() as session:
        unmask_own(session, actor)
    return _show(full=True)


@blueprint.get("/me/stored")
@resident_required
def stored() -> Any:
    """What is kept about me, what for, and what I have agreed to."""
    with current_services().db.read() as session:
        resident = own_record(session, _own_id(current_actor()))
        consents = consents_of(session, resident.id)
    return render_template("residents/stored.html", resident=resident, consents=consents)
