"""Who lives in a dwelling, for its page: see :mod:`portal.core.dwelling_page`."""

from __future__ import annotations

from datetime import datetime

from flask import url_for
from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from portal.core.dwelling_page import Place, Rank, Row, Section
from portal.core.i18n import lazy
from portal.core.identifiers import mask_name
from portal.core.permissions import Actor, Permission
from portal.residents.forms import RELATIONS
from portal.residents.models import Relation, Residency, Resident, ResidentState
from portal.residents.words import STATES

MOST = 30
"""Residents of one dwelling that the page lists."""


def section(session: Session, actor: Actor, place: Place, now: datetime) -> Section | None:
    """Who lives there now, by the day they moved in; refused registrations do not count."""
    if not actor.may(Permission.RESIDENT_LIST, place.path):
        return None
    rows = session.scalars(
        select(Residency)
        .join(Resident, Resident.id == Residency.resident_id)
        .options(joinedload(Residency.resident))
        .where(
            Residency.dwelling_id == place.dwelling_id,
            Residency.until.is_(None),
            Resident.state != ResidentState.REFUSED.value,
        )
        .order_by(Residency.since, Residency.id)
        .limit(MOST)
    ).all()
    return Section(
        title=lazy("Who lives here"),
        icon="people",
        rank=Rank.PEOPLE,
        rows=[
            Row(
                name=mask_name(row.resident.name),
                about=RELATIONS[Relation(row.relation)],
                href=url_for("residents.detail", resident_id=row.resident_id),
                state=STATES[ResidentState(row.resident.state)],
            )
            for row in rows
        ],
        nothing=lazy("Nobody is registered here."),
    )
