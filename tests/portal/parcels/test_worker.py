"""What the worker hands on: events and answers of lockers, in the transaction in which they are recorded."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import func, select

from mqtt.contract.codec import encode
from mqtt.contract.messages import Result
from portal.config import Config
from portal.core.bus import Received
from portal.core.db import Database
from portal.devices.models import DeviceEvent
from portal.parcels.models import ParcelState
from portal.parcels.times import OPEN_WITHIN
from portal.worker.handling import Handler
from portal.worker.intake import sort
from portal.worker.jobs import Jobs
from tests.portal.parcels.lockers import ADDRESS, Locker


def hears(locker: Locker, *messages: Received) -> list[str]:
    """A worker that has just started takes messages from the broker; the events it acknowledges."""
    now = locker.clock()
    work = sort(messages, now)
    assert not work.bad
    with locker.db.write() as session:
        effects = Handler(10).record(session, work.others, now)
    return [outgoing.topic.rpartition("/")[2] for outgoing in effects.outgoing]


def event(locker: Locker, state: str, transaction: str | None, *, occupied: bool) -> Received:
    moved = locker.moved(state, 1, transaction, occupied)
    return received(ADDRESS.event("compartment"), encode(moved))


def received(topic: str, payload: bytes) -> Received:
    return Received(topic, payload, retained=False, mid=1, qos=1, connection=1)


def test_each_event_may_meet_another_worker(locker: Locker) -> None:
    parcel = locker.store()
    opened = event(locker, "opened", parcel.opening, occupied=False)
    closed = event(locker, "closed", parcel.opening, occupied=True)
    assert hears(locker, opened) == ["acknowledge"]
    assert hears(locker, opened, closed) == ["acknowledge"]
    assert hears(locker, closed) == ["acknowledge"]
    assert locker.parcel(parcel.id).state == ParcelState.STORED


def test_an_answer_of_no_sets_the_door_aside(locker: Locker) -> None:
    parcel = locker.store()
    said = Result(transaction=parcel.opening or "", at=locker.clock(), ok=False, reason="jammed")
    hears(locker, received(ADDRESS.result("open_compartment"), encode(said)))
    assert locker.compartment(1).state == "out_of_order"


def test_a_worker_that_dies_before_its_commit_has_done_nothing(locker: Locker) -> None:
    parcel = locker.store()
    opened = event(locker, "opened", parcel.opening, occupied=False)
    work = sort([opened], locker.clock())

    def killed() -> None:
        with locker.db.write() as session:
            Handler(10).record(session, work.others, locker.clock())
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        killed()
    assert locker.parcel(parcel.id).state == ParcelState.OPENING
    assert count(locker.db) == 0
    hears(locker, opened)
    assert locker.parcel(parcel.id).state == ParcelState.OPEN


def test_deadlines_are_looked_at_by_the_clock(locker: Locker, tmp_path: Path) -> None:
    parcel = locker.store()
    locker.clock.now += OPEN_WITHIN
    jobs = Jobs(Config(data_dir=tmp_path), locker.db, locker.clock)
    for _ in range(20):
        jobs.run_due()
    assert locker.parcel(parcel.id).state == ParcelState.RESERVED


def count(db: Database) -> int:
    with db.read() as session:
        return session.scalar(select(func.count()).select_from(DeviceEvent)) or 0
