"""The door is the proof: what lockers report, and what it makes of parcels."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from portal.core.errors import ConflictError
from portal.core.permissions import Role
from portal.parcels import fetching, staff, storing
from portal.parcels.models import CompartmentState, Fault, ParcelState, PickupCode
from portal.parcels.times import CLOSE_WITHIN, OPEN_WITHIN, RESERVATION
from tests.portal.parcels.lockers import Locker

S, P = CompartmentState, ParcelState


def unlocked(locker: Locker, parcel_id: int) -> str:
    """The recipient asks the door to open; the transaction."""
    with locker.db.write() as session:
        actor = locker.world.resident("resident")
        row = fetching.open_own(session, actor, parcel_id, locker.clock())
        return str(row.opening)


def codes(locker: Locker, parcel_id: int) -> int:
    with locker.db.read() as session:
        return (
            session.scalar(
                select(func.count())
                .select_from(PickupCode)
                .where(PickupCode.parcel_id == parcel_id)
            )
            or 0
        )


def test_a_parcel_is_stored_when_its_door_was_open_and_has_closed_on_something(
    engines: Locker,
) -> None:
    parcel = engines.store()
    assert (parcel.state, engines.compartment(1).state) == (P.OPENING, S.RESERVED)
    assert [c.compartment for c in engines.commands()] == [1]
    engines.opens(parcel)
    assert engines.parcel(parcel.id).state == P.OPEN
    assert codes(engines, parcel.id) == 0
    engines.closes(parcel, occupied=True)
    now = engines.parcel(parcel.id)
    assert (now.state, engines.compartment(1).state) == (P.STORED, S.OCCUPIED)
    assert now.due_at is not None
    assert codes(engines, parcel.id) == 1


def test_where_the_locker_does_not_sense_it_a_closed_door_is_enough(locker: Locker) -> None:
    parcel = locker.store()
    locker.opens(parcel)
    locker.closes(parcel, occupied=None)
    assert locker.parcel(parcel.id).state == P.STORED


def test_the_yes_of_a_locker_proves_nothing(locker: Locker) -> None:
    parcel = locker.store()
    locker.answers(parcel.opening, ok=True)
    assert locker.parcel(parcel.id).state == P.OPENING


def test_a_door_closed_on_nothing_leaves_the_compartment_to_the_courier(locker: Locker) -> None:
    parcel = locker.store()
    locker.opens(parcel)
    locker.closes(parcel, occupied=False)
    now = locker.parcel(parcel.id)
    assert (now.state, now.fault) == (P.RESERVED, Fault.CLOSED_EMPTY)
    assert locker.compartment(1).state == S.RESERVED
    with locker.db.write() as session:
        again = storing.open_again(session, locker.courier, parcel.id, locker.clock())
    assert again.opening != parcel.opening
    locker.opens(again)
    locker.closes(again, occupied=True)
    assert locker.parcel(parcel.id).state == P.STORED


@pytest.mark.parametrize("how", ["event", "answer"])
def test_a_jammed_compartment_is_set_aside_and_the_courier_gets_another(
    locker: Locker, how: str
) -> None:
    parcel = locker.store()
    if how == "event":
        locker.jams(parcel)
    else:
        locker.answers(parcel.opening, ok=False, reason="jammed")
    now = locker.parcel(parcel.id)
    assert (now.state, now.fault, now.compartment_id) == (P.RESERVED, Fault.JAMMED, None)
    assert (locker.compartment(1).state, locker.compartment(1).fault) == (
        S.OUT_OF_ORDER,
        Fault.JAMMED,
    )
    with locker.db.write() as session:
        storing.another(session, locker.courier, parcel.id, locker.clock())
    assert [c.compartment for c in locker.commands()] == [1, 2]


def test_a_door_that_says_nothing_is_set_aside_when_its_locker_is_there(locker: Locker) -> None:
    parcel = locker.store()
    locker.wait(OPEN_WITHIN)
    now = locker.parcel(parcel.id)
    assert (now.state, now.fault, now.compartment_id) == (P.RESERVED, Fault.NO_ANSWER, None)
    assert locker.compartment(1).state == S.OUT_OF_ORDER


def test_a_locker_that_went_away_blames_no_door(locker: Locker) -> None:
    parcel = locker.store()
    locker.online(False)
    locker.wait(OPEN_WITHIN)
    now = locker.parcel(parcel.id)
    assert (now.state, now.fault) == (P.RESERVED, Fault.OFFLINE)
    assert locker.compartment(1).state == S.RESERVED
    with locker.db.write() as session, pytest.raises(ConflictError, match="locker_offline"):
        storing.open_again(session, locker.courier, parcel.id, locker.clock())


def test_a_door_that_opened_after_all_is_the_parcel_s_again(locker: Locker) -> None:
    parcel = locker.store()
    locker.wait(OPEN_WITHIN)
    locker.opens(parcel)
    now = locker.parcel(parcel.id)
    assert (now.state, locker.compartment(1).state) == (P.OPEN, S.RESERVED)
    locker.closes(parcel, occupied=True)
    assert locker.parcel(parcel.id).state == P.STORED
    assert (locker.compartment(1).state, locker.compartment(1).fault) == (S.OCCUPIED, Fault.NONE)


def test_a_parcel_laid_into_the_compartment_given_up_is_found_by_staff(locker: Locker) -> None:
    parcel = locker.store()
    locker.wait(OPEN_WITHIN)
    with locker.db.write() as session:
        storing.another(session, locker.courier, parcel.id, locker.clock())
    locker.opens(parcel)  # the first door, late
    locker.closes(parcel, occupied=True)
    assert locker.parcel(parcel.id).state == P.OPENING
    first = locker.compartment(1)
    assert (first.state, first.fault) == (S.OUT_OF_ORDER, Fault.UNKNOWN_CONTENT)


def test_a_door_given_up_that_works_after_all_is_free_again(locker: Locker) -> None:
    parcel = locker.store()
    locker.wait(OPEN_WITHIN)
    with locker.db.write() as session:
        storing.another(session, locker.courier, parcel.id, locker.clock())
    locker.opens(parcel)
    locker.closes(parcel, occupied=False)
    assert (locker.compartment(1).state, locker.compartment(1).fault) == (S.FREE, Fault.NONE)


def test_a_door_left_open_is_asked_to_be_closed_and_counts_when_it_does(locker: Locker) -> None:
    parcel = locker.store()
    locker.opens(parcel)
    locker.wait(CLOSE_WITHIN)
    now = locker.parcel(parcel.id)
    assert (now.state, now.fault) == (P.OPEN, Fault.NOT_CLOSED)
    assert locker.compartment(1).fault == Fault.NOT_CLOSED
    locker.closes(parcel, occupied=True)
    assert locker.parcel(parcel.id).state == P.STORED
    assert locker.compartment(1).fault == Fault.NONE


def test_a_reservation_that_leads_nowhere_ends(locker: Locker) -> None:
    parcel = locker.store()
    locker.jams(parcel)
    locker.wait(RESERVATION)
    assert locker.parcel(parcel.id).state == P.CANCELLED
    kept = locker.store()
    locker.opens(kept)
    locker.closes(kept, occupied=False)
    locker.wait(RESERVATION)
    assert locker.compartment(2).state == S.FREE


def test_events_that_come_twice_or_in_the_wrong_order_count_once(locker: Locker) -> None:
    parcel = locker.store()
    opened = locker.moved("opened", 1, parcel.opening, False)
    closed = locker.moved("closed", 1, parcel.opening, True)
    locker.says(closed, opened, closed)
    assert locker.parcel(parcel.id).state == P.STORED
    transaction = unlocked(locker, parcel.id)
    locker.says(opened, closed)
    assert locker.parcel(parcel.id).state == P.UNLOCKING
    locker.says(locker.moved("opened", 1, transaction, True))
    locker.says(closed, opened)
    assert locker.parcel(parcel.id).state == P.TAKING
    locker.says(locker.moved("closed", 1, transaction, False))
    assert locker.parcel(parcel.id).state == P.FETCHED


def test_fetched_is_what_the_door_proves(engines: Locker) -> None:
    parcel = engines.stored()
    transaction = unlocked(engines, parcel.id)
    engines.says(engines.moved("opened", 1, transaction, True))
    assert engines.parcel(parcel.id).state == P.TAKING
    engines.says(engines.moved("closed", 1, transaction, False))
    now = engines.parcel(parcel.id)
    assert (now.state, now.ended_at is not None) == (P.FETCHED, True)
    assert engines.compartment(1).state == S.FREE
    assert codes(engines, parcel.id) == 0


def test_a_parcel_left_inside_is_still_there(locker: Locker) -> None:
    parcel = locker.stored()
    transaction = unlocked(locker, parcel.id)
    locker.says(
        locker.moved("opened", 1, transaction, True), locker.moved("closed", 1, transaction, True)
    )
    now = locker.parcel(parcel.id)
    assert (now.state, now.fault) == (P.STORED, Fault.CLOSED_FULL)
    unlocked(locker, parcel.id)


def test_of_two_who_press_open_one_is_told_that_it_opens_already(locker: Locker) -> None:
    parcel = locker.stored()
    unlocked(locker, parcel.id)
    with pytest.raises(ConflictError, match="being_fetched"):
        unlocked(locker, parcel.id)
    assert len(locker.commands()) == 2


def test_a_silent_door_keeps_the_parcel_and_calls_staff(locker: Locker) -> None:
    parcel = locker.stored()
    transaction = unlocked(locker, parcel.id)
    locker.wait(OPEN_WITHIN)
    now = locker.parcel(parcel.id)
    assert (now.state, now.fault) == (P.STORED, Fault.NO_ANSWER)
    assert (locker.compartment(1).state, locker.compartment(1).fault) == (
        S.OCCUPIED,
        Fault.NO_ANSWER,
    )
    locker.says(
        locker.moved("opened", 1, transaction, True), locker.moved("closed", 1, transaction, False)
    )
    assert locker.parcel(parcel.id).state == P.FETCHED
    assert locker.compartment(1).state == S.FREE


@pytest.mark.parametrize("inside", [True, False])
def test_after_a_power_cut_the_locker_says_how_a_parcel_to_be_stored_is(
    locker: Locker, inside: bool
) -> None:
    parcel = locker.store()
    locker.says(locker.moved("closed", 1, None, inside))
    assert locker.parcel(parcel.id).state == (P.STORED if inside else P.OPENING)


def test_after_a_power_cut_an_open_door_counts_for_whoever_waits_at_it(locker: Locker) -> None:
    parcel = locker.store()
    locker.says(locker.moved("opened", 1, None, False))
    assert locker.parcel(parcel.id).state == P.OPEN
    locker.says(locker.moved("closed", 1, None, True))
    assert locker.parcel(parcel.id).state == P.STORED
    unlocked(locker, parcel.id)
    locker.says(locker.moved("closed", 1, None, False))
    assert locker.parcel(parcel.id).state == P.FETCHED


def test_a_door_opened_by_force_and_an_empty_compartment_are_seen(locker: Locker) -> None:
    parcel = locker.stored()
    locker.says(locker.moved("opened", 1, None, True))
    assert locker.compartment(1).fault == Fault.FORCED
    locker.says(locker.moved("closed", 1, None, False))
    assert locker.parcel(parcel.id).fault == Fault.GONE
    assert locker.parcel(parcel.id).state == P.STORED


def test_something_unknown_in_a_free_compartment_keeps_parcels_out(locker: Locker) -> None:
    locker.says(locker.moved("closed", 1, None, True))
    assert locker.compartment(1).state == S.OUT_OF_ORDER
    assert locker.store().compartment_id == locker.compartment(2).id
    locker.says(locker.moved("closed", 1, None, False))
    assert locker.compartment(1).state == S.FREE


def test_staff_open_for_a_reason_and_the_door_says_what_it_holds(locker: Locker) -> None:
    manager = locker.world.staff(Role.MANAGER)
    parcel = locker.stored()
    with locker.db.write() as session:
        transaction = staff.open_compartment(
            session, manager, locker.device_id, 1, "resident", locker.clock()
        )
    locker.says(locker.moved("opened", 1, transaction, True))
    assert locker.compartment(1).fault == Fault.NONE
    locker.says(locker.moved("closed", 1, transaction, False))
    assert locker.parcel(parcel.id).fault == Fault.GONE


def test_another_locker_s_answer_and_unknown_doors_change_nothing(locker: Locker) -> None:
    parcel = locker.store()
    locker.says(locker.moved("closed", 99, parcel.opening, True))
    locker.says(locker.moved("closed", 2, parcel.opening, None))
    assert locker.parcel(parcel.id).state == P.OPENING


def test_a_courier_takes_a_parcel_back(locker: Locker) -> None:
    parcel = locker.stored()
    with locker.db.write() as session:
        row = storing.take_back(session, locker.courier, parcel.id, locker.clock())
    locker.opens(row, occupied=True)
    locker.closes(row, occupied=False)
    assert locker.parcel(parcel.id).state == P.RETURNED
    assert locker.compartment(1).state == S.FREE


def test_staff_move_a_parcel_to_the_shelf(locker: Locker) -> None:
    parcel = locker.stored()
    manager = locker.world.staff(Role.MANAGER)
    with locker.db.write() as session:
        row = staff.take_parcel(session, manager, parcel.id, locker.clock(), label="a-3")
    locker.opens(row, occupied=True)
    locker.closes(row, occupied=False)
    now = locker.parcel(parcel.id)
    assert (now.state, now.place, now.shelf_label) == (P.STORED, "shelf", "A-3")
    assert locker.compartment(1).state == S.FREE
    assert codes(locker, parcel.id) == 1


def test_a_device_that_reboots_much_later_does_not_undo_what_has_happened(locker: Locker) -> None:
    parcel = locker.stored()
    locker.clock.now += timedelta(hours=1)
    locker.says(locker.moved("closed", 1, None, True))
    assert locker.parcel(parcel.id).state == P.STORED
    assert locker.parcel(parcel.id).fault == Fault.NONE


def test_a_door_that_jams_by_itself_is_set_aside(locker: Locker) -> None:
    locker.says(locker.moved("jammed", 1))
    assert (locker.compartment(1).state, locker.compartment(1).fault) == (
        S.OUT_OF_ORDER,
        Fault.JAMMED,
    )
    parcel = locker.stored()
    locker.says(locker.moved("jammed", 2))
    assert locker.compartment(2).state == S.OCCUPIED
    assert locker.parcel(parcel.id).state == P.STORED
