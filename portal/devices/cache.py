"""Devices by address, remembered for a few seconds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from mqtt.contract.topics import DeviceAddress
from portal.core.remembered import MAX_AGE, Remembered
from portal.devices.models import Device
from portal.regions.models import Region


@dataclass(frozen=True, slots=True)
class KnownDevice:
    """A device of the registry."""

    id: int
    kind: str


class DeviceCache:
    """Remembers devices; for one thread."""

    def __init__(self, max_age: float = MAX_AGE) -> None:
        self._devices: Remembered[DeviceAddress, KnownDevice] = Remembered(max_age)

    def find(
        self, session: Session, addresses: Iterable[DeviceAddress]
    ) -> Mapping[DeviceAddress, KnownDevice]:
        """The enrolled ones among these addresses."""
        return self._devices.get(addresses, lambda missing: _load(session, missing))

    def forget(self, address: DeviceAddress | None = None) -> None:
        """Forget one device, or all."""
        self._devices.forget(address)


def _load(session: Session, addresses: list[DeviceAddress]) -> dict[DeviceAddress, KnownDevice]:
    pairs = [(a.community, a.device) for a in addresses]
    rows = session.execute(
        select(Region.key.label("community"), Device.key.label("device"), Device.id, Device.kind)
        .join(Region, Device.community_id == Region.id)
        .where(tuple_(Region.key, Device.key).in_(pairs), Device.retired_at.is_(None))
    )
    return {DeviceAddress(row.community, row.device): KnownDevice(row.id, row.kind) for row in rows}
