"""What a resident's home page says about notices: urgent ones by title, those to confirm, how many are unread."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from flask import url_for
from sqlalchemy.orm import Session

from portal.core.home_cards import HomeCard, Rank
from portal.core.i18n import _
from portal.core.permissions import Actor
from portal.notices import queries
from portal.notices.queries import Mine

MOST: Final = 3
"""Cards with a title; the others are in the count."""
LOOKED_AT: Final = 30


def cards(session: Session, actor: Actor, now: datetime) -> Sequence[HomeCard]:
    """Cards of this resident."""
    if actor.resident_id is None:
        return []
    waiting = queries.waiting(session, actor.resident_id, now, LOOKED_AT)
    named = [mine for mine in waiting if mine.urgent or mine.to_confirm or mine.reminded][:MOST]
    found = [_card(mine) for mine in named]
    told = {mine.notice.id for mine in named if mine.unread}
    unread = queries.count_unread(session, actor.resident_id, now) - len(told)
    if unread > 0:
        found.append(
            HomeCard(
                "notices.unread",
                _("Unread notices"),
                url_for("notices.mine"),
                "notice",
                Rank.OFFER,
                figure=unread,
            )
        )
    return found


def _card(mine: Mine) -> HomeCard:
    return HomeCard(
        key=f"notices.{mine.notice.id}",
        title=mine.notice.title,
        href=url_for("notices.one", notice_id=mine.notice.id),
        icon="notice",
        rank=Rank.DUE,
        about=_about(mine),
    )


def _about(mine: Mine) -> Any:
    if mine.to_confirm and mine.reminded:
        return _("The community reminds you: please read and confirm.")
    if mine.to_confirm:
        return (
            _("Urgent: please read and confirm.") if mine.urgent else _("Please read and confirm.")
        )
    if mine.reminded:
        return _("The community reminds you to read this.")
    return _("Urgent notice")
