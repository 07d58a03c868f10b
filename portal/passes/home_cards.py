"""On the resident's home: the pass, one tap away; or what became of it."""

from __future__ import annotations

from datetime import datetime

from flask import url_for
from sqlalchemy.orm import Session

from portal.core.home_cards import HomeCard, Rank
from portal.core.i18n import _
from portal.core.permissions import Actor
from portal.passes.own import Standing, holder


def cards(session: Session, actor: Actor, now: datetime) -> list[HomeCard]:
    """The pass for whoever may have one. What a registration waits for, its own feature says."""
    standing = holder(session, actor, now).standing
    page = url_for("passes.show")
    if standing is Standing.VALID:
        return [
            HomeCard(
                key="passes.mine",
                title=_("My pass"),
                about=_("Show it at the gate."),
                href=page,
                icon="pass",
                rank=Rank.PASS,
            )
        ]
    if standing in (Standing.WITHDRAWN, Standing.MOVED_OUT):
        withdrawn = standing is Standing.WITHDRAWN
        return [
            HomeCard(
                key="passes.none",
                title=_("Your pass has been withdrawn")
                if withdrawn
                else _("You have no dwelling here at the moment"),
                about=_("Read what to do."),
                href=page,
                icon="warning",
                rank=Rank.DUE,
            )
        ]
    return []
