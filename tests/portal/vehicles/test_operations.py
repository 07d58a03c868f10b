"""Vehicles: who may do what in which state, one dwelling a plate, and that two cannot decide at once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from portal.core.audit import AuditEntry
from portal.core.errors import (
    ConflictError,
    DomainError,
    ForbiddenError,
    NotFoundError,
    TooManyError,
)
from portal.core.permissions import Role
from portal.core.work import UNDO_WINDOW
from portal.residents.models import Residency, Resident, ResidentState
from portal.vehicles import operations, queries
from portal.vehicles.models import Vehicle, VehicleState
from portal.vehicles.operations import Draft
from portal.vehicles.queries import Verdict
from tests.portal.vehicles.parking import (
    GOOD,
    MANUAL,
    approve,
    decide,
    registered,
    remove,
    stored,
    undo,
    verified,
)
from tests.portal.world import World


def verdict(world: World, plate: str = "京A12345", community: str = "spring") -> Verdict:
    with world.db.read() as session:
        return queries.verdict(session, world.regions[community], plate)


def test_a_vehicle_waits_and_keeps_what_was_entered(world: World) -> None:
    row = stored(world, registered(world))
    assert (row.state, row.plate, row.plate_class) == (VehicleState.PENDING, "京A12345", "ordinary")
    assert (row.brand, row.colour, row.belongs) == ("大众", "white", "own")
    assert row.dwelling_id == world.dwellings["101"]
    assert not row.by_hand_only


def test_the_plate_is_not_readable_in_the_database(world: World) -> None:
    registered(world)
    with world.db.engine.connect() as connection:
        row = connection.exec_driver_sql("SELECT * FROM vehicles").one()
    assert "12345" not in repr(tuple(row))


@pytest.mark.parametrize("who", ["pending", "refused"])
def test_only_approved_residents_register(world: World, who: str) -> None:
    with pytest.raises(ForbiddenError):
        registered(world, who=who)


def test_staff_without_a_home_cannot_register(world: World) -> None:
    with pytest.raises(ForbiddenError), world.db.write() as session:
        operations.register(session, world.staff(Role.WORKER), GOOD, world.clock())


WRONG: list[tuple[str, dict[str, str], str]] = [
    ("no plate", {"plate": " "}, "plate"),
    ("half a plate", {"plate": "京A12"}, "plate"),
    ("letter O", {"plate": "京AO2345"}, "plate"),
    ("kind", {"kind": "tank"}, "kind"),
    ("whose", {"belongs": ""}, "belongs"),
    ("long brand", {"brand": "长" * 31}, "brand"),
    ("control characters", {"brand": "a\x00b"}, "brand"),
    ("colour", {"colour": "plaid"}, "colour"),
]


@pytest.mark.parametrize(("change", "field"), [w[1:] for w in WRONG], ids=[w[0] for w in WRONG])
def test_nonsense_is_refused_beside_its_field(
    world: World, change: dict[str, str], field: str
) -> None:
    draft = replace(GOOD, **change)
    assert [fault.field for fault in operations.faults(draft)] == [field]
    with pytest.raises(DomainError) as caught, world.db.write() as session:
        operations.register(session, world.resident("resident"), draft, world.clock())
    assert caught.value.field == field


def test_every_fault_is_named_at_once() -> None:
    wrong = operations.faults(Draft("x", "?", "?", "b" * 40, "?"))
    assert {fault.field for fault in wrong} == {"plate", "kind", "belongs", "brand", "colour"}


def test_the_same_plate_twice_for_one_dwelling_is_refused_however_it_is_written(
    world: World,
) -> None:
    registered(world)
    with pytest.raises(ConflictError) as caught:
        registered(world, "京a 12345")
    assert (caught.value.code, caught.value.field) == ("plate_registered", "plate")


def test_a_dwelling_has_at_most_four_vehicles_until_one_goes(world: World) -> None:
    ids = [registered(world, f"京A0000{n}") for n in range(operations.MOST)]
    with pytest.raises(TooManyError):
        registered(world)
    remove(world, ids[0])
    decide(world, ids[1], "refuse")
    registered(world)
    registered(world, "京A54321")
    with pytest.raises(TooManyError):
        registered(world, "京A66666")
    registered(world, "京A66666", "neighbour")


def test_a_household_cannot_get_past_the_limit_by_registering_at_once(world: World) -> None:
    for n in range(operations.MOST - 1):
        registered(world, f"京A0000{n}")
    start = threading.Barrier(6)
    outcomes: list[str] = []

    def work(n: int) -> None:
        start.wait()
        try:
            registered(world, f"京B0000{n}")
            outcomes.append("in")
        except TooManyError:
            outcomes.append("full")

    _together(work, 6)
    assert sorted(outcomes) == ["full"] * 5 + ["in"]


def _together(work: Callable[[int], None], number: int) -> None:
    threads = [threading.Thread(target=work, args=(n,)) for n in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_a_refusal_needs_a_sentence(world: World) -> None:
    vehicle_id = registered(world)
    with pytest.raises(DomainError) as caught, world.db.write() as session:
        operations.refuse(session, world.staff(Role.WORKER), vehicle_id, "  ", world.clock())
    assert caught.value.field == "note"
    decide(world, vehicle_id, "refuse")
    row = stored(world, vehicle_id)
    assert (row.state, row.decision_note) == (VehicleState.REFUSED, "不符")
    assert row.decided_by == world.users["worker"]


@pytest.mark.parametrize("verb", ["verify", "refuse"])
@pytest.mark.parametrize("first", ["verify", "refuse"])
def test_a_decision_is_made_once(world: World, first: str, verb: str) -> None:
    vehicle_id = registered(world)
    decide(world, vehicle_id, first)
    with pytest.raises(ConflictError) as caught:
        decide(world, vehicle_id, verb)
    assert caught.value.code == "already_decided"


def test_of_eight_workers_deciding_at_once_exactly_one_succeeds(world: World) -> None:
    vehicle_id = registered(world)
    start = threading.Barrier(8)
    outcomes: list[str] = []

    def work(n: int) -> None:
        start.wait()
        try:
            decide(world, vehicle_id, "verify" if n % 2 else "refuse")
            outcomes.append("won")
        except ConflictError:
            outcomes.append("conflict")

    _together(work, 8)
    assert sorted(outcomes) == ["conflict"] * 7 + ["won"]
    with world.db.read() as session:
        entries = session.scalars(
            select(AuditEntry).where(AuditEntry.action.in_(["vehicle.verify", "vehicle.refuse"]))
        ).all()
    assert len(entries) == 1


def test_a_plate_is_verified_for_one_dwelling_of_a_community_only(world: World) -> None:
    first = verified(world)
    second = registered(world, who="neighbour")
    with pytest.raises(ConflictError) as caught:
        decide(world, second, "verify")
    assert caught.value.code == "plate_taken"
    assert stored(world, second).state == VehicleState.PENDING
    far = registered(world, who="outsider")
    decide(world, far, "verify", world.staff(Role.WORKER, "autumn"))
    remove(world, first)
    decide(world, second, "verify")
    assert stored(world, second).state == VehicleState.VERIFIED


def move_out(world: World, who: str) -> None:
    with world.db.write() as session:
        home = session.scalars(
            select(Residency).where(Residency.resident_id == world.residents[who])
        ).one()
        home.until = world.clock().date()


def test_what_somebody_left_behind_who_moved_away_gives_the_plate_free(world: World) -> None:
    left = verified(world)
    move_out(world, "resident")
    assert verdict(world) is Verdict.UNKNOWN
    second = verified(world, who="neighbour")
    assert verdict(world) is Verdict.ALLOWED
    assert stored(world, left).state == VehicleState.REMOVED
    assert stored(world, second).state == VehicleState.VERIFIED


def test_the_database_itself_holds_one_dwelling_a_plate(world: World) -> None:
    verified(world)
    second = registered(world, who="neighbour")
    with pytest.raises(IntegrityError), world.db.write() as session:
        session.get_one(Vehicle, second).state = VehicleState.VERIFIED


def test_two_verified_at_once_for_two_dwellings_leave_one(world: World) -> None:
    ids = [registered(world), registered(world, who="neighbour")]
    start = threading.Barrier(2)
    outcomes: list[str] = []

    def work(n: int) -> None:
        start.wait()
        try:
            decide(world, ids[n], "verify")
            outcomes.append("won")
        except ConflictError as error:
            outcomes.append(error.code)

    _together(work, 2)
    assert sorted(outcomes) == ["plate_taken", "won"]


ALLOWED = {Role.WORKER}
LISTING = {Role.WORKER, Role.GATEKEEPER, Role.MANAGER, Role.SUPERVISOR}


@pytest.mark.parametrize("role", list(Role))
def test_who_may_decide_undo_and_see_the_whole_plate(world: World, role: Role) -> None:
    vehicle_id = registered(world)
    actor = world.staff(role)

    def reveal() -> None:
        with world.db.write() as session:
            operations.reveal(session, actor, vehicle_id)

    if role in ALLOWED:
        reveal()
        decide(world, vehicle_id, "verify", actor)
        undo(world, vehicle_id, actor)
        return
    for verb in ("verify", "refuse"):
        with pytest.raises(ForbiddenError):
            decide(world, vehicle_id, verb, actor)
    with pytest.raises(ForbiddenError):
        reveal()
    decide(world, vehicle_id, "verify")
    with pytest.raises(ForbiddenError):
        undo(world, vehicle_id, actor)
    assert stored(world, vehicle_id).state == VehicleState.VERIFIED


@pytest.mark.parametrize("role", list(Role))
def test_who_sees_the_list(world: World, role: Role) -> None:
    registered(world)
    with world.db.read() as session:
        page = queries.in_state(session, world.staff(role), VehicleState.PENDING, 1)
        counts = queries.count_by_state(session, world.staff(role))
    assert len(page.items) == counts[VehicleState.PENDING] == (1 if role in LISTING else 0)


def test_the_county_sees_its_communities_and_a_neighbour_community_nothing(world: World) -> None:
    vehicle_id = registered(world)
    with world.db.read() as session:
        county, autumn = world.staff(Role.WORKER, "county"), world.staff(Role.WORKER, "autumn")
        assert queries.in_state(session, county, VehicleState.PENDING, 1).items
        assert not queries.in_state(session, autumn, VehicleState.PENDING, 1).items
    with pytest.raises(NotFoundError):
        decide(world, vehicle_id, "verify", autumn)
    with pytest.raises(NotFoundError):
        undo(world, vehicle_id, autumn)


@pytest.mark.parametrize("verb", ["verify", "refuse"])
def test_a_decision_is_taken_back_within_the_window(world: World, verb: str) -> None:
    vehicle_id = registered(world)
    decide(world, vehicle_id, verb)
    world.clock.now += UNDO_WINDOW - timedelta(seconds=1)
    undo(world, vehicle_id)
    row = stored(world, vehicle_id)
    assert (row.state, row.decided_at, row.decision_note) == (VehicleState.PENDING, None, "")
    with pytest.raises(ConflictError):
        undo(world, vehicle_id)


@pytest.mark.parametrize("verb", ["verify", "refuse"])
def test_after_the_window_a_decision_stands(world: World, verb: str) -> None:
    vehicle_id = registered(world)
    decide(world, vehicle_id, verb)
    before = stored(world, vehicle_id).state
    world.clock.now += UNDO_WINDOW
    with pytest.raises(ConflictError):
        undo(world, vehicle_id)
    assert stored(world, vehicle_id).state == before


def test_a_refusal_is_not_taken_back_over_a_new_registration_of_the_plate(world: World) -> None:
    first = registered(world)
    decide(world, first, "refuse")
    registered(world)
    with pytest.raises(ConflictError) as caught:
        undo(world, first)
    assert caught.value.code == "place_taken"


def test_a_removed_vehicle_does_not_come_back(world: World) -> None:
    vehicle_id = verified(world)
    remove(world, vehicle_id)
    for act in (undo, remove):
        with pytest.raises(ConflictError):
            act(world, vehicle_id)
    with pytest.raises(ConflictError):
        decide(world, vehicle_id, "verify")


@pytest.mark.parametrize("who", ["neighbour", "outsider"])
def test_others_cannot_remove_or_see_it(world: World, who: str) -> None:
    vehicle_id = registered(world)
    with pytest.raises(NotFoundError):
        remove(world, vehicle_id, who)
    with world.db.read() as session:
        assert not queries.own(session, world.resident(who))
        with pytest.raises(NotFoundError):
            queries.own_one(session, world.resident(who), vehicle_id)


def test_whoever_has_moved_away_gets_nothing_verified(world: World) -> None:
    vehicle_id = registered(world)
    move_out(world, "resident")
    with pytest.raises(ConflictError) as caught:
        decide(world, vehicle_id, "verify")
    assert caught.value.code == "moved_away"


def test_a_barrier_hears_allowed_only_for_a_verified_vehicle_of_who_lives_there(
    world: World,
) -> None:
    assert verdict(world) is Verdict.UNKNOWN
    vehicle_id = registered(world)
    assert verdict(world) is Verdict.UNKNOWN
    decide(world, vehicle_id, "verify")
    assert verdict(world) is Verdict.ALLOWED
    assert verdict(world, "京A12346") is Verdict.UNKNOWN
    assert verdict(world, community="autumn") is Verdict.UNKNOWN
    with world.db.write() as session:
        session.get_one(Resident, world.residents["resident"]).state = ResidentState.REFUSED
    assert verdict(world) is Verdict.UNKNOWN
    approve(world, "resident")
    remove(world, vehicle_id)
    assert verdict(world) is Verdict.UNKNOWN


def test_for_military_armed_police_and_emergency_plates_no_barrier_opens(world: World) -> None:
    row = stored(world, verified(world, MANUAL))
    assert row.by_hand_only
    assert verdict(world, MANUAL) is Verdict.BY_HAND


def test_acts_are_in_the_audit_without_the_plate(world: World) -> None:
    vehicle_id = registered(world)
    with world.db.write() as session:
        operations.reveal(session, world.staff(Role.WORKER), vehicle_id)
    decide(world, vehicle_id, "refuse")
    undo(world, vehicle_id)
    decide(world, vehicle_id, "verify")
    remove(world, vehicle_id)
    with world.db.read() as session:
        entries = session.scalars(select(AuditEntry).order_by(AuditEntry.id)).all()
    assert [entry.action for entry in entries] == [
        f"vehicle.{verb}" for verb in ("register", "unmask", "refuse", "undo", "verify", "remove")
    ]
    assert {entry.region_path for entry in entries} == {world.paths["spring"]}
    assert "12345" not in repr([(entry.actor, entry.object_id, entry.detail) for entry in entries])
