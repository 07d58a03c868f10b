"""What waits for staff at lockers, and the decisions that can be taken back."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from portal.core.errors import ConflictError, DomainError, ForbiddenError, NotFoundError
from portal.core.permissions import Role
from portal.core.work import UNDO_WINDOW
from portal.features import parts
from portal.parcels import deadlines, fetching
from portal.parcels.models import Fault, Parcel
from portal.parcels.times import FETCH_WITHIN, MOST_REMINDERS, REMIND_EVERY, STAFF_AFTER
from portal.parcels.work import SOURCES
from tests.portal.parcels.lockers import Locker

DOORS, OVERDUE = SOURCES


@pytest.fixture(autouse=True)
def page(app: Flask) -> Iterator[None]:
    with app.test_request_context(headers={"Accept-Language": "en"}):
        yield


def test_the_workbench_finds_the_sources() -> None:
    assert any(module.SOURCES is SOURCES for module in parts("work"))


def test_a_jammed_door_waits_until_somebody_has_looked(locker: Locker) -> None:
    manager, now = locker.world.staff(Role.MANAGER), locker.clock
    locker.jams(locker.store())
    with locker.db.write() as session:
        [item] = DOORS.waiting(session, manager, now(), 10)
        assert (DOORS.count(session, manager, now()), str(item.title)) == (
            1,
            "南门快递柜, compartment 1",
        )
        detail = DOORS.detail(session, manager, item.id, now())
        assert [c.value for c in detail.choices] == ["in_order", "out_of_order"]
        DOORS.decide(session, manager, item.id, "in_order", "", now())
    assert locker.compartment(1).state == "free"
    with locker.db.write() as session:
        assert DOORS.count(session, manager, now()) == 0
        with pytest.raises(ConflictError):
            DOORS.decide(session, manager, item.id, "in_order", "", now())
        DOORS.undo(session, manager, item.id, now())
        assert DOORS.count(session, manager, now()) == 1
    assert (locker.compartment(1).state, locker.compartment(1).fault) == (
        "out_of_order",
        Fault.JAMMED,
    )


def test_a_decision_is_not_taken_back_once_something_came_of_it(locker: Locker) -> None:
    manager = locker.world.staff(Role.MANAGER)
    parcel = locker.store()
    locker.jams(parcel)
    item = locker.compartment(1).id
    with locker.db.write() as session:
        DOORS.decide(session, manager, item, "in_order", "", locker.clock())
    assert locker.store().compartment_id == item
    with locker.db.write() as session, pytest.raises(ConflictError):
        DOORS.undo(session, manager, item, locker.clock())


def test_what_staff_set_aside_waits_for_nobody(locker: Locker) -> None:
    manager = locker.world.staff(Role.MANAGER)
    locker.jams(locker.store())
    item = locker.compartment(1).id
    with locker.db.write() as session:
        DOORS.decide(session, manager, item, "out_of_order", "", locker.clock())
        assert DOORS.count(session, manager, locker.clock()) == 0
        locker.clock.now += UNDO_WINDOW + timedelta(seconds=1)
        with pytest.raises(ConflictError):
            DOORS.undo(session, manager, item, locker.clock())
    assert locker.compartment(1).fault == Fault.BY_STAFF


def test_a_parcel_nobody_fetches_becomes_a_matter_for_staff(locker: Locker) -> None:
    worker = locker.world.staff(Role.WORKER)
    parcel = locker.stored()
    with locker.db.write() as session:
        locker.clock.now += FETCH_WITHIN
        assert OVERDUE.count(session, worker, locker.clock()) == 0
        locker.clock.now += STAFF_AFTER
        [item] = OVERDUE.waiting(session, worker, locker.clock(), 10)
        assert (item.id, str(item.title)) == (parcel.id, "Parcel for 李*明")
        detail = OVERDUE.detail(session, worker, item.id, locker.clock())
        assert "李小明" not in str(detail)
        OVERDUE.decide(session, worker, item.id, "keep", "", locker.clock())
        assert OVERDUE.count(session, worker, locker.clock()) == 0
        with pytest.raises(ConflictError):
            OVERDUE.decide(session, worker, item.id, "keep", "", locker.clock())
        OVERDUE.undo(session, worker, item.id, locker.clock())
        assert OVERDUE.count(session, worker, locker.clock()) == 1
        with pytest.raises(ConflictError):
            OVERDUE.undo(session, worker, item.id, locker.clock())


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.kind)
def test_weak_roles_and_strangers_decide_nothing(locker: Locker, source: object) -> None:
    parcel = locker.stored()
    locker.jams(locker.store())
    item = parcel.id if source is OVERDUE else locker.compartment(2).id
    assert source in SOURCES
    one = SOURCES[SOURCES.index(source)]  # type: ignore[arg-type]
    now = locker.clock() + FETCH_WITHIN + STAFF_AFTER
    supervisor = locker.world.staff(Role.SUPERVISOR)
    stranger = locker.world.staff(Role.MANAGER, "autumn")
    manager = locker.world.staff(Role.MANAGER)
    with locker.db.write() as session:
        assert one.count(session, supervisor, now) == 1
        assert one.count(session, stranger, now) == 0
        assert one.detail(session, supervisor, item, now).choices == ()
        with pytest.raises(ForbiddenError):
            one.decide(session, supervisor, item, "keep", "", now)
        with pytest.raises(NotFoundError):
            one.decide(session, stranger, item, "keep", "", now)
        with pytest.raises(DomainError, match="choice_unknown"):
            one.decide(session, manager, item, "nonsense", "", now)


def test_reminders_are_counted_once_a_day_and_end(locker: Locker) -> None:
    parcel = locker.stored()
    locker.clock.now += FETCH_WITHIN
    for _ in range(MOST_REMINDERS + 2):
        with locker.db.write() as session:
            deadlines.remind(session, locker.clock())
            deadlines.remind(session, locker.clock())
        locker.clock.now += REMIND_EVERY
    assert locker.parcel(parcel.id).reminders == MOST_REMINDERS


def test_what_has_ended_is_forgotten_and_what_waits_is_not(locker: Locker) -> None:
    fetched, kept = locker.stored(), locker.stored(size="M")
    with locker.db.write() as session:
        row = fetching.open_own(
            session, locker.world.resident("resident"), fetched.id, locker.clock()
        )
    locker.opens(row, occupied=True)
    locker.closes(row, occupied=False)
    for days, left in ((89, {fetched.id, kept.id}), (91, {kept.id})):
        with locker.db.write() as session:
            deadlines.purge(session, locker.clock() + timedelta(days=days))
            assert set(session.scalars(select(Parcel.id))) == left
