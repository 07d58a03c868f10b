"""Devices of the building that a dwelling lies in, for its page: see :mod:`portal.core.dwelling_page`."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from flask import url_for
from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.core.dwelling_page import Place, Rank, Row, Section
from portal.core.i18n import lazy
from portal.core.permissions import Actor, Permission
from portal.devices.models import Device
from portal.devices.words import KIND_NAMES

MOST: Final = 20
"""Devices that the page lists."""


def section(session: Session, actor: Actor, place: Place, now: datetime) -> Section | None:
    """The building's devices by title."""
    if not actor.may(Permission.DEVICE_LIST, place.path):
        return None
    rows = session.scalars(
        select(Device)
        .where(
            Device.community_id == place.community_id,
            Device.building_id == place.building_id,
            Device.retired_at.is_(None),
        )
        .order_by(Device.title, Device.id)
        .limit(MOST)
    ).all()
    return Section(
        title=lazy("Devices of the building"),
        icon="device",
        rank=Rank.DEVICES,
        rows=[
            Row(
                name=row.title,
                about=KIND_NAMES.get(row.kind, row.kind),
                href=url_for("devices.show", device_id=row.id),
                state=(lazy("online"), "good") if row.online else (lazy("offline"), "bad"),
            )
            for row in rows
        ],
        nothing=lazy("The building has no devices."),
    )
