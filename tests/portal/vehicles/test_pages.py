"""Vehicles in a browser: the resident's pages, the lists of staff, and what the workbench gets."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import select

from portal.core.audit import AuditEntry
from portal.core.errors import DomainError
from portal.core.permissions import Role
from portal.vehicles import home_cards
from portal.vehicles.models import Vehicle, VehicleState
from portal.vehicles.work import SOURCES
from tests.portal.vehicles.parking import MANUAL, decide, registered, stored, verified
from tests.portal.village import People
from tests.portal.world import World

FORM = {"plate": "京A·12345", "kind": "car", "belongs": "own", "brand": "大众", "colour": "white"}
SOURCE = SOURCES[0]


def test_from_registration_to_verified_and_removed(world: World, people: People) -> None:
    resident, worker = people.client("resident"), people.client("worker")
    assert "No vehicles yet" in resident.get("/vehicles").text
    assert resident.post("/vehicles/new", data=FORM).status_code == 303
    mine = resident.get("/vehicles").text
    assert "京A·12345" in mine
    assert "Waiting" in mine

    queue = worker.get("/work/vehicles").text
    assert "京A·1**45" in queue
    assert "12345" not in queue
    address = re.search(r'href="(/work/vehicles/\d+)"', queue)
    assert address is not None
    assert "12345" not in worker.get(address[1]).text
    assert worker.post(f"{address[1]}/verify", data={"note": ""}).status_code == 303
    assert "The vehicle is verified." in worker.get(address[1]).text

    one = re.search(r'href="(/vehicles/\d+)"', resident.get("/vehicles").text)
    assert one is not None
    assert "Verified" in resident.get(one[1]).text
    assert resident.post(f"{one[1]}/remove").status_code == 303
    assert "京A·12345" not in resident.get("/vehicles").text


def test_the_whole_plate_is_shown_after_it_is_in_the_audit(world: World, people: People) -> None:
    vehicle_id = registered(world)
    page = people.client("worker").post(f"/work/vehicles/{vehicle_id}/unmask").text
    assert "京A·12345" in page
    assert "This look has been written down." in page
    with world.db.read() as session:
        entries = session.scalars(
            select(AuditEntry).where(AuditEntry.action == "vehicle.unmask")
        ).all()
    assert [entry.object_id for entry in entries] == [str(vehicle_id)]


NONSENSE = [
    ("plate", ""),
    ("plate", "not a plate"),
    ("plate", "京" * 300),
    ("plate", "<script>"),
    ("kind", "'; DROP TABLE vehicles; --"),
    ("belongs", "everybody"),
    ("brand", "x" * 500),
    ("colour", "\x00"),
]


@pytest.mark.parametrize(("field", "value"), NONSENSE)
def test_nonsense_gets_a_sentence_beside_its_field_and_nothing_is_lost(
    people: People, field: str, value: str
) -> None:
    answer = people.client("resident").post("/vehicles/new", data={**FORM, field: value})
    assert answer.status_code == 422
    assert f'id="{field}-error"' in answer.text
    if field != "brand":
        assert 'value="大众"' in answer.text


def test_a_full_dwelling_and_a_known_plate_are_told(world: World, people: People) -> None:
    resident = people.client("resident", "zh_Hans_CN")
    registered(world)
    answer = resident.post("/vehicles/new", data=FORM)
    assert answer.status_code == 422
    assert "您家已登记过这个车牌。" in answer.text
    for n in range(3):
        registered(world, f"京A0000{n}")
    answer = resident.post("/vehicles/new", data={**FORM, "plate": "京A99999"})
    assert answer.status_code == 422
    assert "请先移除一辆" in answer.text


def test_whoever_waits_is_told_why_they_cannot_register(people: People) -> None:
    waiting = people.client("pending")
    assert "You cannot register vehicles yet" in waiting.get("/vehicles").text
    assert waiting.get("/vehicles/new").status_code == 403
    assert waiting.post("/vehicles/new", data=FORM).status_code == 403


def test_a_refusal_without_a_sentence_comes_back_with_one(world: World, people: People) -> None:
    vehicle_id = registered(world)
    worker = people.client("worker")
    answer = worker.post(f"/work/vehicles/{vehicle_id}/refuse", data={"note": ""})
    assert answer.status_code == 422
    assert 'id="note-error"' in answer.text
    worker.post(f"/work/vehicles/{vehicle_id}/refuse", data={"note": "请带行驶证"})
    assert "请带行驶证" in people.client("resident").get(f"/vehicles/{vehicle_id}").text


def test_a_decision_is_taken_back_on_the_page(world: World, people: People) -> None:
    vehicle_id = verified(world)
    worker = people.client("worker")
    assert "Take the decision back" in worker.get(f"/work/vehicles/{vehicle_id}").text
    worker.post(f"/work/vehicles/{vehicle_id}/undo")
    assert stored(world, vehicle_id).state == VehicleState.PENDING
    decide(world, vehicle_id, "verify")
    world.clock.forward(minutes=11)
    assert "Take the decision back" not in worker.get(f"/work/vehicles/{vehicle_id}").text
    late = worker.post(f"/work/vehicles/{vehicle_id}/undo", follow_redirects=True).text
    assert "This can no longer be taken back." in late


def test_the_second_dwelling_with_a_plate_is_pointed_out(world: World, people: People) -> None:
    verified(world)
    second = registered(world, who="neighbour")
    worker = people.client("worker")
    assert "verified for another dwelling already" in worker.get(f"/work/vehicles/{second}").text
    answer = worker.post(f"/work/vehicles/{second}/verify", follow_redirects=True)
    assert "Ask there whether the vehicle has been sold" in answer.text


def test_a_plate_for_which_somebody_opens_by_hand_says_so(world: World, people: People) -> None:
    vehicle_id = verified(world, MANUAL)
    words = "no barrier opens by itself"
    assert words in people.client("worker").get(f"/work/vehicles/{vehicle_id}").text
    assert words in people.client("resident").get(f"/vehicles/{vehicle_id}").text


STATUS = {
    None: (302, 302, 302),
    "resident": (403, 403, 200),
    "neighbour": (403, 403, 404),
    "worker": (200, 200, 403),
    "gatekeeper": (200, 200, 403),
    "manager": (200, 200, 403),
    "supervisor": (200, 200, 403),
    "health_worker": (403, 403, 403),
    "audit_admin": (403, 403, 403),
    "far_worker": (200, 404, 403),
}


@pytest.mark.parametrize("who", STATUS)
def test_who_opens_which_page(world: World, people: People, who: str | None) -> None:
    vehicle_id = registered(world)
    client = people.client(who)
    paths = ("/work/vehicles", f"/work/vehicles/{vehicle_id}", f"/vehicles/{vehicle_id}")
    assert tuple(client.get(path).status_code for path in paths) == STATUS[who]
    if who != "worker":
        for verb in ("verify", "refuse", "unmask", "undo"):
            answer = client.post(f"/work/vehicles/{vehicle_id}/{verb}", data={"note": "x"})
            assert answer.status_code in (302, 403, 404)
        assert stored(world, vehicle_id).state == VehicleState.PENDING


def test_a_gatekeeper_sees_no_button_to_decide(world: World, people: People) -> None:
    page = people.client("gatekeeper").get(f"/work/vehicles/{registered(world)}").text
    assert "Your role may see vehicles, but not decide on them." in page
    assert "Show the whole plate" not in page


def test_the_workbench_gets_masked_items_and_decides_by_the_same_rules(
    world: World, people: People
) -> None:
    vehicle_id = registered(world)
    worker, now = world.staff(Role.WORKER), world.clock()
    with people.app.test_request_context(), world.db.write() as session:
        (item,) = SOURCE.waiting(session, worker, now, 10)
        detail = SOURCE.detail(session, worker, item.id, now)
        assert SOURCE.count(session, worker, now) == 1
        assert SOURCE.count(session, world.staff(Role.WORKER, "autumn"), now) == 0
        assert [choice.value for choice in detail.choices] == ["verify", "refuse"]
        assert not SOURCE.detail(session, world.staff(Role.GATEKEEPER), item.id, now).choices
        assert "12345" not in repr((item, detail))
        with pytest.raises(DomainError):
            SOURCE.decide(session, worker, item.id, "sell", "", now)
        SOURCE.decide(session, worker, item.id, "verify", "", now)
        assert not SOURCE.waiting(session, worker, now, 10)
        SOURCE.undo(session, worker, item.id, now)
        assert session.get_one(Vehicle, vehicle_id).state == VehicleState.PENDING


def test_home_says_when_a_vehicle_was_refused(world: World, people: People) -> None:
    vehicle_id = registered(world)
    with people.app.test_request_context():
        with world.db.read() as session:
            (card,) = home_cards.cards(session, world.resident("resident"), world.clock())
            assert not home_cards.cards(session, world.resident("pending"), world.clock())
        decide(world, vehicle_id, "refuse")
        with world.db.read() as session:
            (refused,) = home_cards.cards(session, world.resident("resident"), world.clock())
    assert refused.rank < card.rank
    assert (card.figure, card.href) == (1, "/vehicles")
