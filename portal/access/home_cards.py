"""On the resident's home: when the pass was last used."""

from __future__ import annotations

from datetime import datetime

from flask import url_for
from sqlalchemy.orm import Session

from portal.access import log
from portal.access.models import Outcome
from portal.core.formats import moment
from portal.core.home_cards import HomeCard, Rank
from portal.core.i18n import _
from portal.core.permissions import Actor


def cards(session: Session, actor: Actor, now: datetime) -> list[HomeCard]:
    """The last passage; nothing before the first one."""
    last = next(iter(log.own(session, actor, limit=1)), None)
    if last is None:
        return []
    values = {"gate": last.gate.name, "moment": moment(last.decided_at)}
    return [
        HomeCard(
            key="access.last",
            title=_("Last passages"),
            about=_("%(gate)s, %(moment)s: let through", **values)
            if last.outcome == Outcome.ALLOW
            else _("%(gate)s, %(moment)s: refused", **values),
            href=url_for("access.mine"),
            icon="log",
            rank=Rank.LATER,
        )
    ]
