"""The workbench in a browser without scripts: who sees what, every button, every refusal in words."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from portal.access.models import Outcome, Passage
from portal.core.permissions import Role
from portal.devices.models import DeviceFault
from portal.residents.models import Resident, ResidentState
from portal.visitors import operations as visitors
from portal.visitors.models import Invitation
from portal.workbench.models import WorkDecision
from tests.portal.village import People
from tests.portal.world import START, World


def lay_out_work(world: World) -> dict[str, int]:
    """One item of each kind in spring; ids by kind."""
    draft = visitors.Draft("周访客", "13900001234", "friends", START, START + timedelta(hours=4))
    with world.db.write() as session:
        invitation = visitors.invite(session, world.resident("resident"), draft, START)
        fault = DeviceFault(
            device_id=world.devices["main"],
            community_id=world.regions["spring"],
            kind="forced",
            since=START - timedelta(minutes=5),
        )
        passage = Passage(
            event_id="event-0001",
            device_id=world.devices["main"],
            gate_id=world.gates["main"],
            community_id=world.regions["spring"],
            direction="in",
            scanned_at=START,
            decided_at=START,
            outcome=Outcome.REFUSE,
            reason="bad_signature",
        )
        session.add_all([fault, passage])
        session.flush()
        return {
            "residents.registration": world.residents["pending"],
            "visitors.invitation": invitation.id,
            "access.refusal": passage.id,
            "devices.fault": fault.id,
        }


def keys(text: str) -> list[str]:
    return re.findall(r'<li[^>]* data-key="([^"]+)"', text)


def badge(text: str) -> str:
    found = re.search(r'<span class="count"( hidden)?><span data-number>([\d,]+)<', text)
    return found[2] if found and not found[1] else ""


SEEN: dict[str, set[str]] = {
    "worker": {"residents.registration", "visitors.invitation", "access.refusal", "devices.fault"},
    "manager": {"access.refusal", "devices.fault"},
    "supervisor": {"access.refusal", "devices.fault"},
    "far_worker": set(),
}


@pytest.mark.parametrize("who", [*map(str, Role), "far_worker"])
def test_who_sees_what(world: World, people: People, who: str) -> None:
    ids = lay_out_work(world)
    client = people.client(who)
    page = client.get("/work")
    assert page.status_code == 200
    seen = SEEN.get(who, set())
    assert {key.partition(":")[0] for key in keys(page.text)} == seen
    assert badge(page.text) == (str(len(seen)) if seen else "")
    for kind, item_id in ids.items():
        answer = client.get(f"/work/items/{kind}/{item_id}")
        expected = 200 if kind in seen else 404 if who == "far_worker" else 403
        assert answer.status_code == expected, kind


@pytest.mark.parametrize("who", [None, "resident", "outsider"])
def test_who_is_no_staff_gets_nothing(world: World, people: People, who: str | None) -> None:
    ids = lay_out_work(world)
    client = people.client(who)
    expected = 302 if who is None else 403
    for path in ("/work", "/work/list", "/work/events", "/work/batch"):
        assert client.get(path).status_code == expected, path
    for kind, item_id in ids.items():
        for verb in ("claim", "decision"):
            assert client.post(f"/work/items/{kind}/{item_id}/{verb}").status_code == expected


def test_roles_without_a_queue_keep_their_pages(people: People) -> None:
    support = people.client("support").get("/work").text
    assert "Nothing waits for your role" in support
    assert 'class="tile" href="/work/devices"' in support
    assert 'class="tile"' not in people.client("audit_admin").get("/work").text
    assert 'class="tile" href="/work/communities"' in people.client("worker").get("/work").text


def test_those_in_need_come_first_then_who_waits_longest(world: World, people: People) -> None:
    lay_out_work(world)
    with world.db.write() as session:
        row = session.get_one(Resident, world.residents["pending"])
        row.registered_at = START - timedelta(days=2)
    kinds = [key.partition(":")[0] for key in keys(people.client("worker").get("/work").text)]
    assert kinds[:2] == ["devices.fault", "residents.registration"]


def test_filters(world: World, people: People) -> None:
    ids = lay_out_work(world)
    client, other = people.client("worker"), people.client("manager")
    fault, refusal = ids["devices.fault"], ids["access.refusal"]
    client.post(f"/work/items/devices.fault/{fault}/claim")
    other.post(f"/work/items/access.refusal/{refusal}/claim")
    for query, expected in (
        ("only=access.refusal", {"access.refusal"}),
        ("only=nonsense&whose=nonsense", set(ids)),
        ("whose=mine", {"devices.fault"}),
        ("whose=free", {"residents.registration", "visitors.invitation"}),
    ):
        for path in ("/work", "/work/list", f"/work/items/devices.fault/{fault}"):
            text = client.get(f"{path}?{query}").text
            assert {key.partition(":")[0] for key in keys(text)} == expected, (path, query)
    listed = client.get("/work").text
    assert "With you" in listed
    assert "With manager" in listed


def test_decide_and_go_on_and_take_back(world: World, people: People) -> None:
    lay_out_work(world)
    client = people.client("worker")
    item = world.residents["pending"]
    answer = client.post(
        f"/work/items/residents.registration/{item}/decision?only=residents.registration",
        data={"choice": "approve", "note": ""},
    )
    assert (answer.status_code, answer.location) == (303, "/work?only=residents.registration")
    page = client.get(answer.location).text
    assert "data-toast-here" in page
    assert "This registration is approved." in page
    assert "data-toast-here" not in client.get(answer.location).text
    undo = re.search(r'action="(/work/decisions/\d+/undo)[^"]*"', page)
    assert undo is not None
    back = client.post(undo[1])
    assert back.location == f"/work/items/residents.registration/{item}"
    assert "Taken back. It waits again." in client.get(back.location).text
    with world.db.read() as session:
        assert session.get_one(Resident, item).state == ResidentState.PENDING
    again = client.post(undo[1])
    assert "taken back already" in client.get(again.location).text


def test_after_a_decision_the_next_item_is_open(world: World, people: People) -> None:
    ids = lay_out_work(world)
    client = people.client("worker")
    order = keys(client.get("/work").text)
    assert order[0] == f"devices.fault:{ids['devices.fault']}"
    answer = client.post(
        f"/work/items/devices.fault/{ids['devices.fault']}/decision", data={"choice": "resolve"}
    )
    assert answer.location == "/work/items/" + order[1].replace(":", "/")


def test_a_missing_note_is_said_beside_the_box_and_nothing_is_lost(
    world: World, people: People
) -> None:
    address = f"/work/items/residents.registration/{world.residents['pending']}/decision"
    client = people.client("worker")
    answer = client.post(address, data={"choice": "refuse", "note": " "})
    assert answer.status_code == 422
    assert 'id="note-error"' in answer.text
    assert "Write one sentence that says why." in answer.text
    long = "长" * 201
    answer = client.post(address, data={"choice": "refuse", "note": long})
    assert answer.status_code == 422
    assert long in answer.text
    assert client.post(address, data={"choice": "nonsense"}).status_code == 422
    assert client.post(address).status_code == 422
    chinese = people.client("worker", "zh_Hans_CN").post(address, data={"choice": "refuse"})
    assert "请写一句话说明原因" in chinese.text


def test_who_comes_second_reads_why(world: World, people: People) -> None:
    item = world.residents["pending"]
    address = f"/work/items/residents.registration/{item}"
    one, two = people.client("worker"), people.client("worker")
    assert one.post(f"{address}/decision", data={"choice": "approve"}).status_code == 303
    answer = two.post(f"{address}/decision", data={"choice": "refuse", "note": "x"})
    assert answer.location == address
    page = two.get(answer.location).text
    assert "Somebody else has decided" in page
    assert "There is nothing to decide here any more." in page
    assert 'name="choice"' not in page


def test_what_somebody_else_has_taken_can_be_looked_at_and_taken_over_by_managers(
    world: World, people: People
) -> None:
    ids = lay_out_work(world)
    address = f"/work/items/access.refusal/{ids['access.refusal']}"
    worker, manager = people.client("worker"), people.client("manager")
    manager.post(f"{address}/claim")
    page = worker.get(address).text
    assert "manager is at it until 16:15." in page
    assert 'name="choice"' not in page
    assert "/takeover" not in page
    assert worker.post(f"{address}/takeover").status_code == 403
    late = worker.post(f"{address}/claim")
    assert "manager is at it." in worker.get(late.location).text
    manager.post(f"{address}/release")
    worker.post(f"{address}/claim")
    assert f"{address}/takeover" in manager.get(address).text
    manager.post(f"{address}/takeover")
    assert "Leave it to others" in manager.get(address).text


def batch(client: FlaskClient, *items: str) -> str:
    query = "&".join(f"item={item}" for item in items)
    return client.get(f"/work/batch?{query}", follow_redirects=True).text


def test_several_of_one_kind_are_decided_with_one_confirmation(
    world: World, people: People
) -> None:
    ids = lay_out_work(world)
    draft = visitors.Draft("钱访客", "13900005678", "family", START, START + timedelta(hours=1))
    with world.db.write() as session:
        second = visitors.invite(session, world.resident("neighbour"), draft, START).id
    client = people.client("worker")
    items = [f"visitors.invitation:{i}" for i in (ids["visitors.invitation"], second)]
    page = batch(client, *items)
    assert page.count('type="hidden" name="item"') == 2
    assert "Approve: all of these" in page
    assert "周访客" not in page
    people.client("worker").post(
        f"/work/items/visitors.invitation/{second}/decision", data={"choice": "approve"}
    )
    results = client.post("/work/batch", data={"item": items}).text
    assert "Done: 1. Not done: 1." in results
    assert results.count('chip good">Done') == 1
    assert "decided" in results
    with world.db.read() as session:
        states = set(session.scalars(select(Invitation.state)))
        assert states == {"approved"}
        assert len(session.scalars(select(WorkDecision)).all()) == 2


def test_a_batch_of_nonsense_is_refused_in_words(world: World, people: People) -> None:
    ids = lay_out_work(world)
    client = people.client("worker")
    mixed = [f"{kind}:{number}" for kind, number in ids.items()]
    assert "Tick what you want to decide together." in batch(client)
    assert "Tick what you want to decide together." in batch(client, "nonsense", "x:y")
    assert "Only things of one kind" in batch(client, *mixed)
    assert "one by one" in batch(client, f"devices.fault:{ids['devices.fault']}")
    assert "at most 50" in batch(client, *(f"devices.fault:{n}" for n in range(51)))
    assert client.get("/work/batch?item=made.up:1").status_code == 404
    assert client.post("/work/batch", data={"item": mixed}).status_code == 422
    far = people.client("far_worker")
    assert far.post("/work/batch", data={"item": mixed[:1]}).status_code == 404


def test_nonsense_in_addresses_is_not_found(world: World, people: People) -> None:
    client = people.client("worker")
    for path in ("made.up/1", "residents.registration/999999", "access.refusal/999999"):
        assert client.get(f"/work/items/{path}").status_code == 404
        assert client.post(f"/work/items/{path}/claim").status_code == 404
    assert client.post("/work/decisions/999999/undo").status_code == 404
    assert client.get("/work/items/residents.registration/" + "9" * 30).status_code == 404


def test_a_passage_that_was_let_through_is_no_refusal(world: World, people: People) -> None:
    ids = lay_out_work(world)
    with world.db.write() as session:
        session.get_one(Passage, ids["access.refusal"]).outcome = Outcome.ALLOW
    client = people.client("worker")
    assert client.get(f"/work/items/access.refusal/{ids['access.refusal']}").status_code == 404
