"""Finding devices by their name on the network, or by words of their title."""

from __future__ import annotations

from typing import Final

from flask import url_for
from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from portal.core.i18n import lazy
from portal.core.permissions import Actor, Permission
from portal.core.search import MOST, Hit, Query
from portal.devices.models import Device
from portal.devices.words import KIND_ICONS, KIND_NAMES
from portal.regions.directory import within
from portal.regions.models import Region

SHORTEST: Final = 2
"""Signs that a title is looked through for."""


def find(session: Session, actor: Actor, query: Query) -> list[Hit]:
    """Devices with this key, or a title that holds the text; retired ones are left out."""
    paths = actor.paths(Permission.DEVICE_LIST)
    if not paths or len(query.text) < SHORTEST:
        return []
    key = query.text.lower()
    rows = session.scalars(
        select(Device)
        .join(Region, Region.id == Device.community_id)
        .options(joinedload(Device.community), joinedload(Device.building))
        .where(
            within(paths),
            Device.retired_at.is_(None),
            Device.key.startswith(key, autoescape=True)
            | Device.title.icontains(query.text, autoescape=True),
        )
        .order_by(Device.key != key, Device.title != query.text, Device.community_id, Device.title)
        .limit(MOST)
    ).all()
    return [_hit(row, exact=row.key == key or row.title == query.text) for row in rows]


def _hit(device: Device, *, exact: bool) -> Hit:
    where = device.building.name if device.building else device.community.name
    return Hit(
        kind=lazy("Devices"),
        title=device.title,
        about=f"{KIND_NAMES.get(device.kind, device.kind)} · {where} · {device.key}",
        href=url_for("devices.show", device_id=device.id),
        icon=KIND_ICONS.get(device.kind, "device"),
        exact=exact,
    )
