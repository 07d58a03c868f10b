"""What a resident's home says of parcels: those that wait, and meals at the gate."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from flask import url_for
from sqlalchemy.orm import Session

from portal.core.formats import clock, moment
from portal.core.home_cards import HomeCard, Rank
from portal.core.i18n import _, ngettext
from portal.core.permissions import Actor
from portal.parcels import queries, shelf
from portal.parcels.models import Parcel, Place


def cards(session: Session, actor: Actor, now: datetime) -> list[HomeCard]:
    """A card for each locker or shelf with parcels, and one for each meal."""
    if actor.resident_id is None:
        return []
    found = [
        HomeCard(
            key=f"parcels.meal-{meal.id}",
            title=_("Your meal waits: %(place)s", place=meal.place),
            about=_("Announced at %(time)s", time=clock(meal.created_at)),
            href=url_for("parcels.mine"),
            icon="locker",
            rank=Rank.DUE,
        )
        for meal in shelf.meals(session, actor.resident_id, now)
    ]
    places: dict[tuple[str, int | None], list[Parcel]] = {}
    for parcel in queries.waiting(session, actor):
        places.setdefault((parcel.place, parcel.device_id), []).append(parcel)
    return found + [_card(parcels, now) for parcels in places.values()]


def _card(parcels: Sequence[Parcel], now: datetime) -> HomeCard:
    first, number = parcels[0], len(parcels)
    values: dict[str, Any] = {"place": first.device.title if first.device else ""}
    if first.place == Place.SHELF:
        title = ngettext("%(num)d parcel on the shelf", "%(num)d parcels on the shelf", number)
    else:
        title = ngettext(
            "%(num)d parcel at %(place)s", "%(num)d parcels at %(place)s", number, **values
        )
    about = _("since %(moment)s", moment=moment(first.stored_at))
    if any(queries.is_overdue(parcel, now) for parcel in parcels):
        about = _(
            "Overdue: please fetch it soon. Here since %(moment)s.", moment=moment(first.stored_at)
        )
    href = url_for("parcels.mine")
    if number == 1:
        href = url_for("parcels.one", parcel_id=first.id)
    return HomeCard(
        key=f"parcels.{first.place}-{first.device_id or 0}",
        title=title,
        about=about,
        href=href,
        icon="locker",
        rank=Rank.DUE,
        figure=number if number > 1 else None,
    )
