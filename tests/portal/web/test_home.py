"""Home: cards of the features in their order, and the navigation that counts what waits."""

from __future__ import annotations

import re
from datetime import timedelta
from types import SimpleNamespace

import pytest

from portal.core.home_cards import HomeCard, Rank
from portal.passes.operations import revoke_of_resident
from portal.visitors import operations as visitors
from portal.web import home
from tests.portal.village import People
from tests.portal.world import World

NAVIGATION = re.compile(r'<nav class="nav.*?</nav>', re.S)


def tiles(page: str) -> list[str]:
    """Names of the cards, from the top down."""
    return re.findall(r'<span class="name">([^<]+)</span>', page)


def card(rank: Rank, key: str = "x.y", **values: object) -> HomeCard:
    fields = {"title": rank.name, "href": "/home", "icon": "info"} | values
    return HomeCard(key=key, rank=rank, **fields)  # type: ignore[arg-type]


@pytest.fixture
def offered(monkeypatch: pytest.MonkeyPatch) -> list[HomeCard]:
    """Cards in place of those of the features."""
    cards: list[HomeCard] = []
    part = SimpleNamespace(cards=lambda session, actor, now: list(cards))
    monkeypatch.setattr(home, "parts", lambda name: [part] if name == "home_cards" else [])
    return cards


def test_an_ordinary_day_begins_with_the_pass_and_nothing_waits(people: People) -> None:
    page = people.client("resident").get("/home").text
    assert tiles(page) == ["My pass", "Invite a visitor", "Vehicles"]
    assert "Nothing waits for you." in page
    assert re.search(r'class="tile first" href="/pass"', page)
    assert "Good" not in page
    assert "Hello, 李小明" in page


def test_alarms_stand_before_the_pass_and_looks_back_at_the_end(
    people: People, offered: list[HomeCard]
) -> None:
    offered += [card(rank) for rank in (Rank.LATER, Rank.OFFER, Rank.DUE, Rank.PASS, Rank.ALARM)]
    page = people.client("resident").get("/home").text
    assert tiles(page) == ["ALARM", "PASS", "DUE", "OFFER", "LATER"]
    assert 'class="tile urgent"' in page
    assert 'class="tile waits"' in page
    assert "Nothing waits for you." not in page


def test_within_a_rank_the_order_of_the_features_counts(
    people: People, offered: list[HomeCard]
) -> None:
    offered += [card(Rank.DUE, title="first"), card(Rank.PASS), card(Rank.DUE, title="second")]
    assert tiles(people.client("resident").get("/home").text) == ["PASS", "first", "second"]


def test_what_waits_is_counted_at_its_own_entry_or_at_home(
    people: People, offered: list[HomeCard]
) -> None:
    offered += [
        card(Rank.DUE, "visitors.today", figure=2),
        card(Rank.DUE, "parcels.waiting"),
        card(Rank.ALARM, "telecare.alarm"),
        card(Rank.OFFER, "visitors.invite", figure=9),
    ]
    found = NAVIGATION.search(people.client("resident").get("/passages").text)
    assert found
    entries = re.findall(r'<a href="([^"]+)".*?</a>', found[0], re.S)
    assert entries[:4] == ["/home", "/pass", "/visitors", "/notices"]
    assert entries[-1] == "/me"
    assert found[0].count("<li>") == 5  # the thumb's; others are for a desk
    counts = {
        re.search(r'href="([^"]+)"', one)[1]: re.search(
            r'class="count"><span data-number>(\d+)', one
        )  # type: ignore[index]
        for one in re.findall(r"<a .*?</a>", found[0], re.S)
    }
    assert {where: count[1] for where, count in counts.items() if count} == {
        "/home": "1",
        "/parcels": "1",
        "/visitors": "2",
    }


@pytest.mark.parametrize("path", ["/home", "/pass", "/visitors", "/passages", "/me"])
def test_the_entry_of_the_page_at_hand_is_marked(people: People, path: str) -> None:
    found = NAVIGATION.search(people.client("resident").get(path).text)
    assert found
    assert re.findall(r'<a href="([^"]+)" aria-current="page"', found[0]) == [path]


def test_a_page_of_a_failure_comes_without_counts(
    world: World, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = people.client("resident")
    with world.db.write() as session:
        session.connection().exec_driver_sql("DROP TABLE invitations")
    answer = client.get("/nowhere")
    assert answer.status_code == 404
    assert NAVIGATION.search(answer.text)


def test_who_waits_for_approval_reads_so_and_has_no_pass_yet(people: People) -> None:
    page = people.client("pending").get("/home").text
    assert tiles(page) == ["Your registration waits for approval."]
    assert "linli-code" not in page


def test_who_was_refused_reads_why_and_where_to_go_on(world: World, people: People) -> None:
    page = people.client("refused").get("/home").text
    assert tiles(page) == ["Your registration was refused."]
    assert "资料与房本不符" in page
    assert re.search(r'class="tile waits" href="/r/[0-9A-Z]{18}"', page)


def test_a_withdrawn_pass_is_said_at_home(world: World, people: People) -> None:
    client = people.client("resident")
    client.get("/pass")
    with world.db.write() as session:
        world.clock.forward(minutes=1)
        revoke_of_resident(session, world.residents["resident"], world.clock(), "misuse")
    assert tiles(client.get("/home").text)[0] == "Your pass has been withdrawn"


def invite(world: World, hours: float, name: str = "周访客") -> int:
    """An invitation that begins in some hours."""
    start = world.clock() + timedelta(hours=hours)
    draft = visitors.Draft(name, "13900001234", "family", start, start + timedelta(hours=2))
    with world.db.write() as session:
        return visitors.invite(session, world.resident("resident"), draft, world.clock()).id


def approve(world: World, invitation: int) -> None:
    from portal.core.permissions import Role

    with world.db.write() as session:
        visitors.approve(session, world.staff(Role.WORKER), invitation, "", world.clock())


def test_visitors_of_today_wait_and_those_of_tomorrow_do_not(world: World, people: People) -> None:
    client = people.client("resident")
    tomorrow = invite(world, 20)
    approve(world, tomorrow)
    assert tiles(client.get("/home").text) == ["My pass", "Invite a visitor", "Vehicles"]
    today = invite(world, 1)
    page = client.get("/home").text
    assert tiles(page) == [
        "My pass",
        "An invitation waits for approval",
        "Invite a visitor",
        "Vehicles",
    ]
    assert f'href="/visitors/{today}"' in page
    approve(world, today)
    page = client.get("/home").text
    assert tiles(page) == ["My pass", "A visitor is expected today", "Invite a visitor", "Vehicles"]
    assert "周访客" not in page
    approve(world, invite(world, 2))
    page = client.get("/home").text
    assert "2 visitors are expected today" in page
    world.clock.forward(hours=12)
    assert "A visitor is expected today" in client.get("/home").text  # the one of tomorrow, by now
    world.clock.forward(hours=24)
    assert tiles(client.get("/home").text) == ["My pass", "Invite a visitor", "Vehicles"]


def test_invitations_of_neighbours_are_not_on_ones_home(world: World, people: People) -> None:
    approve(world, invite(world, 1))
    assert tiles(people.client("neighbour").get("/home").text) == [
        "My pass",
        "Invite a visitor",
        "Vehicles",
    ]


@pytest.mark.parametrize("who", ["worker", None])
def test_home_is_for_residents(people: People, who: str | None) -> None:
    assert people.client(who).get("/home").status_code == (302 if who is None else 403)
