"""Parcels of the demo: two lockers with sizes, parcels in them, one on the shelf, and a courier's code."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from mqtt.contract.telemetry import DeviceKind
from portal.core.outbox import new_transaction
from portal.core.permissions import SYSTEM
from portal.demo.people import Person
from portal.demo.places import Places
from portal.devices.models import Device
from portal.parcels import codes, couriers, staff
from portal.parcels.models import (
    Compartment,
    CompartmentState,
    Opening,
    OpeningState,
    Parcel,
    ParcelState,
    Place,
)
from portal.parcels.times import FETCH_WITHIN, LONGEST_ACCESS
from portal.residents.models import Relation, Resident

SIZES: Final = {"S": 8, "M": 6, "L": 2}
LOCKERS: Final = ("locker-south", "locker-north")


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A parcel at a number of a locker, or on the shelf; whose, by position among the residents."""

    locker: str
    number: int
    hours_ago: int
    company: str
    label: str = ""


WAITING: Final = (
    _Waiting("locker-south", 2, 3, "sf"),
    _Waiting("locker-south", 5, 9, "jd"),
    _Waiting("locker-south", 9, 60, "zto"),
    _Waiting("locker-south", 15, 130, "ems"),
    _Waiting("locker-north", 1, 5, "yto"),
    _Waiting("locker-north", 10, 28, "cainiao"),
    _Waiting("", 0, 20, "jd", label="A-3"),
)
"""The first is for the owner whose sign-in is printed; the longest ones are overdue."""


def occupied(key: str) -> list[int]:
    """Which compartments of this locker hold a parcel, for the simulator."""
    return [one.number for one in WAITING if one.locker == key]


def make_parcels(
    session: Session,
    people: Sequence[Person],
    residents: Sequence[Resident],
    places: Places,
    now: datetime,
) -> str:
    """Lay out the lockers and fill them; returns the courier's code, which is nowhere else."""
    devices = {
        device.key: device
        for device in session.scalars(select(Device).where(Device.kind == DeviceKind.PARCEL_LOCKER))
    }
    for key in LOCKERS:
        staff.lay_out(session, SYSTEM, devices[key], SIZES)
    issued = couriers.issue_unasked(session, SYSTEM, places.community, "sf", now, LONGEST_ACCESS)
    approved = [n for n, person in enumerate(people) if not person.pending]
    owner = next(n for n in approved if people[n].relation is Relation.OWNER)
    others = [n for n in approved if people[n].dwelling != people[owner].dwelling]
    for one, position in zip(
        WAITING, [owner, *others[:: len(others) // len(WAITING)]], strict=False
    ):
        dwelling = places.dwellings[people[position].dwelling]
        _lay_in(session, one, devices, residents[position], dwelling.id, now)
    broken = _compartment(session, devices["locker-north"], 4)
    broken.state, broken.fault, broken.fault_at = "out_of_order", "jammed", now - timedelta(hours=2)
    session.flush()
    return issued.code


def _compartment(session: Session, device: Device, number: int) -> Compartment:
    return session.scalars(
        select(Compartment).where(Compartment.device_id == device.id, Compartment.number == number)
    ).one()


def _lay_in(
    session: Session,
    one: _Waiting,
    devices: dict[str, Device],
    resident: Resident,
    dwelling_id: int,
    now: datetime,
) -> None:
    stored = now - timedelta(hours=one.hours_ago)
    device = devices.get(one.locker)
    box = _compartment(session, device, one.number) if device else None
    transaction = new_transaction() if box else None
    parcel = Parcel(
        community_id=resident.community_id,
        resident_id=resident.id,
        dwelling_id=dwelling_id,
        place=Place.LOCKER if box else Place.SHELF,
        device_id=device.id if device else None,
        compartment_id=box.id if box else None,
        shelf_label=one.label,
        size=box.size if box else "",
        company=one.company,
        state=ParcelState.STORED,
        opening=transaction,
        created_at=stored,
        changed_at=stored,
        stored_at=stored,
        due_at=stored + FETCH_WITHIN,
    )
    session.add(parcel)
    session.flush()
    codes.issue(session, parcel.id, stored)
    if box is not None:
        box.state, box.sensed, box.moved_at = CompartmentState.OCCUPIED, True, stored
        session.add(
            Opening(
                transaction=transaction,
                compartment_id=box.id,
                parcel_id=parcel.id,
                state=OpeningState.CLOSED,
                asked_at=stored,
                opened_at=stored,
                closed_at=stored,
                occupied=True,
            )
        )
