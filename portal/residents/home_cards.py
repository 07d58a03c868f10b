"""On the resident's home: a registration that is not approved, and what can be done about it."""

from __future__ import annotations

from datetime import datetime

from flask import url_for
from sqlalchemy.orm import Session

from portal.core.formats import moment
from portal.core.home_cards import HomeCard, Rank
from portal.core.i18n import _
from portal.core.permissions import Actor
from portal.residents.models import ResidentState
from portal.residents.queries import own_record


def cards(session: Session, actor: Actor, now: datetime) -> list[HomeCard]:
    """Nothing once it is approved."""
    if actor.resident_id is None:
        return []
    resident = own_record(session, actor.resident_id)
    if resident.state == ResidentState.PENDING:
        return [
            HomeCard(
                key="residents.waits",
                title=_("Your registration waits for approval."),
                about=_(
                    "Sent on %(moment)s. A community worker looks at it, usually within a day. "
                    "Until then, sign in by hand at the gate.",
                    moment=moment(resident.registered_at),
                ),
                href=url_for("residents.me"),
                icon="clock",
                rank=Rank.DUE,
            )
        ]
    if resident.state == ResidentState.REFUSED:
        uscc = resident.community.uscc
        return [
            HomeCard(
                key="residents.refused",
                title=_("Your registration was refused."),
                about=_(
                    "The reason given: %(note)s – put right what is wrong and register again.",
                    note=resident.decision_note or "–",
                ),
                href=url_for("residents.begin", uscc=uscc) if uscc else url_for("residents.me"),
                icon="warning",
                rank=Rank.DUE,
            )
        ]
    return []
