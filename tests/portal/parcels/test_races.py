"""Two at once, on both engines: compartments, doors, codes."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import select

from portal.core.errors import DomainError
from portal.parcels import fetching, storing
from portal.parcels.models import Compartment, Parcel, ParcelState
from tests.portal.parcels.lockers import Locker

ROUNDS = 3


def at_once(number: int, act: Callable[[int], str]) -> list[str]:
    """Run it on so many threads that start together; what came of each, sorted."""
    barrier = threading.Barrier(number)

    def run(position: int) -> str:
        barrier.wait(10)
        try:
            return act(position)
        except DomainError as error:
            return error.code

    with ThreadPoolExecutor(number) as pool:
        return sorted(pool.map(run, range(number)))


def test_couriers_who_ask_at_once_never_get_the_same_compartment(engines: Locker) -> None:
    def ask(_: int) -> str:
        with engines.db.write() as session:
            found = storing.allocate(session, engines.device_id, "S", larger=True)
            return str(found.number) if found else "none"

    assert at_once(6, ask) == ["1", "2", "3", "4", "none", "none"]


def test_of_the_last_compartment_one_courier_gets_it_and_the_other_a_sentence(
    engines: Locker,
) -> None:
    results = at_once(2, lambda _: str(engines.store(size="L").state))
    assert results == ["no_compartment", "opening"]
    with engines.db.read() as session:
        assert len(session.scalars(select(Parcel)).all()) == 1


def test_of_two_who_fetch_at_once_one_opens(engines: Locker) -> None:
    parcel = engines.stored()
    resident = engines.world.resident("resident")

    def fetch(_: int) -> str:
        with engines.db.write() as session:
            return str(fetching.open_own(session, resident, parcel.id, engines.clock()).state)

    for _ in range(ROUNDS):
        assert at_once(3, fetch) == ["being_fetched", "being_fetched", "unlocking"]
        row = engines.parcel(parcel.id)
        engines.opens(row, occupied=True)
        engines.closes(row, occupied=True)


def test_a_courier_who_takes_another_compartment_twice_at_once_holds_one(engines: Locker) -> None:
    parcel = engines.store()
    engines.jams(parcel)

    def another(_: int) -> str:
        with engines.db.write() as session:
            storing.another(session, engines.courier, parcel.id, engines.clock())
            return "done"

    assert at_once(2, another) == ["changed", "done"]
    with engines.db.read() as session:
        held = session.scalars(select(Compartment).where(Compartment.state == "reserved")).all()
    assert [c.id for c in held] == [engines.parcel(parcel.id).compartment_id]


def test_two_workers_hear_the_same_event_and_it_counts_once(engines: Locker) -> None:
    parcel = engines.store()
    engines.opens(parcel)
    closed = engines.moved("closed", 1, parcel.opening, True)

    def hear(_: int) -> str:
        engines.says(closed)
        return "heard"

    at_once(2, hear)
    assert engines.parcel(parcel.id).state == ParcelState.STORED
