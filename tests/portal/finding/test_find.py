"""Who finds what: by permission and region, masked, audited without the text, with indexes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask import Flask, g
from sqlalchemy import Select, select, update
from sqlalchemy.dialects import sqlite

from portal.core.audit import AuditEntry
from portal.core.permissions import Actor, Grant, Permission, Role
from portal.core.search import Hit, query_of
from portal.features import parts
from portal.finding.operations import find
from portal.regions.search import dwellings_like
from portal.residents.models import Resident
from portal.residents.name_hashes import fill_name_hashes
from portal.residents.search import matching
from portal.visitors import operations as visitors
from portal.visitors.models import Invitation
from portal.visitors.phone_hashes import fill_phone_hashes
from portal.visitors.search import with_phone
from tests.portal.vehicles.parking import verified
from tests.portal.world import START, World


@pytest.fixture(autouse=True)
def request_at_hand(app: Flask) -> Iterator[None]:
    """Hits name addresses."""
    with app.test_request_context():
        g.language = "en"
        yield


def hits(world: World, actor: Actor, text: str) -> list[Hit]:
    query = query_of(text, world.clock())
    assert query is not None
    with world.db.write() as session:
        return [hit for group in find(session, actor, query) for hit in group.hits]


def kinds(world: World, actor: Actor, text: str) -> set[str]:
    return {str(hit.kind) for hit in hits(world, actor, text)}


def invited(world: World) -> None:
    draft = visitors.Draft("周访客", "13900001234", "friends", START, START + timedelta(hours=4))
    with world.db.write() as session:
        visitors.invite(session, world.resident("resident"), draft, world.clock())


def entries(world: World) -> list[AuditEntry]:
    with world.db.read() as session:
        return list(session.scalars(select(AuditEntry).where(AuditEntry.action == "search.find")))


WORKER = Role.WORKER
SAMPLES = {
    "13800000000": ("Residents", Permission.RESIDENT_LIST),
    "E12345670": ("Residents", Permission.RESIDENT_LIST),
    "李小明": ("Residents", Permission.RESIDENT_LIST),
    "京A12345": ("Vehicles", Permission.VEHICLE_LIST),
    "13900001234": ("Invitations", Permission.INVITATION_LIST),
    "thermometer-1": ("Devices", Permission.DEVICE_LIST),
    "南门测温": ("Devices", Permission.DEVICE_LIST),
    "1-1-101": ("Dwellings", Permission.REGION_VIEW),
    "2号楼": ("Buildings", Permission.REGION_VIEW),
}


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("text", SAMPLES)
def test_each_role_finds_what_it_may_list(world: World, role: Role, text: str) -> None:
    verified(world)
    invited(world)
    kind, permission = SAMPLES[text]
    actor = world.staff(role)
    expected = {kind} if actor.paths(permission) else set()
    assert kinds(world, actor, text) == expected


@pytest.mark.parametrize("text", SAMPLES)
def test_nothing_of_another_community_is_found_and_all_of_the_county(
    world: World, text: str
) -> None:
    verified(world)
    invited(world)
    assert not hits(world, world.staff(WORKER, "autumn"), text)
    assert hits(world, world.staff(WORKER, "county"), text)


def test_a_permission_on_one_region_does_not_reach_another(world: World) -> None:
    """Two grants: residents in autumn only, devices in spring only."""
    mixed = Actor(
        "user:mixed",
        user_id=1,
        grants=(
            Grant(world.paths["autumn"], frozenset({Permission.RESIDENT_LIST})),
            Grant(world.paths["spring"], frozenset({Permission.DEVICE_LIST})),
        ),
    )
    assert not hits(world, mixed, "李小明")
    assert kinds(world, mixed, "孙悦") == {"Residents"}
    assert kinds(world, mixed, "南门测温") == {"Devices"}


@pytest.mark.parametrize(
    "text",
    [
        "1380000000",
        "380000000",
        "李",
        "李小",
        "小明",
        "E1234567",
        "京A1234",
        "A12345",
        "%",
        "_",
        "*",
    ],
)
def test_a_part_of_a_name_or_number_finds_nobody(world: World, text: str) -> None:
    verified(world)
    assert not hits(world, world.staff(WORKER), text)


def test_hits_are_masked_and_lead_to_their_pages(world: World) -> None:
    verified(world)
    invited(world)
    found = [hit for text in SAMPLES for hit in hits(world, world.staff(WORKER), text)]
    said = repr([(hit.title, str(hit.about)) for hit in found])
    for secret in ("李小明", "13800000000", "12345", "周访客", "13900001234", "E12345670"):
        assert secret not in said
    assert {hit.href.rsplit("/", 1)[0] for hit in found} == {
        "/work/residents",
        "/work/vehicles",
        "/work/visitors",
        "/work/devices",
        "/work/dwellings",
        "/work/buildings",
    }


def test_exact_hits_stand_first(world: World) -> None:
    found = hits(world, world.staff(WORKER), "main-1")
    assert [hit.exact for hit in found] == [True]
    mixed = hits(world, world.staff(WORKER, "county"), "南门门锁")
    assert mixed[0].exact
    assert not hits(world, world.staff(WORKER), "101")[0].exact


def test_a_search_for_a_person_is_audited_without_what_was_typed(world: World) -> None:
    verified(world)
    for text in ("李小明", "13800000000", "没有这人", "京A12345", "南门测温", "1-1-101"):
        hits(world, world.staff(WORKER), text)
    found = entries(world)
    details = [(entry.detail["keys"], entry.detail["hits"]) for entry in found]
    assert details == [(["name"], 1), (["phone"], 1), (["name"], 0), (["plate"], 1), (["name"], 1)]
    assert {entry.region_path for entry in found} == {world.paths["spring"]}
    said = repr([(e.actor, e.object_type, e.object_id, e.detail) for e in found])
    for text in ("李小明", "138", "没有", "12345", "南门"):
        assert text not in said


def test_a_name_that_changes_is_found_by_the_new_one_only(world: World) -> None:
    with world.db.write() as session:
        session.get_one(Resident, world.residents["resident"]).name = "李大明"
    assert hits(world, world.staff(WORKER), "李大明")
    assert not hits(world, world.staff(WORKER), "李小明")


def test_what_releases_before_wrote_is_found_after_the_worker_has_been_there(
    world: World,
) -> None:
    invited(world)
    with world.db.write() as session:
        session.execute(update(Resident).values(name_hash=None))
        session.execute(update(Invitation).values(visitor_phone_hash=None))
    assert not hits(world, world.staff(WORKER), "李小明")
    with world.db.write() as session:
        assert fill_name_hashes(session, limit=3) == 3
        assert fill_name_hashes(session) == 2
        assert fill_name_hashes(session) == 0
        assert fill_phone_hashes(session) == 1
        assert fill_phone_hashes(session) == 0
    assert hits(world, world.staff(WORKER), "李小明")
    assert hits(world, world.staff(WORKER), "13900001234")


def test_every_feature_that_shows_people_takes_part() -> None:
    offered = {part.__name__.split(".")[1] for part in parts("search")}
    assert offered >= {"regions", "residents", "visitors", "vehicles", "devices"}


def plan(world: World, statement: Select[tuple[object]]) -> str:
    compiled = statement.compile(
        dialect=sqlite.dialect(), compile_kwargs={"render_postcompile": True}
    )
    with world.db.engine.connect() as connection:
        rows = connection.exec_driver_sql(
            f"EXPLAIN QUERY PLAN {compiled}",
            tuple(compiled.params[n] for n in compiled.positiontup),
        )
        return "\n".join(row.detail for row in rows)


@pytest.mark.parametrize(
    ("text", "index"),
    [
        ("13800000000", "ix_residents_find_phone"),
        ("E12345670", "ix_residents_document"),
        ("李小明", "ix_residents_name"),
    ],
)
def test_residents_are_found_by_an_index(world: World, text: str, index: str) -> None:
    query = query_of(text, world.clock())
    assert query is not None
    statement = matching(query)
    assert statement is not None
    said = plan(world, statement)
    assert index in said
    assert "SCAN" not in said


def test_dwellings_invitations_and_vehicles_are_found_by_an_index(world: World) -> None:
    worker = world.staff(WORKER)
    query = query_of("1-1-101", world.clock())
    assert query is not None
    assert query.door is not None
    said = plan(world, dwellings_like(worker, query.door))
    assert "SCAN dwellings" not in said
    assert "SCAN buildings" not in said
    assert "ix_invitations_phone" in plan(world, with_phone("13900001234"))
