"""The log of passages in a browser: who sees it, what it says, how it stays up to date."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

import pytest

from portal.access.models import Passage
from portal.core.permissions import Role
from tests.portal.village import People
from tests.portal.world import World

LISTING = {Role.WORKER, Role.GATEKEEPER, Role.MANAGER, Role.SUPERVISOR}


def passed(world: World, gate: str = "main", **values: Any) -> int:
    with world.db.write() as session:
        now: datetime = values.pop("at", world.clock())
        row = Passage(
            event_id=values.pop(
                "event_id", f"event-{gate}-{now.timestamp()}-{len(values)}-{_next()}"
            ),
            device_id=world.devices[gate],
            gate_id=world.gates[gate],
            community_id=world.regions["autumn" if gate == "far" else "spring"],
            direction="in",
            scanned_at=now,
            decided_at=now,
            outcome=values.pop("outcome", "allow"),
            reason=values.pop("reason", "ok"),
            **values,
        )
        session.add(row)
        session.flush()
        return row.id


_count = [0]


def _next() -> int:
    _count[0] += 1
    return _count[0]


def ids(html: str) -> list[int]:
    return [int(n) for n in re.findall(r'<tr id="passage-(\d+)"', html)]


def test_the_log_says_gate_outcome_reason_dwelling_temperature_and_answer(
    world: World, people: People
) -> None:
    passed(
        world,
        dwelling_id=world.dwellings["101"],
        resident_id=world.residents["resident"],
        pass_kind="resident",
        body_temperature=36.54,
        transaction="t" * 32,
        opened_at=world.clock() + timedelta(milliseconds=142),
    )
    passed(world, outcome="refuse", reason="expired")
    page = people.client("worker").get("/work/passages").text
    for text in (
        "南门",
        "Let through",
        "1号楼 1单元 101",
        "36.5 °C",
        "opened after 142 ms",
        "Not let through",
        "The pass has expired",
    ):
        assert text in page
    assert "李小明" not in page


@pytest.mark.parametrize("who", [*(str(role) for role in Role), "far_worker", "resident", None])
def test_who_sees_the_log(world: World, people: People, who: str | None) -> None:
    row = passed(world)
    for path in ("/work/passages", f"/work/passages/newer?after={row - 1}"):
        answer = people.client(who).get(path)
        if who is None:
            assert answer.status_code == 302
        elif who == "resident" or (who in set(Role) and Role(who) not in LISTING):
            assert answer.status_code == 403
        elif who == "far_worker":
            assert not ids(answer.text)
        else:
            assert ids(answer.text) == [row]


def test_newer_rows_come_above_and_nothing_new_is_no_content(world: World, people: People) -> None:
    first = passed(world)
    client = people.client("worker")
    assert client.get(f"/work/passages/newer?after={first}").status_code == 204
    second, third = passed(world), passed(world, "building")
    assert ids(client.get(f"/work/passages/newer?after={first}").text) == [third, second]


def test_the_first_passage_takes_the_place_of_the_empty_list(world: World, people: People) -> None:
    client = people.client("worker")
    assert 'id="no-passages"' in client.get("/work/passages").text
    assert client.get("/work/passages/newer").status_code == 204
    passed(world)
    fresh = client.get("/work/passages/newer").text
    assert '<div id="no-passages" hx-swap-oob="delete">' in fresh


def test_a_row_is_put_right_when_its_door_answers_or_stays_silent(
    world: World, people: People
) -> None:
    row = passed(world, transaction="a" * 32)
    client = people.client("worker")
    assert "waiting for the door" in client.get("/work/passages").text
    path = f"/work/passages/newer?after={row}&waiting={row}"
    assert client.get(path).status_code == 204
    with world.db.write() as session:
        session.get_one(Passage, row).command_reason = "jammed"
    answer = client.get(path).text
    assert 'hx-swap-oob="outerHTML"' in answer
    assert "the bolt is jammed" in answer
    silent = passed(world, transaction="b" * 32)
    world.clock.forward(seconds=16)
    assert "no answer" in client.get(f"/work/passages/newer?after={silent}&waiting={silent}").text


def test_waiting_rows_of_other_communities_are_not_told(world: World, people: People) -> None:
    row = passed(world, "far", transaction="c" * 32, opened_at=world.clock())
    path = f"/work/passages/newer?after={row}&waiting={row}"
    assert people.client("worker").get(path).status_code == 204


def test_filters_by_gate_and_outcome(world: World, people: People) -> None:
    main, building = passed(world), passed(world, "building", outcome="refuse", reason="revoked")
    client = people.client("worker")
    gate = world.gates["building"]
    assert ids(client.get(f"/work/passages?gate={gate}").text) == [building]
    assert ids(client.get("/work/passages?outcome=allow").text) == [main]
    assert ids(client.get(f"/work/passages/newer?gate={gate}&outcome=refuse").text) == [building]
    assert ids(client.get(f"/work/passages?gate={gate}&outcome=allow").text) == []


def test_a_gate_of_another_community_shows_nothing_and_says_so(
    world: World, people: People
) -> None:
    passed(world, "far")
    page = people.client("worker").get(f"/work/passages?gate={world.gates['far']}")
    assert ids(page.text) == []
    assert "This gate does not exist, or you may not see it" in page.text


@pytest.mark.parametrize(
    "query",
    [
        "gate=x&outcome=y&before=z",
        "before=" + "9" * 40,
        "before=-1",
        "gate=1.5",
        "before=%00",
        "before=²",
        "gate=9007199254740992",
    ],
)
def test_nonsense_in_the_address_is_borne(world: World, people: People, query: str) -> None:
    passed(world)
    assert people.client("worker").get(f"/work/passages?{query}").status_code == 200
    assert people.client("worker").get(
        f"/work/passages/newer?{query}&after=x&waiting=y"
    ).status_code in {200, 204}


def test_older_pages_follow_each_other_without_gap_or_repetition(
    world: World, people: People
) -> None:
    made = [passed(world) for _ in range(120)]
    client = people.client("worker")
    seen: list[int] = []
    path = "/work/passages"
    for _ in range(4):
        page = client.get(path).text
        seen += ids(page)
        older = re.search(r'rel="next" href="([^"]*before=\d+[^"]*)"', page)
        if older is None:
            break
        path = older[1].replace("&amp;", "&")
    assert seen == sorted(made, reverse=True)
    assert "data-poll" not in client.get(path).text


def test_more_news_than_fit_start_the_list_over(world: World, people: People) -> None:
    first = passed(world)
    made = [passed(world) for _ in range(60)]
    answer = people.client("worker").get(f"/work/passages/newer?after={first}")
    assert answer.headers["HX-Reswap"] == "innerHTML"
    assert ids(answer.text) == sorted(made, reverse=True)[:50]


def test_a_resident_sees_their_own_last_20_only(world: World, people: People) -> None:
    for n in range(25):
        passed(
            world,
            resident_id=world.residents["resident"],
            at=world.clock() + timedelta(minutes=n),
        )
    passed(world, "building", resident_id=world.residents["neighbour"])
    page = people.client("resident").get("/passages").text
    assert page.count("<time") == 20
    assert "1号楼" not in page
    assert people.client("worker").get("/passages").status_code == 403
    assert people.client().get("/passages").status_code == 302


def test_a_resident_without_passages_is_told_how_to_get_one(people: People) -> None:
    assert "No passages yet" in people.client("resident").get("/passages").text
