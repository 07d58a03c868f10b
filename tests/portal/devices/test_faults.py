"""Faults begin and end by what devices say, however often and in whatever order they say it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from mqtt.contract.messages import Alarm, Door, Event, Status, Tamper
from mqtt.contract.topics import DeviceAddress
from portal.core.permissions import Role
from portal.devices import faults
from portal.devices.cache import DeviceCache
from portal.devices.models import Device, DeviceFault, FaultKind
from portal.devices.operations import ReceivedEvent, ReceivedStatus, record_events, record_status
from tests.portal.world import START, World

GATE = DeviceAddress("spring", "main-1")
BUTTON = DeviceAddress("spring", "button-1")


def hear(world: World, *events: Event, address: DeviceAddress = GATE) -> None:
    with world.db.write() as session:
        received = [ReceivedEvent(address, event, world.clock()) for event in events]
        assert record_events(session, received, DeviceCache(max_age=0)) == []


def status(world: World, *said: Status, address: DeviceAddress = GATE) -> None:
    with world.db.write() as session:
        received = [ReceivedStatus(address, one, world.clock()) for one in said]
        record_status(session, received, DeviceCache(max_age=0))


def said(kind: type[Event], minute: float = 0, **fields: Any) -> Event:
    at: datetime = START + timedelta(minutes=minute)
    return kind(id=f"event-{kind.__name__}-{minute}".replace(".", "-"), at=at, **fields)


def now_open(world: World) -> list[str]:
    with world.db.read() as session:
        rows = session.scalars(select(DeviceFault).where(DeviceFault.ended_at.is_(None)))
        return sorted(row.kind for row in rows)


def queue(world: World, role: Role = Role.MANAGER, region: str = "spring") -> list[str]:
    with world.db.read() as session:
        actor = world.staff(role, region)
        rows = faults.waiting(session, actor, world.clock(), 50)
        assert faults.count(session, actor, world.clock()) == len(rows)
        return [row.kind for row in rows]


CASES: list[tuple[list[Event], list[str]]] = [
    ([said(Door, state="opened"), said(Door, 1, state="closed")], []),
    ([said(Door, state="held_open")], ["held_open"]),
    ([said(Door, state="held_open"), said(Door, 1, state="closed")], []),
    ([said(Door, state="forced")], ["forced"]),
    ([said(Door, state="forced"), said(Door, 1, state="closed")], ["forced"]),
    ([said(Tamper, active=True)], ["tamper"]),
    ([said(Tamper, active=True), said(Tamper, 1, active=False)], []),
    ([said(Tamper, active=True), said(Tamper, 1, active=True)], ["tamper"]),
    ([said(Alarm, action="tested", battery=14.0)], ["battery"]),
    ([said(Alarm, action="tested", battery=15.0)], []),
    (
        [said(Alarm, action="tested", battery=9.0), said(Alarm, 1, action="tested", battery=20.0)],
        ["battery"],
    ),
    (
        [said(Alarm, action="tested", battery=9.0), said(Alarm, 1, action="tested", battery=90.0)],
        [],
    ),
    ([said(Alarm, action="pressed")], []),
]


@pytest.mark.parametrize(("events", "expected"), CASES)
def test_what_is_wrong_after_some_events(
    world: World, events: list[Event], expected: list[str]
) -> None:
    hear(world, *events)
    assert now_open(world) == expected


@pytest.mark.parametrize(("events", "expected"), CASES)
def test_hearing_the_same_again_changes_nothing(
    world: World, events: list[Event], expected: list[str]
) -> None:
    for _ in range(2):
        for event in events:
            hear(world, event)
    assert now_open(world) == expected


def test_an_old_event_reopens_nothing_that_was_resolved(world: World) -> None:
    forced = said(Door, state="forced")
    hear(world, forced)
    with world.db.write() as session:
        row = session.scalars(select(DeviceFault)).one()
        actor = world.staff(Role.MANAGER)
        faults.decide(session, actor, row.id, faults.Verdict.RESOLVED, "", world.clock())
    hear(world, forced)
    assert now_open(world) == []
    hear(world, said(Door, 5, state="forced"))
    assert now_open(world) == ["forced"]


def test_a_device_that_is_away_is_worth_a_look_after_a_while_and_ends_by_itself(
    world: World,
) -> None:
    status(world, Status.OFFLINE)
    assert (now_open(world), queue(world)) == (["offline"], [])
    world.clock.forward(minutes=9)
    status(world, Status.OFFLINE)
    assert queue(world) == []
    world.clock.forward(minutes=1)
    assert queue(world) == ["offline"]
    status(world, Status.ONLINE)
    assert (now_open(world), queue(world)) == ([], [])


def test_a_flapping_device_counts_by_its_last_word(world: World) -> None:
    status(world, Status.OFFLINE, Status.ONLINE)
    assert now_open(world) == []
    status(world, Status.ONLINE, Status.OFFLINE)
    assert now_open(world) == ["offline"]


def test_retired_devices_have_no_faults(world: World) -> None:
    hear(world, said(Door, state="forced"))
    with world.db.write() as session:
        session.get_one(Device, world.devices["main"]).retired_at = world.clock()
    assert queue(world) == []
    status(world, Status.OFFLINE)
    assert now_open(world) == ["forced"]


@pytest.mark.parametrize("role", list(Role))
def test_who_sees_faults(world: World, role: Role) -> None:
    hear(world, said(Door, state="forced"))
    seen = role in {Role.WORKER, Role.MANAGER, Role.SUPERVISOR}
    assert queue(world, role) == ([FaultKind.FORCED.value] if seen else [])
    assert queue(world, role, "autumn") == []
