"""Finding invitations by the visitor's whole phone number."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import url_for
from sqlalchemy import Select, select
from sqlalchemy.orm import Session, joinedload

from portal.core.i18n import lazy
from portal.core.identifiers import mask_name
from portal.core.permissions import Actor, Permission
from portal.core.protected import find_hash
from portal.core.search import MOST, Hit, Query
from portal.regions.directory import within
from portal.regions.models import Dwelling, Region, Unit
from portal.visitors.models import Invitation
from portal.visitors.queries import SHOWN_NAMES, shown_state


def find(session: Session, actor: Actor, query: Query) -> list[Hit]:
    """Invitations of the visitor with this number, newest first."""
    paths = actor.paths(Permission.INVITATION_LIST)
    if query.phone is None or not paths:
        return []
    rows = session.scalars(with_phone(query.phone).where(within(paths)).limit(MOST)).all()
    return [_hit(row, query.now) for row in rows]


def with_phone(phone: str) -> Select[Any]:
    """Invitations of the visitor with this normalised number."""
    return (
        select(Invitation)
        .join(Region, Region.id == Invitation.community_id)
        .options(
            joinedload(Invitation.entry_pass),
            joinedload(Invitation.dwelling).joinedload(Dwelling.unit).joinedload(Unit.building),
        )
        .where(Invitation.visitor_phone_hash == find_hash(phone, "phone"))
        .order_by(Invitation.id.desc())
    )


def _hit(invitation: Invitation, now: datetime) -> Hit:
    state = SHOWN_NAMES[shown_state(invitation, now)]
    return Hit(
        kind=lazy("Invitations"),
        title=mask_name(invitation.visitor_name),
        about=f"{invitation.dwelling.label} · {state}",
        href=url_for("visitors.decide", invitation_id=invitation.id),
        icon="visitor",
        exact=True,
    )
