"""Invitations in a browser: the resident's pages, the queue of staff, the visitor's link."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from portal.core import limits
from portal.core.permissions import Role
from portal.passes.models import Pass
from portal.visitors import operations, queries
from portal.visitors.models import Invitation
from portal.visitors.settings import Limits
from tests.portal.village import People
from tests.portal.world import START, World

FORM = {
    "visitor_name": "周访客",
    "visitor_phone": "13900001234",
    "purpose": "friends",
    "valid_from": "2026-03-02T16:00",
    "valid_until": "2026-03-02T20:00",
}


def invited(world: World) -> Invitation:
    draft = operations.Draft("周访客", "13900001234", "friends", START, START + timedelta(hours=4))
    with world.db.write() as session:
        row = operations.invite(session, world.resident("resident"), draft, world.clock())
        return queries.own_one(session, world.resident("resident"), row.id)


def approved(world: World) -> Invitation:
    row = invited(world)
    with world.db.write() as session:
        operations.approve(session, world.staff(Role.WORKER), row.id, "", world.clock())
    return stored(world, row.id)


def stored(world: World, invitation_id: int) -> Invitation:
    with world.db.read() as session:
        return queries.own_one(session, world.resident("resident"), invitation_id)


def test_from_invitation_to_pass(world: World, people: People) -> None:
    resident, worker, visitor = people.client("resident"), people.client("worker"), people.client()
    answer = resident.post("/visitors/new", data=FORM)
    assert answer.status_code == 302
    page = resident.get(answer.location).text
    assert "周访客" in page
    link = re.search(r"http://linli\.test(/v/[\w-]{43})", page)
    assert link is not None
    assert "Waiting for approval" in visitor.get(link[1]).text

    assert (
        "周**" in worker.get("/work/visitors").text or "周*客" in worker.get("/work/visitors").text
    )
    invitation_id = int(answer.location.rsplit("/", 1)[1])
    assert (
        worker.post(f"/work/visitors/{invitation_id}/approve", data={"note": ""}).status_code == 302
    )
    shown = visitor.get(link[1]).text
    assert '<svg class="qr-image"' in shown.replace("'", '"') or "qr-image" in shown
    assert "周访客" not in shown
    assert "13900001234" not in shown

    with world.db.write() as session:
        entry = session.get_one(Pass, stored(world, invitation_id).pass_id)
        entry.uses = 1
    after = visitor.get(link[1]).text
    assert "qr-image" not in after
    assert "The door has been opened with this pass" in after


def test_the_times_entered_are_those_of_the_community(world: World, people: People) -> None:
    location = people.client("resident").post("/visitors/new", data=FORM).location
    row = stored(world, int(location.rsplit("/", 1)[1]))
    assert (row.valid_from, row.valid_until) == (START, START + timedelta(hours=4))


NONSENSE: list[tuple[str, str]] = [
    ("visitor_name", ""),
    ("visitor_name", "\x00\x01"),
    ("visitor_name", "王" * 500),
    ("visitor_phone", "not a phone"),
    ("visitor_phone", "1" * 300),
    ("purpose", "'; DROP TABLE passes; --"),
    ("valid_from", "yesterday"),
    ("valid_from", ""),
    ("valid_from", "9999-99-99T99:99"),
    ("valid_from", "0001-01-01T00:00"),
    ("valid_until", "<script>"),
    ("valid_until", "9999-12-31T23:59"),
]


@pytest.mark.parametrize(("field", "value"), NONSENSE)
def test_nonsense_gets_a_sentence_beside_its_field_and_nothing_is_lost(
    world: World, people: People, field: str, value: str
) -> None:
    answer = people.client("resident").post("/visitors/new", data={**FORM, field: value})
    assert answer.status_code == 422
    assert f'id="{field}-error"' in answer.text
    for name, kept in FORM.items():
        if name == field:
            continue
        if name == "purpose":
            assert f'selected value="{kept}"' in answer.text
        else:
            assert f'value="{kept}"' in answer.text
    with world.db.read() as session:
        assert not queries.own(session, world.resident("resident"))


def test_a_missing_field_is_a_sentence_too(people: People) -> None:
    answer = people.client("resident").post("/visitors/new", data={})
    assert answer.status_code == 422
    for field in FORM:
        assert f'id="{field}-error"' in answer.text


def test_a_markup_in_a_name_stays_text(world: World, people: People) -> None:
    client = people.client("resident")
    answer = client.post("/visitors/new", data={**FORM, "visitor_name": "<b>周</b>"})
    assert "<b>周</b>" not in client.get(answer.location).text


@pytest.mark.parametrize("who", ["pending", "refused"])
def test_residents_not_approved_are_told_why(people: People, who: str) -> None:
    client = people.client(who)
    for method in (client.get, client.post):
        answer = method("/visitors/new")
        assert answer.status_code == 403
        assert "has to be approved first" in answer.text
    assert "has to be approved first" in client.get("/visitors").text


def test_the_eleventh_open_invitation_is_refused_with_a_sentence(
    world: World, people: People
) -> None:
    for _ in range(Limits().most_open):
        invited(world)
    answer = people.client("resident").post("/visitors/new", data=FORM)
    assert answer.status_code == 422
    assert "You have 10 open invitations" in answer.text


@pytest.mark.parametrize("who", ["neighbour", "outsider", "worker", None])
def test_a_resident_s_invitation_is_nobody_else_s(
    world: World, people: People, who: str | None
) -> None:
    row = invited(world)
    client = people.client(who)
    expected = {"worker": 403, None: 302}.get(who, 404)
    assert client.get(f"/visitors/{row.id}").status_code == expected
    assert client.post(f"/visitors/{row.id}/cancel").status_code == expected
    assert stored(world, row.id).state == "pending"


def test_cancelling_closes_the_link_at_once(world: World, people: People) -> None:
    row = approved(world)
    client = people.client("resident")
    answer = client.post(f"/visitors/{row.id}/cancel", follow_redirects=True)
    assert "opens nothing any more" in answer.text
    page = people.client().get(f"/v/{row.link_token}")
    assert "taken back" in page.text
    assert "qr-image" not in page.text
    again = client.post(f"/visitors/{row.id}/cancel", follow_redirects=True)
    assert "closed already" in again.text


LISTING = {Role.WORKER, Role.GATEKEEPER, Role.MANAGER, Role.SUPERVISOR}
EVERYBODY = [*(str(role) for role in Role), "far_worker", "resident", None]


def _expected(who: str | None, allowed: set[Role], *, one: bool) -> int:
    if who is None:
        return 302
    if who == "far_worker":
        return 404 if one else 200
    if who in set(Role):
        return 200 if Role(who) in allowed else 403
    return 403


@pytest.mark.parametrize("who", EVERYBODY)
def test_who_may_open_which_page(world: World, people: People, who: str | None) -> None:
    row = invited(world)
    client = people.client(who)
    assert client.get("/work/visitors").status_code == _expected(who, LISTING, one=False)
    page = client.get(f"/work/visitors/{row.id}")
    assert page.status_code == _expected(who, LISTING, one=True)
    if page.status_code == 200:
        assert ("/approve" in page.text) == (who == "worker")


@pytest.mark.parametrize("verb", ["approve", "refuse"])
@pytest.mark.parametrize("who", EVERYBODY)
def test_who_may_decide(world: World, people: People, who: str | None, verb: str) -> None:
    row = invited(world)
    answer = people.client(who).post(f"/work/visitors/{row.id}/{verb}", data={"note": "x"})
    if who == "worker":
        assert answer.status_code == 302
        assert stored(world, row.id).state != "pending"
        return
    expected = _expected(who, {Role.WORKER}, one=True)
    assert answer.status_code == expected
    assert stored(world, row.id).state == "pending"


def test_a_refusal_without_a_note_is_asked_for_one_and_keeps_the_text(
    world: World, people: People
) -> None:
    row = invited(world)
    client = people.client("worker")
    empty = client.post(f"/work/visitors/{row.id}/refuse", data={"note": ""})
    assert empty.status_code == 422
    assert 'id="note-error"' in empty.text
    long = client.post(f"/work/visitors/{row.id}/approve", data={"note": "长" * 201})
    assert long.status_code == 422
    assert "长" * 201 in long.text
    client.post(f"/work/visitors/{row.id}/refuse", data={"note": "请先登记"})
    assert "请先登记" in people.client("resident").get(f"/visitors/{row.id}").text


def test_who_decides_second_is_told(world: World, people: People) -> None:
    row = invited(world)
    people.client("worker").post(f"/work/visitors/{row.id}/approve", data={"note": ""})
    late = people.client("worker").post(
        f"/work/visitors/{row.id}/refuse", data={"note": "no"}, follow_redirects=True
    )
    assert "decided or cancelled in the meantime" in late.text
    assert stored(world, row.id).state == "approved"


def test_the_queue_of_another_community_is_empty(world: World, people: People) -> None:
    invited(world)
    assert "No invitation is waiting" in people.client("far_worker").get("/work/visitors").text


def test_closed_invitations_are_on_their_own_tab(world: World, people: People) -> None:
    row = approved(world)
    client = people.client("worker")
    assert f"/work/visitors/{row.id}" not in client.get("/work/visitors").text
    assert f"/work/visitors/{row.id}" in client.get("/work/visitors?show=closed").text
    assert client.get("/work/visitors?show=closed&before=nonsense").status_code == 200
    assert client.get("/work/visitors?show=closed&before=" + "9" * 40).status_code == 200


def test_the_link_page_is_neither_kept_nor_indexed_nor_told_on(
    world: World, people: People
) -> None:
    row = approved(world)
    for path in (f"/v/{row.link_token}", f"/v/{row.link_token}/state"):
        answer = people.client().get(path)
        assert answer.status_code == 200
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["X-Robots-Tag"] == "noindex, nofollow"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert "LL1:" not in answer.text


@pytest.mark.parametrize("token", ["x", "A" * 43, "%00" * 43, "A" * 5000, "../" * 14])
def test_an_unknown_link_is_not_found(people: People, world: World, token: str) -> None:
    assert people.client().get(f"/v/{token}").status_code == 404


def test_a_code_appears_when_the_time_has_come(world: World, people: People) -> None:
    draft = operations.Draft(
        "周访客", "13900001234", "friends", START + timedelta(hours=1), START + timedelta(hours=2)
    )
    with world.db.write() as session:
        row = operations.invite(session, world.resident("resident"), draft, world.clock())
        operations.approve(session, world.staff(Role.WORKER), row.id, "", world.clock())
    client = people.client()
    before = client.get(f"/v/{row.link_token}").text
    assert "qr-image" not in before
    assert "The code appears here from" in before
    seen = "approved-not"
    assert client.get(f"/v/{row.link_token}/state?seen={seen}").status_code == 204
    world.clock.forward(hours=1)
    fresh = client.get(f"/v/{row.link_token}/state?seen={seen}")
    assert fresh.status_code == 200
    assert "qr-image" in fresh.text
    world.clock.forward(hours=1)
    over = client.get(f"/v/{row.link_token}/state?seen=approved-now")
    assert "The time is over" in over.text
    assert "data-poll" not in over.text


def test_guessing_links_is_slowed_down(world: World, people: People) -> None:
    limits.limiter.enabled = True
    limits.limiter.reset()
    client = people.client()
    answers = [client.get("/v/" + "A" * 43).status_code for _ in range(61)]
    assert answers[:60] == [404] * 60
    assert answers[60] == 429
