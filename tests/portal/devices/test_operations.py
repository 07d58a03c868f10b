"""Devices enrolled, asked to do something, heard."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import select

from mqtt.broker.passwords import verify_password
from mqtt.contract.messages import Boot, OpenCompartment, Status, Tamper, Unlock
from mqtt.contract.telemetry import DeviceKind
from mqtt.contract.topics import DeviceAddress
from portal.access.models import Gate
from portal.core.audit import AuditEntry
from portal.core.errors import ConflictError, DomainError, ForbiddenError, NotFoundError
from portal.core.outbox import OutboxMessage, new_transaction
from portal.core.permissions import ROLE_PERMISSIONS, SYSTEM, Actor, Grant, Role
from portal.devices.cache import DeviceCache
from portal.devices.enrolment import enrol_device, retire_device
from portal.devices.models import Device, DeviceEvent
from portal.devices.operations import (
    COMMANDS_OF,
    ReceivedEvent,
    ReceivedStatus,
    command,
    record_events,
    record_status,
)
from portal.regions.models import Region
from tests.portal.gatehouse import EAST, MAIN, Gatehouse

STRANGER = DeviceAddress("spring", "stranger")


def staff(house: Gatehouse, role: Role, community: str = "spring") -> Actor:
    path = f"/{house.communities[community]}/"
    return Actor("user:1", user_id=1, grants=(Grant(path, ROLE_PERMISSIONS[role], role),))


def unlock(house: Gatehouse) -> Unlock:
    return Unlock(
        transaction=new_transaction(),
        at=house.now,
        expires_at=house.now + timedelta(seconds=10),
    )


@pytest.mark.parametrize(
    ("role", "community", "error"),
    [
        (Role.MANAGER, "spring", None),
        (Role.GATEKEEPER, "spring", ForbiddenError),
        (Role.WORKER, "spring", ForbiddenError),
        (Role.MANAGER, "autumn", NotFoundError),
    ],
)
def test_only_a_manager_of_the_community_opens_a_door(
    house: Gatehouse, role: Role, community: str, error: type[DomainError] | None
) -> None:
    actor, message = staff(house, role, community), unlock(house)
    with house.db.write() as session:
        gate = session.get_one(Gate, house.gates[MAIN])
        if error is not None:
            with pytest.raises(error):
                command(session, actor, gate.device, message, house.now)
        else:
            outgoing = command(session, actor, gate.device, message, house.now)
            assert outgoing.topic == MAIN.command("unlock")
    assert house.count(OutboxMessage) == (error is None)
    assert house.count(AuditEntry, AuditEntry.action == "device.command") == (error is None)


def test_a_device_is_asked_only_what_its_kind_can_do(house: Gatehouse) -> None:
    actor = staff(house, Role.MANAGER)
    wrong = OpenCompartment(
        transaction=new_transaction(), at=house.now, expires_at=house.now, compartment=1
    )
    with house.db.write() as session:
        device = session.get_one(Gate, house.gates[MAIN]).device
        with pytest.raises(ConflictError, match="wrong_device_kind"):
            command(session, actor, device, wrong, house.now)
        retire_device(session, actor, device, house.now)
        with pytest.raises(ConflictError, match="device_retired"):
            command(session, actor, device, unlock(house), house.now)
    assert set(COMMANDS_OF) == set(DeviceKind)


def test_an_enrolled_device_has_a_password_only_its_owner_knows(house: Gatehouse) -> None:
    with house.db.read() as session:
        device = session.get_one(Gate, house.gates[MAIN]).device
        assert device.mqtt_username == "spring.gate-main"
        password = house.passwords[MAIN]
        assert password not in device.mqtt_password
        assert verify_password(password, device.mqtt_password)
        assert not verify_password(house.passwords[EAST], device.mqtt_password)


@pytest.mark.parametrize("key", ["gate-main", "", "Gate", "a/b", "x" * 33])
def test_a_key_is_well_formed_and_free(sqlite_house: Gatehouse, key: str) -> None:
    house = sqlite_house
    with house.db.write() as session:
        community = session.get_one(Region, house.communities["spring"])
        with pytest.raises(DomainError, match="key"):
            enrol_device(
                session,
                SYSTEM,
                community,
                key=key,
                kind=DeviceKind.DOOR_LOCK,
                title="x",
                now=house.now,
            )


def test_a_weak_role_enrols_nothing(sqlite_house: Gatehouse) -> None:
    house = sqlite_house
    with house.db.write() as session:
        community = session.get_one(Region, house.communities["spring"])
        with pytest.raises(ForbiddenError):
            enrol_device(
                session,
                staff(house, Role.GATEKEEPER),
                community,
                key="gate-new",
                kind=DeviceKind.DOOR_LOCK,
                title="x",
                now=house.now,
            )


def test_an_event_is_recorded_once_however_often_it_comes(house: Gatehouse) -> None:
    tamper = ReceivedEvent(MAIN, Tamper(id=uuid4().hex, at=house.now, active=True), house.now)
    boot = ReceivedEvent(MAIN, Boot(id=uuid4().hex, at=house.now, firmware="1.2"), house.now)
    strange = ReceivedEvent(STRANGER, boot.event, house.now)
    for _ in range(2):
        with house.db.write() as session:
            batch = [tamper, boot, strange, tamper]
            assert record_events(session, batch, DeviceCache()) == [strange]
    assert house.count(DeviceEvent) == 2
    with house.db.read() as session:
        assert session.scalar(select(Device.firmware).where(Device.key == "gate-main")) == "1.2"


def test_a_status_is_noted_when_it_changes(house: Gatehouse) -> None:
    def note(status: Status, seconds: int) -> None:
        moment = house.now + timedelta(seconds=seconds)
        with house.db.write() as session:
            strange = ReceivedStatus(STRANGER, status, moment)
            heard = [ReceivedStatus(MAIN, status, moment), strange]
            assert record_status(session, heard, DeviceCache()) == [strange]

    def noted() -> tuple[bool, float]:
        with house.db.read() as session:
            device = session.get_one(Gate, house.gates[MAIN]).device
            assert device.status_at is not None
            return device.online, (device.status_at - house.now).total_seconds()

    note(Status.ONLINE, 1)
    note(Status.ONLINE, 2)
    assert noted() == (True, 1)
    note(Status.OFFLINE, 3)
    assert noted() == (False, 3)
