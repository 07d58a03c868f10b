"""A parcel on pages: from the courier to the resident, or to whoever holds a code."""

from __future__ import annotations

import re

import pytest

from portal.core import limits
from portal.core.home_cards import Rank
from portal.core.permissions import Role
from portal.parcels import codes, home_cards
from portal.parcels.models import ParcelState
from portal.parcels.times import FETCH_WITHIN
from tests.portal.parcels.lockers import Locker
from tests.portal.parcels.visits import code_of, courier, entered, key_in, only_parcel
from tests.portal.village import People


def test_from_the_courier_to_the_resident(people: People, locker: Locker) -> None:
    client = courier(people, locker)
    page = client.post("/courier/new", data=entered(locker))
    assert page.status_code == 200
    assert "李*明" in page.text
    assert "李小明" not in page.text
    assert "13800000000" not in page.text
    answer = client.post("/courier/new", data=entered(locker, recipient=key_in(page.text)))
    assert answer.status_code == 303
    assert "The door is opening" in client.get(answer.location).text
    parcel = only_parcel(locker)
    locker.opens(parcel)
    assert "Lay the parcel in" in client.get(answer.location).text
    locker.closes(parcel, occupied=True)
    assert "the door is shut and the parcel is inside" in client.get(answer.location).text

    resident = people.client("resident")
    assert "南门快递柜" in resident.get("/parcels").text
    page = resident.get(f"/parcels/{parcel.id}")
    code = code_of(locker, parcel.id)
    assert f"{code.code[:4]} {code.code[4:]}" in page.text
    assert page.headers["Cache-Control"] == "no-store"
    assert "stand in front" in resident.get(f"/parcels/{parcel.id}/open").text
    assert resident.post(f"/parcels/{parcel.id}/open").status_code == 303
    opened = locker.parcel(parcel.id)
    locker.opens(opened, occupied=True)
    assert "Take your parcel out" in resident.get(f"/parcels/{parcel.id}").text
    locker.closes(opened, occupied=False)
    assert "the compartment is empty" in resident.get(f"/parcels/{parcel.id}").text
    assert "Earlier parcels" in resident.get("/parcels").text


def test_whoever_has_the_code_fetches_once(people: People, locker: Locker) -> None:
    parcel = locker.stored()
    code = code_of(locker, parcel.id)
    friend = people.client()
    answer = friend.post(
        "/pickup",
        data={"locker": str(locker.device_id), "code": f"{code.code[:4]} {code.code[4:]}"},
    )
    assert answer.status_code == 303
    page = friend.get(answer.location)
    assert "李" not in page.text
    assert "101" not in re.sub(r"<(script|link|meta)[^>]*>", "", page.text)
    assert friend.post(f"{answer.location}/open").status_code == 303
    opened = locker.parcel(parcel.id)
    locker.opens(opened, occupied=True)
    locker.closes(opened, occupied=False)
    assert locker.parcel(parcel.id).state == ParcelState.FETCHED
    assert friend.get(answer.location).status_code == 404
    assert "has done its work" in friend.get(f"{answer.location}/state").text


def test_a_shared_code_is_its_own_and_can_be_taken_back(people: People, locker: Locker) -> None:
    parcel = locker.stored()
    resident = people.client("resident")
    assert resident.post(f"/parcels/{parcel.id}/share", data={"label": "外婆"}).status_code == 303
    page = resident.get(f"/parcels/{parcel.id}").text
    assert "外婆" in page
    link = re.search(r"http://linli\.test(/k/[\w-]{43})", page)
    assert link is not None
    friend = people.client()
    page = friend.get(link[1]).text
    assert "外婆" not in page
    with locker.db.read() as session:
        shared = codes.of_parcel(session, parcel.id)[1]
    resident.post(f"/parcels/{parcel.id}/shared/{shared.id}/remove")
    assert friend.get(link[1]).status_code == 404


def test_an_overdue_parcel_is_kept_twice_and_no_longer(people: People, locker: Locker) -> None:
    parcel = locker.stored()
    locker.clock.now += FETCH_WITHIN
    resident = people.client("resident")
    assert "Overdue" in resident.get("/parcels").text
    for _ in range(2):
        resident.post(f"/parcels/{parcel.id}/extend")
    assert "Overdue" not in resident.get("/parcels").text
    due = locker.parcel(parcel.id).due_at
    resident.post(f"/parcels/{parcel.id}/extend")
    assert locker.parcel(parcel.id).due_at == due


@pytest.mark.parametrize("who", ["neighbour", "outsider", "pending"])
def test_a_parcel_is_its_recipient_s_alone(people: People, locker: Locker, who: str) -> None:
    parcel = locker.stored()
    client = people.client(who)
    for path in ("", "/open", "/state"):
        assert client.get(f"/parcels/{parcel.id}{path}").status_code == 404
    for path in ("open", "share", "extend", "shared/1/remove"):
        assert client.post(f"/parcels/{parcel.id}/{path}").status_code == 404
    assert locker.parcel(parcel.id).state == ParcelState.STORED


def test_a_parcel_not_laid_in_yet_is_nobody_s_news(people: People, locker: Locker) -> None:
    parcel = locker.store()
    client = people.client("resident")
    assert client.get(f"/parcels/{parcel.id}").status_code == 404
    assert "No parcel waits" in client.get("/parcels").text


def test_home_says_what_waits(people: People, locker: Locker) -> None:
    locker.stored()
    locker.stored(size="M")
    actor = locker.world.resident("resident")
    with people.app.test_request_context(headers={"Accept-Language": "en"}), locker.db.read() as s:
        [card] = home_cards.cards(s, actor, locker.clock())
        assert (str(card.title), card.rank, card.figure) == (
            "2 parcels at 南门快递柜",
            Rank.DUE,
            2,
        )
        assert str(card.about).startswith("since")
        late = locker.clock() + FETCH_WITHIN
        assert str(home_cards.cards(s, actor, late)[0].about).startswith("Overdue")
        assert home_cards.cards(s, locker.world.resident("neighbour"), locker.clock()) == []
        assert home_cards.cards(s, locker.world.staff(Role.MANAGER), locker.clock()) == []


def test_wrong_codes_are_counted(people: People, locker: Locker) -> None:
    limits.limiter.enabled = True
    client = people.client()
    data = {"locker": str(locker.device_id), "code": "12345678"}
    found = [client.post("/pickup", data=data).status_code for _ in range(11)]
    assert found == [422] * 10 + [429]
    data = {"code": "ABCD-EFGH-JKLM-NPQR"}
    found = [client.post("/courier/sign-in", data=data).status_code for _ in range(11)]
    assert found == [422] * 10 + [429]


@pytest.mark.parametrize("path", ["/k/short", "/k/" + "a" * 43, "/k/" + "a" * 43 + "/state"])
def test_a_link_that_is_none_is_not_found(people: People, locker: Locker, path: str) -> None:
    answer = people.client().get(path)
    if path.endswith("state"):
        assert answer.status_code == 200
        assert "opens nothing" in answer.text
    else:
        assert answer.status_code == 404


def test_chinese_pages_are_chinese(people: People, locker: Locker) -> None:
    parcel = locker.stored()
    assert "投放快递" in courier(people, locker, "zh_Hans_CN").get("/courier").text
    page = people.client("resident", "zh_Hans_CN").get(f"/parcels/{parcel.id}").text
    assert "取件码" in page
