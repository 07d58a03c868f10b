"""A locker of the village, with a courier before it and a door that does as the test says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import uuid4

from sqlalchemy import select

from mqtt.contract.codec import decode_command
from mqtt.contract.messages import CompartmentMoved, OpenCompartment
from mqtt.contract.telemetry import DeviceKind
from mqtt.contract.topics import DeviceAddress
from portal.core.db import Database
from portal.core.outbox import OutboxMessage
from portal.core.permissions import SYSTEM
from portal.devices.cache import DeviceCache
from portal.devices.models import Device
from portal.devices.operations import CommandAnswer, ReceivedEvent, record_events
from portal.parcels import couriers, deadlines, staff, storing
from portal.parcels.couriers import Courier
from portal.parcels.doors import new_moves, record_answers, record_moves
from portal.parcels.models import Compartment, Opening, Parcel
from portal.regions.models import Region
from tests.portal.world import Ticking, World

ADDRESS = DeviceAddress("spring", "locker-1")


@dataclass
class Locker:
    """A locker of two small, one middle and one large compartment."""

    world: World
    device_id: int
    courier: Courier
    code: str
    sent: list[CompartmentMoved] = field(default_factory=list)

    @property
    def db(self) -> Database:
        return self.world.db

    @property
    def clock(self) -> Ticking:
        return self.world.clock

    def store(self, who: str = "resident", size: str = "S", *, larger: bool = False) -> Parcel:
        """A courier asks for a compartment; the door has not opened yet."""
        with self.db.write() as session:
            return storing.store(
                session,
                self.courier,
                resident_id=self.world.residents[who],
                dwelling_id=self.world.dwellings["101"],
                device_id=self.device_id,
                size=size,
                now=self.clock(),
                larger=larger,
            )

    def stored(self, who: str = "resident", size: str = "S") -> Parcel:
        """The same, laid in and proved."""
        parcel = self.store(who, size)
        self.opens(parcel)
        self.closes(parcel, occupied=True)
        return self.parcel(parcel.id)

    def parcel(self, parcel_id: int) -> Parcel:
        with self.db.read() as session:
            return session.get_one(Parcel, parcel_id)

    def compartment(self, number: int) -> Compartment:
        with self.db.read() as session:
            return session.scalars(
                select(Compartment).where(
                    Compartment.device_id == self.device_id, Compartment.number == number
                )
            ).one()

    def number(self, transaction: str | None) -> int:
        with self.db.read() as session:
            return session.scalars(
                select(Compartment.number)
                .join(Opening, Opening.compartment_id == Compartment.id)
                .where(Opening.transaction == transaction)
            ).one()

    def commands(self) -> list[OpenCompartment]:
        """What has been asked of the locker, oldest first."""
        with self.db.read() as session:
            rows = session.scalars(
                select(OutboxMessage)
                .where(OutboxMessage.device == ADDRESS.device)
                .order_by(OutboxMessage.id)
            ).all()
        found = [decode_command(row.name, row.payload) for row in rows]
        return [one for one in found if isinstance(one, OpenCompartment)]

    def says(self, *events: CompartmentMoved) -> None:
        """Events arrive at the worker."""
        received = [ReceivedEvent(ADDRESS, event, self.clock()) for event in events]
        cache = DeviceCache()
        with self.db.write() as session:
            moves = new_moves(session, received, cache)
            record_events(session, received, cache)
            record_moves(session, moves, self.clock())
        self.sent.extend(events)

    def moved(
        self,
        state: str,
        number: int,
        transaction: str | None = None,
        occupied: bool | None = None,
    ) -> CompartmentMoved:
        """An event, a moment after the last one."""
        self.clock.forward(milliseconds=200)
        return CompartmentMoved(
            id=uuid4().hex,
            at=self.clock(),
            compartment=number,
            state=state,
            occupied=occupied,
            transaction=transaction,
        )

    def opens(self, parcel: Parcel, occupied: bool = False) -> None:
        self.says(self.moved("opened", self.number(parcel.opening), parcel.opening, occupied))

    def closes(self, parcel: Parcel, *, occupied: bool | None) -> None:
        self.says(self.moved("closed", self.number(parcel.opening), parcel.opening, occupied))

    def jams(self, parcel: Parcel) -> None:
        self.says(self.moved("jammed", self.number(parcel.opening), parcel.opening))

    def answers(self, transaction: str | None, *, ok: bool, reason: str = "") -> None:
        answer = CommandAnswer(
            ADDRESS, "open_compartment", transaction or "", ok, reason, self.clock()
        )
        with self.db.write() as session:
            record_answers(session, [answer], self.clock())

    def wait(self, length: timedelta) -> None:
        """Time passes, and the worker looks at its deadlines."""
        self.clock.now += length
        with self.db.write() as session:
            deadlines.expire(session, self.clock())

    def online(self, online: bool) -> None:
        with self.db.write() as session:
            session.get_one(Device, self.device_id).online = online


def set_up(world: World, sizes: Sequence[int] = (2, 1, 1)) -> Locker:
    """Enrol a locker, lay it out, and give a courier a code."""
    with world.db.write() as session:
        spring = session.get_one(Region, world.regions["spring"])
        device = Device(
            community_id=spring.id,
            key=ADDRESS.device,
            kind=DeviceKind.PARCEL_LOCKER,
            title="南门快递柜",
            mqtt_username="spring.locker-1",
            mqtt_password="x",
            details={"compartments": sum(sizes)},
            online=True,
            status_at=world.clock(),
            firmware="1.0.0",
            enrolled_at=world.clock(),
        )
        session.add(device)
        session.flush()
        staff.lay_out(session, SYSTEM, device, dict(zip("SML", sizes, strict=True)))
        issued = couriers.issue_unasked(
            session, SYSTEM, spring, "sf", world.clock(), timedelta(hours=12)
        )
        courier = couriers.sign_in(session, issued.code, world.clock())
        return Locker(world, device.id, courier, issued.code)
