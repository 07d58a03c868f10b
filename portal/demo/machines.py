"""The demo's devices, all of them virtual: enrolled like real ones, each with its own password."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy.orm import Session

from mqtt.contract.telemetry import DeviceKind
from portal.access.models import Gate, GateKind
from portal.core.permissions import SYSTEM
from portal.demo.parcels import occupied
from portal.demo.places import Places
from portal.devices.enrolment import enrol_device

COMPARTMENTS: Final = 16
CLOSE_AFTER_S: Final = 20
"""Somebody closes a locker's door after so many seconds, where `linli simulate close` did not before."""
ALARM_BUTTONS: Final = 6


@dataclass(frozen=True, slots=True)
class _Machine:
    key: str
    kind: DeviceKind
    title: str
    building: int | None = None
    thermometer: str = ""


MACHINES: Final = (
    _Machine("gate-south-in", DeviceKind.DOOR_LOCK, "南门入口", thermometer="fever-south-in"),
    _Machine("gate-south-out", DeviceKind.DOOR_LOCK, "南门出口", thermometer="fever-south-out"),
    _Machine("door-1", DeviceKind.DOOR_LOCK, "1号楼大门", building=0),
    _Machine("door-2", DeviceKind.DOOR_LOCK, "2号楼大门", building=1),
    _Machine("fever-south-in", DeviceKind.THERMOMETER, "南门入口测温"),
    _Machine("fever-south-out", DeviceKind.THERMOMETER, "南门出口测温"),
    _Machine("locker-south", DeviceKind.PARCEL_LOCKER, "南门快递柜"),
    _Machine("locker-north", DeviceKind.PARCEL_LOCKER, "北门快递柜"),
    *(
        _Machine(f"alarm-{n}", DeviceKind.ALARM_BUTTON, f"呼叫按钮 {n}", building=(n - 1) // 2)
        for n in range(1, ALARM_BUTTONS + 1)
    ),
)


def enrol_machines(session: Session, places: Places, now: datetime) -> dict[str, Any]:
    """Enrol every device, hang the gates; returns what goes into ``simulated-devices.json``."""
    community = places.community
    described = []
    for machine in MACHINES:
        building = places.buildings[machine.building] if machine.building is not None else None
        extra: dict[str, Any] = {}
        inside: dict[str, Any] = {}
        if machine.kind is DeviceKind.PARCEL_LOCKER:
            extra["compartments"] = COMPARTMENTS
            inside = {"occupied": occupied(machine.key), "close_after_s": CLOSE_AFTER_S}
        if machine.thermometer:
            extra["thermometer"] = machine.thermometer
        enrolled = enrol_device(
            session,
            SYSTEM,
            community,
            key=machine.key,
            kind=machine.kind,
            title=machine.title,
            now=now,
            building_id=building.id if building else None,
            details=extra,
        )
        if machine.kind is DeviceKind.DOOR_LOCK:
            session.add(
                Gate(
                    community_id=community.id,
                    device_id=enrolled.device.id,
                    building_id=building.id if building else None,
                    kind=GateKind.BUILDING if building else GateKind.COMMUNITY,
                    name=machine.title,
                )
            )
        described.append(
            {
                "community": community.key,
                "device": machine.key,
                "kind": machine.kind.value,
                "title": machine.title,
                "username": enrolled.device.mqtt_username,
                "password": enrolled.password,
                **extra,
                **inside,
            }
        )
    session.flush()
    return {"version": 1, "devices": described}
