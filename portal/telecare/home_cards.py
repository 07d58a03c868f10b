"""Home cards: alarms of people I care for above everything, and the way to them later."""

from __future__ import annotations

from datetime import datetime

from flask import url_for
from sqlalchemy.orm import Session

from portal.core.home_cards import HomeCard, Rank
from portal.core.i18n import lazy
from portal.core.permissions import Actor
from portal.telecare import queries, wearer_queries
from portal.telecare.words import STATE_NAMES


def cards(session: Session, actor: Actor, now: datetime) -> list[HomeCard]:
    """An alarm each that this resident was told of; then whom they care for, and their own button."""
    found = [
        HomeCard(
            key=f"telecare.alarm-{card.id}",
            title=lazy("%(name)s needs help", name=card.who),
            about=STATE_NAMES[card.state][0],
            href=url_for("telecare.care_alarm", alarm_id=card.id),
            icon="alarm",
            rank=Rank.ALARM,
        )
        for card in queries.told_alarms(session, actor)
    ]
    people = wearer_queries.caring_for(session, actor)
    if people:
        found.append(
            HomeCard(
                key="telecare.care",
                title=lazy("People I care for"),
                about=lazy("Their buttons, and what happened."),
                href=url_for("telecare.care"),
                icon="people",
                rank=Rank.LATER,
                figure=len(people),
            )
        )
    elif wearer_queries.own_profile(session, actor) is not None:
        found.append(
            HomeCard(
                key="telecare.own",
                title=lazy("My alarm button"),
                about=lazy("Who is called when you press it."),
                href=url_for("telecare.care"),
                icon="alarm",
                rank=Rank.LATER,
            )
        )
    return found
