"""What the gate's decision remembers between scans: gates by address, signing keys.

Everything here may be a few seconds old (:data:`portal.core.remembered.MAX_AGE`): a gate switched
off, a changed pulse or a new key counts after that at the latest. Passes are never remembered;
revocations and use counts count at once.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from sqlalchemy import bindparam, select, tuple_
from sqlalchemy.orm import Session

from mqtt.contract.topics import DeviceAddress
from portal.access.decision import GateFacts
from portal.access.models import Gate
from portal.core.remembered import MAX_AGE, Remembered
from portal.devices.models import Device
from portal.passes.keys import KeySet
from portal.passes.signing import load_keyset
from portal.regions.models import Region

_GATES: Final = (
    select(
        Region.key.label("community"),
        Device.key.label("device"),
        Gate.device_id,
        Gate.id,
        Gate.community_id,
        Gate.building_id,
        Gate.enabled,
        Gate.pulse_ms,
        Region.uscc,
    )
    .join(Device, Gate.device_id == Device.id)
    .join(Region, Device.community_id == Region.id)
    .where(
        tuple_(Region.key, Device.key).in_(bindparam("pairs", expanding=True)),
        Device.retired_at.is_(None),
    )
)

KEY_RETRY: Final = 1.0
"""Seconds between two looks for a key that a code names and that is not known."""


@dataclass(frozen=True, slots=True)
class KnownGate:
    """A gate as scans need it. ``issuer`` is its community's unified social credit code, or empty."""

    facts: GateFacts
    device_id: int
    issuer: str
    pulse_ms: int


class Caches:
    """Remembered rows of one process; not for use by several threads at once.

    Args:
        clock: monotonic seconds.
    """

    def __init__(
        self, max_age: float = MAX_AGE, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._max_age = max_age
        self._clock = clock
        self._gates: Remembered[DeviceAddress, KnownGate] = Remembered(max_age, clock)
        self._keys: KeySet | None = None
        self._keys_at = 0.0

    def gates(
        self, session: Session, addresses: Iterable[DeviceAddress]
    ) -> Mapping[DeviceAddress, KnownGate]:
        """The gates among these addresses; one query for what is not remembered."""
        return self._gates.get(addresses, lambda missing: _load(session, missing))

    def keys(self, session: Session) -> KeySet:
        """The public keys."""
        now = self._clock()
        if self._keys is None or now - self._keys_at > self._max_age:
            self._keys = load_keyset(session, {key.key_id: key for key in self._keys or ()})
            self._keys_at = now
        return self._keys

    def look_again(self, session: Session) -> KeySet:
        """The public keys, read again unless that happened a moment ago."""
        if self._clock() - self._keys_at > KEY_RETRY:
            self._keys_at = float("-inf")
        return self.keys(session)

    def forget(self, address: DeviceAddress | None = None) -> None:
        """Forget one gate, or everything."""
        self._gates.forget(address)
        if address is None:
            self._keys = None


def _load(session: Session, addresses: list[DeviceAddress]) -> dict[DeviceAddress, KnownGate]:
    pairs = [(a.community, a.device) for a in addresses]
    return {
        DeviceAddress(row.community, row.device): KnownGate(
            GateFacts(row.id, row.community_id, row.building_id, row.enabled),
            row.device_id,
            row.uscc or "",
            row.pulse_ms,
        )
        for row in session.execute(_GATES, {"pairs": pairs})
    }
