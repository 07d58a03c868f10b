"""What happens at a device by itself: people leave by a door, are measured, test their button."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime
from typing import Final

from mqtt.simulator.alarm_button import AlarmButton
from mqtt.simulator.device import Device, Publication
from mqtt.simulator.door_lock import DoorLock
from mqtt.simulator.parcel_locker import ParcelLocker
from mqtt.simulator.thermometer import Thermometer

TEST_SHARE: Final = 0.1
"""Buttons are tested, never pressed, by themselves: a false alarm would call people out."""


def happening(device: Device, rng: random.Random) -> Callable[[datetime], list[Publication]]:
    """Something that fits the device, ready to be let happen."""
    if isinstance(device, DoorLock):
        return device.exit
    if isinstance(device, Thermometer):
        return lambda now: device.measure(now)[1]
    if isinstance(device, AlarmButton) and rng.random() < TEST_SHARE:
        return device.test
    if isinstance(device, ParcelLocker):
        return lambda now: device.state("sensor/occupied", now)
    return lambda now: device.state("sensor/signal", now)
