"""Devices and a change of communities: an enrolled device speaks under its community's name and cannot follow."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.core.i18n import lazy
from portal.devices.models import Device


def blockers(session: Session, community_id: int, buildings: Collection[int] | None) -> list[Any]:
    """Why devices stand in the way: topic and password of each name its community (H6)."""
    statement = (
        select(func.count())
        .select_from(Device)
        .where(Device.community_id == community_id, Device.retired_at.is_(None))
    )
    if buildings is not None:
        statement = statement.where(Device.building_id.in_(buildings))
    number = session.scalar(statement)
    if not number:
        return []
    return [
        lazy(
            "Devices in service: %(number)s. They speak under the name of their community: retire them, and enrol them again afterwards.",
            number=number,
        )
    ]


def follow(_session: Session, _source_id: int, _target_id: int) -> dict[str, int]:
    """Nothing: devices in service stand in the way, retired ones go with their building."""
    return {}
