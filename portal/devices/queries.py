"""Reading devices: the list, one device, its events and commands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from mqtt.contract.telemetry import DeviceKind
from portal.core.outbox import OutboxMessage
from portal.core.permissions import Actor, Permission, found, require
from portal.devices.models import Device, DeviceEvent
from portal.regions.directory import within
from portal.regions.models import Region

PAGE: Final = 50
RECENT: Final = 20
"""Events and commands on a device's page."""


def devices(
    session: Session, actor: Actor, *, kind: DeviceKind | None = None, offset: int = 0
) -> list[Device]:
    """Devices in the actor's regions by community, kind and title; one more than ``PAGE`` if there are more."""
    statement = (
        select(Device)
        .join(Region, Region.id == Device.community_id)
        .options(joinedload(Device.community), joinedload(Device.building))
        .where(within(actor.paths(Permission.DEVICE_LIST)), Device.retired_at.is_(None))
        .order_by(Device.community_id, Device.kind, Device.title, Device.id)
        .offset(offset)
        .limit(PAGE + 1)
    )
    if kind is not None:
        statement = statement.where(Device.kind == kind)
    return list(session.scalars(statement))


def device(
    session: Session, actor: Actor, device_id: int, permission: Permission = Permission.DEVICE_LIST
) -> Device:
    """One device.

    Raises:
        NotFoundError, ForbiddenError: see :func:`portal.core.permissions.require`.
    """
    loaded = (joinedload(Device.community), joinedload(Device.building))
    row = found(session.get(Device, device_id, options=loaded))
    require(actor, permission, row.community.path)
    return row


def events(session: Session, target: Device, limit: int = RECENT) -> Sequence[DeviceEvent]:
    """What the device reported last, newest first."""
    return session.scalars(
        select(DeviceEvent)
        .where(DeviceEvent.device_id == target.id)
        .order_by(DeviceEvent.at.desc(), DeviceEvent.id.desc())
        .limit(limit)
    ).all()


def commands(session: Session, target: Device, limit: int = RECENT) -> Sequence[OutboxMessage]:
    """What was asked of the device last, newest first."""
    return session.scalars(
        select(OutboxMessage)
        .where(OutboxMessage.community == target.community.key, OutboxMessage.device == target.key)
        .order_by(OutboxMessage.id.desc())
        .limit(limit)
    ).all()
