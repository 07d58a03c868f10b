"""What the database itself has to get right, on SQLite and on PostgreSQL."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import update

from portal.core import migrate
from portal.core.db import Database
from portal.core.errors import ConflictError, TooManyError
from portal.core.permissions import Role
from portal.core.search import query_of
from portal.models import metadata
from portal.regions.search import dwellings_like
from portal.residents.models import Resident
from portal.residents.name_hashes import fill_name_hashes
from portal.residents.search import matching
from portal.vehicles import operations, queries
from portal.vehicles.models import VehicleState
from portal.vehicles.queries import Verdict
from tests.portal.vehicles.parking import decide, registered, remove, stored, verified
from tests.portal.world import Ticking, World, install, lay_out, new_keys


@pytest.fixture
def world(database_url: str, clock: Ticking) -> Iterator[World]:
    """The world on each engine, as the migrations make it."""
    install(new_keys())
    database = Database(database_url)
    migrate.upgrade(database)
    yield lay_out(database, clock)
    database.close()


def at_once(work: Callable[[int], None], number: int) -> list[str]:
    """What each of several who begin together got: "won" or the code of the refusal."""
    start = threading.Barrier(number)
    outcomes: list[str] = []

    def one(n: int) -> None:
        start.wait()
        try:
            work(n)
        except (ConflictError, TooManyError) as error:
            outcomes.append(error.code)
        else:
            outcomes.append("won")

    threads = [threading.Thread(target=one, args=(n,)) for n in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(outcomes)


def test_of_two_dwellings_verified_at_once_one_has_the_plate(world: World) -> None:
    ids = [registered(world), registered(world, who="neighbour")]
    assert at_once(lambda n: decide(world, ids[n], "verify"), 2) == ["plate_taken", "won"]
    states = sorted(stored(world, each).state for each in ids)
    assert states == [VehicleState.PENDING, VehicleState.VERIFIED]


def test_of_those_who_decide_at_once_one_wins(world: World) -> None:
    vehicle_id = registered(world)
    got = at_once(lambda n: decide(world, vehicle_id, ("verify", "refuse")[n % 2]), 6)
    assert got == ["already_decided"] * 5 + ["won"]


def test_a_household_stays_within_its_limit_at_once(world: World) -> None:
    got = at_once(lambda n: bool(registered(world, f"京A0000{n}")), operations.MOST + 2)
    assert got == ["too_many_vehicles"] * 2 + ["won"] * operations.MOST


def test_deciding_and_removing_at_once_leave_it_removed(world: World) -> None:
    vehicle_id = registered(world)
    acts = (
        lambda: decide(world, vehicle_id, "verify"),
        lambda: remove(world, vehicle_id),
    )
    got = at_once(lambda n: acts[n](), 2)
    assert got in (["won", "won"], ["already_decided", "won"])
    assert stored(world, vehicle_id).state == VehicleState.REMOVED


def test_people_dwellings_and_plates_are_found(world: World) -> None:
    verified(world)
    worker = world.staff(Role.WORKER)
    with world.db.write() as session:
        session.execute(update(Resident).values(name_hash=None))
        assert fill_name_hashes(session) == 5
    with world.db.read() as session:
        by_name, by_door = (query_of(text, world.clock()) for text in ("李小明", "1-1-101"))
        assert by_name is not None
        assert by_door is not None
        assert by_door.door is not None
        statement = matching(by_name)
        assert statement is not None
        assert session.scalars(statement).unique().one().id == world.residents["resident"]
        assert session.scalars(dwellings_like(worker, by_door.door)).one().number == "101"
        assert queries.verdict(session, world.regions["spring"], "京A12345") is Verdict.ALLOWED


def test_the_schema_goes_back_and_forth_with_rows_in_it(world: World) -> None:
    verified(world)
    migrate.downgrade(world.db, "0002")
    migrate.upgrade(world.db)
    assert migrate.differences(world.db, metadata) == []
    with world.db.write() as session:
        assert fill_name_hashes(session) == 5
