"""Devices are enrolled into a community's registry and get an account at the broker (H6)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from mqtt.broker.passwords import hash_password, new_password
from mqtt.contract.telemetry import DeviceKind
from mqtt.contract.topics import DeviceAddress, TopicError
from portal.core import audit
from portal.core.errors import ConflictError, DomainError
from portal.core.i18n import lazy
from portal.core.permissions import SYSTEM, Actor, Permission, require
from portal.devices.models import Device
from portal.regions.models import Region


@dataclass(frozen=True, slots=True)
class EnrolledDevice:
    """A new device and its password, which is nowhere else and is shown this once."""

    device: Device
    password: str = field(repr=False)


def enrol_device(
    session: Session,
    actor: Actor,
    community: Region,
    *,
    key: str,
    kind: DeviceKind,
    title: str,
    now: datetime,
    building_id: int | None = None,
    details: Mapping[str, Any] | None = None,
) -> EnrolledDevice:
    """Take a device into the registry of a community.

    Args:
        key: its name in topics, never changed, see :data:`mqtt.contract.topics.KEY_PATTERN`.
        details: what its kind needs beyond, such as a locker's compartments.

    Raises:
        DomainError: the key is malformed, or the community has none itself.
        ConflictError: the key is taken.
        NotFoundError, ForbiddenError: the actor may not.
    """
    if actor is not SYSTEM:
        require(actor, Permission.DEVICE_COMMAND, community.path)
    try:
        address = DeviceAddress(community.key or "", key)
    except TopicError:
        raise DomainError(
            "malformed_key",
            lazy("A key has 1 to 32 small letters, digits, hyphens or underscores."),
            field="key",
        ) from None
    taken = select(Device.id).where(Device.community_id == community.id, Device.key == key)
    if session.scalar(taken) is not None:
        raise ConflictError("key_taken", lazy("Another device has this key already."), field="key")
    password = new_password()
    device = Device(
        community_id=community.id,
        building_id=building_id,
        key=key,
        kind=kind,
        title=title,
        mqtt_username=username_of(address),
        mqtt_password=hash_password(password),
        details=dict(details or {}),
        online=False,
        enrolled_at=now,
    )
    session.add(device)
    session.flush()
    audit.record(
        session,
        actor,
        "device.enrol",
        ("device", device.id),
        path=community.path,
        kind=str(kind),
        key=key,
    )
    return EnrolledDevice(device, password)


def retire_device(session: Session, actor: Actor, device: Device, now: datetime) -> None:
    """Take a device out of use: its account goes, what it reported stays.

    Raises:
        NotFoundError, ForbiddenError: the actor may not.
    """
    path = device.community.path
    if actor is not SYSTEM:
        require(actor, Permission.DEVICE_COMMAND, path)
    if device.retired_at is None:
        device.retired_at = now
        audit.record(session, actor, "device.retire", ("device", device.id), path=path)


def username_of(address: DeviceAddress) -> str:
    """A device's name at the broker; keys hold no dot, so that it is unique."""
    return f"{address.community}.{address.device}"
