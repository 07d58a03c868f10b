"""What devices say, for pages that hear of it at once: see :mod:`portal.core.live`."""

from __future__ import annotations

from typing import Final

from portal.core.live import Probe, newest
from portal.devices.models import DeviceEvent, DeviceFault

PROBES: Final = (
    Probe("events", newest(DeviceEvent.id)),
    Probe("faults", newest(DeviceFault.id)),
)
