"""On the resident's home: who comes today, what the office has not decided yet, and inviting somebody."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from flask import url_for
from sqlalchemy.orm import Session

from portal.core.formats import period
from portal.core.home_cards import HomeCard, Rank
from portal.core.i18n import _, ngettext
from portal.core.permissions import Actor
from portal.visitors.models import Invitation
from portal.visitors.queries import Shown, awaited, home_of, shown_state


def cards(session: Session, actor: Actor, now: datetime) -> list[HomeCard]:
    """For residents who may invite; names of visitors stay on their own page."""
    home = home_of(session, actor)
    if home is None:
        return []
    zone = ZoneInfo(home.timezone)
    today = now.astimezone(zone).date()
    ahead = awaited(session, actor, now)
    coming = [
        one
        for one in ahead
        if shown_state(one, now) is Shown.APPROVED
        and one.valid_from.astimezone(zone).date() <= today
    ]
    waiting = [one for one in ahead if shown_state(one, now) is Shown.PENDING]
    found = []
    if coming:
        found.append(
            HomeCard(
                key="visitors.today",
                title=ngettext(
                    "A visitor is expected today",
                    "%(num)d visitors are expected today",
                    len(coming),
                ),
                about=period(coming[0].valid_from, coming[0].valid_until)
                if len(coming) == 1
                else _("Send the link once more, or take an invitation back."),
                href=_page(coming),
                icon="visitor",
                rank=Rank.DUE,
            )
        )
    if waiting:
        found.append(
            HomeCard(
                key="visitors.waiting",
                title=ngettext(
                    "An invitation waits for approval",
                    "%(num)d invitations wait for approval",
                    len(waiting),
                ),
                about=_("The community office decides, usually within a day."),
                href=_page(waiting),
                icon="clock",
                rank=Rank.OFFER,
            )
        )
    found.append(
        HomeCard(
            key="visitors.invite",
            title=_("Invite a visitor"),
            about=_("Your guest gets a code of their own."),
            href=url_for("visitors.new"),
            icon="plus",
            rank=Rank.OFFER,
        )
    )
    return found


def _page(invitations: list[Invitation]) -> str:
    if len(invitations) == 1:
        return url_for("visitors.one", invitation_id=invitations[0].id)
    return url_for("visitors.mine")
