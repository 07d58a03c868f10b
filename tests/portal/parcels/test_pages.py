"""Parcels in a browser: the courier's flow, the resident's, the holder's, staff; who may what; nonsense."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from portal.access.models import Gate
from portal.core import limits
from portal.core.audit import AuditEntry
from portal.core.home_cards import Rank
from portal.core.permissions import Role
from portal.parcels import codes, home_cards, staff
from portal.parcels.models import Arrival, CourierAccess, Parcel, ParcelState, PickupCode
from portal.parcels.times import FETCH_WITHIN, MEAL_LIFE
from tests.portal.parcels.lockers import Locker
from tests.portal.village import People


def courier(people: People, locker: Locker, language: str = "en") -> FlaskClient:
    client = people.client(language=language)
    answer = client.post("/courier/sign-in", data={"code": locker.code.lower().replace("-", " ")})
    assert answer.status_code == 303
    return client


def entered(here: Locker, **changed: str) -> dict[str, str]:
    """What a courier types for the resident of 101, whose number ends in 0000."""
    building = here.world.buildings["spring 1号楼"]
    return {
        "locker": str(here.device_id),
        "size": "S",
        "building": str(building),
        "number": "101",
        "tail": "0000",
    } | changed


def key_in(page: str) -> str:
    found = re.search(r'name="recipient" value="([0-9a-f]{24})"', page)
    assert found is not None
    return found[1]


def code_of(locker: Locker, parcel_id: int) -> PickupCode:
    with locker.db.read() as session:
        return codes.of_parcel(session, parcel_id)[0]


def only_parcel(locker: Locker) -> Parcel:
    with locker.db.read() as session:
        return session.scalars(select(Parcel)).one()


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


def test_another_courier_s_parcels_are_not_there(people: People, locker: Locker) -> None:
    parcel = locker.stored()
    with locker.db.write() as session:
        session.get_one(Parcel, parcel.id).courier_id = None
    client = courier(people, locker)
    assert client.get(f"/courier/parcels/{parcel.id}").status_code == 404
    assert client.post(f"/courier/parcels/{parcel.id}/back").status_code == 404


@pytest.mark.parametrize("how", ["revoked", "expired"])
def test_an_access_that_has_ended_leads_back_to_the_code(
    people: People, locker: Locker, how: str
) -> None:
    client = courier(people, locker)
    with locker.db.write() as session:
        access = session.get_one(CourierAccess, locker.courier.id)
        if how == "revoked":
            access.revoked_at = locker.clock()
        else:
            access.expires_at = locker.clock()
    for path in ("/courier", "/courier/new", "/courier/meal", "/courier/parcels/1"):
        assert client.get(path).location == "/courier/sign-in"
    assert client.post("/courier/parcels/1/cancel").location == "/courier/sign-in"
    assert client.post("/courier/sign-in", data={"code": locker.code}).status_code == 422


SAME = "Nobody fits this dwelling and these digits"


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("tail", "9999", SAME),
        ("number", "999", SAME),
        ("building", "999999", SAME),
        ("number", "102", SAME),  # a resident who is not approved
        ("tail", "12", "last four digits"),
        ("tail", "０１２\x00", "last four digits"),
        ("number", "", "number on the door"),
        ("number", "1" * 300, "number on the door"),
        ("building", "<script>", SAME),
    ],
)
def test_no_answer_says_who_lives_where(
    people: People, locker: Locker, field: str, value: str, sentence: str
) -> None:
    client = courier(people, locker)
    answer = client.post("/courier/new", data=entered(locker, **{field: value}))
    assert answer.status_code == 422
    assert sentence in answer.text
    assert "*" not in re.sub(r"\*/\*", "", re.findall(r"<main.*</main>", answer.text, re.S)[0])


@pytest.mark.parametrize(
    ("changed", "at"),
    [
        ({"locker": "999999"}, "locker"),
        ({"locker": "x"}, "locker"),
        ({"size": "XXL"}, "size"),
        ({"size": "shelf", "label": "张三的快递"}, "label"),
        ({"size": "shelf", "label": ""}, "label"),
    ],
)
def test_nonsense_gets_a_sentence_beside_its_field(
    people: People, locker: Locker, changed: dict[str, str], at: str
) -> None:
    client = courier(people, locker)
    key = key_in(client.post("/courier/new", data=entered(locker)).text)
    answer = client.post("/courier/new", data=entered(locker, recipient=key, **changed))
    assert answer.status_code == 422
    assert f'id="{at}-error"' in answer.text
    with locker.db.read() as session:
        assert not session.scalars(select(Parcel)).all()


def test_a_recipient_s_key_is_worth_nothing_to_another_courier(
    people: People, locker: Locker
) -> None:
    client = courier(people, locker)
    answer = client.post("/courier/new", data=entered(locker, recipient="0" * 24))
    assert answer.status_code == 200
    with locker.db.read() as session:
        assert not session.scalars(select(Parcel)).all()


def test_a_larger_compartment_is_offered_when_the_small_ones_are_full(
    people: People, locker: Locker
) -> None:
    for _ in range(2):
        locker.stored("neighbour")
    client = courier(people, locker)
    key = key_in(client.post("/courier/new", data=entered(locker)).text)
    full = client.post("/courier/new", data=entered(locker, recipient=key))
    assert full.status_code == 422
    assert "Take a larger compartment" in full.text
    answer = client.post("/courier/new", data=entered(locker, recipient=key, larger="y"))
    assert answer.status_code == 303
    assert locker.compartment(3).state == "reserved"


def test_the_oversize_shelf_hands_out_against_the_code(people: People, locker: Locker) -> None:
    client = courier(people, locker)
    key = key_in(client.post("/courier/new", data=entered(locker)).text)
    answer = client.post(
        "/courier/new", data=entered(locker, recipient=key, size="shelf", label="b-12")
    )
    assert "B-12" in client.get(answer.location).text
    parcel = only_parcel(locker)
    gatekeeper = people.client("gatekeeper")
    assert "B-12" in gatekeeper.get("/work/parcels?show=shelf").text
    path = f"/work/parcels/{parcel.id}/hand_out"
    assert gatekeeper.post(path, data={"code": "00000000x"}).status_code == 422
    code = code_of(locker, parcel.id)
    assert gatekeeper.post(path, data={"code": code.code}).status_code == 303
    assert locker.parcel(parcel.id).state == ParcelState.FETCHED
    assert gatekeeper.post(path, data={"code": code.code}).status_code == 422


def test_staff_lay_on_the_shelf_and_give_back(people: People, locker: Locker) -> None:
    worker = people.client("worker")
    building = locker.world.buildings["spring 1号楼"]
    data = {"label": "C-1", "building": str(building), "number": "101", "tail": "0000"}
    key = key_in(worker.post("/work/parcels/new", data=data).text)
    answer = worker.post("/work/parcels/new", data=data | {"recipient": key})
    assert answer.status_code == 303
    parcel = only_parcel(locker)
    worker.post(f"/work/parcels/{parcel.id}/give_back")
    assert locker.parcel(parcel.id).state == ParcelState.RETURNED


def test_a_meal_is_told_and_clears_by_itself(people: People, locker: Locker) -> None:
    client = courier(people, locker)
    with locker.db.read() as session:
        gate = session.scalars(select(Gate).where(Gate.building_id.is_(None))).first()
    assert gate is not None
    data = entered(locker, gate=str(gate.id))
    key = key_in(client.post("/courier/meal", data=data).text)
    assert client.post("/courier/meal", data=data | {"gate": "x"}).status_code == 422
    assert client.post("/courier/meal", data=data | {"recipient": key}).status_code == 303
    resident = people.client("resident")
    assert "Your meal waits" in resident.get("/parcels").text
    assert "Your meal waits" not in people.client("neighbour").get("/parcels").text
    with locker.db.read() as session:
        meal = session.scalars(select(Arrival)).one()
    path = f"/parcels/meals/{meal.id}/clear"
    assert people.client("neighbour").post(path).status_code == 404
    locker.clock.now += MEAL_LIFE
    assert "Your meal waits" not in resident.get("/parcels").text
    locker.clock.now -= MEAL_LIFE
    resident.post(path)
    assert "Your meal waits" not in resident.get("/parcels").text


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


MAY = {
    "/work/lockers": {"worker", "gatekeeper", "manager", "supervisor"},
    "/work/lockers/{device}": {"worker", "gatekeeper", "manager", "supervisor"},
    "/work/lockers/{device}/1": {"worker", "gatekeeper", "manager", "supervisor"},
    "/work/parcels": {"worker", "gatekeeper", "manager", "supervisor"},
    "/work/parcels/{parcel}": {"worker", "gatekeeper", "manager", "supervisor"},
    "/work/parcels/new": {"worker", "gatekeeper", "manager"},
    "/work/couriers": {"worker", "gatekeeper", "manager"},
}
DO = {
    "/work/lockers/{device}/1/open": {"manager"},
    "/work/lockers/{device}/2/aside": {"manager"},
    "/work/lockers/{device}/layout": {"manager"},
    "/work/parcels/{parcel}/take_out": {"manager"},
    "/work/couriers/{access}/revoke": {"worker", "gatekeeper", "manager"},
}
STAFF = [str(role) for role in Role]


def at(locker: Locker, path: str, parcel: Parcel) -> str:
    return path.format(device=locker.device_id, parcel=parcel.id, access=locker.courier.id)


@pytest.mark.parametrize("who", STAFF)
def test_staff_see_what_their_role_allows(people: People, locker: Locker, who: str) -> None:
    parcel = locker.stored()
    client = people.client(who)
    for path, may in MAY.items():
        status = client.get(at(locker, path, parcel)).status_code
        assert status == (200 if who in may else 403), path
    for path, may in DO.items():
        status = client.post(at(locker, path, parcel), data={"reason": "cleaning"}).status_code
        assert (status in (303, 422)) == (who in may), path


def test_strangers_find_nothing(people: People, locker: Locker) -> None:
    parcel = locker.stored()
    far = people.client("far_worker")
    for path in ("/work/lockers/{device}", "/work/lockers/{device}/1", "/work/parcels/{parcel}"):
        assert far.get(at(locker, path, parcel)).status_code == 404
    assert "南门快递柜" not in far.get("/work/lockers").text
    for path in DO:
        assert far.post(at(locker, path, parcel)).status_code == 404
    for path in MAY:
        assert people.client().get(at(locker, path, parcel)).status_code == 302
        assert people.client("resident").get(at(locker, path, parcel)).status_code == 403


def test_opening_needs_a_reason_that_stays_in_the_audit(people: People, locker: Locker) -> None:
    manager = people.client("manager")
    path = f"/work/lockers/{locker.device_id}/1/open"
    for reason in ("", "because", "x" * 500):
        answer = manager.post(path, data={"reason": reason})
        assert answer.status_code == 422
        assert 'id="reason-error"' in answer.text
    assert manager.post(path, data={"reason": "cleaning"}).status_code == 303
    with locker.db.read() as session:
        entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "locker.open")).one()
        assert entry.detail["reason"] == "cleaning"
        said = str([(e.action, e.detail, e.actor) for e in session.scalars(select(AuditEntry))])
    for personal in ("李小明", "13800000000", "0000"):
        assert personal not in said.replace(str(entry.detail["transaction"]), "")


def test_a_locker_is_laid_out_once(people: People, locker: Locker) -> None:
    manager = people.client("manager")
    path = f"/work/lockers/{locker.device_id}/layout"
    with locker.db.write() as session:
        for number in range(1, 5):
            row = staff.load_compartment(
                session, locker.world.staff(Role.MANAGER), locker.device_id, number
            )
            session.delete(row)
    for small in ("x", "-1", "99999999999", "1", ""):
        answer = manager.post(path, data={"small": small, "middle": "0", "large": "0"})
        assert answer.status_code == 422, small
    assert manager.post(path, data={"small": "2", "middle": "1", "large": "1"}).status_code == 303
    assert "4 · L" in manager.get(f"/work/lockers/{locker.device_id}").text


def test_a_courier_s_code_is_shown_once_and_ends_when_staff_say_so(
    people: People, locker: Locker
) -> None:
    worker = people.client("worker")
    page = worker.post("/work/couriers", data={"company": "jd", "hours": "4"}).text
    code = re.search(r"([2-9A-Z]{4}(?:-[2-9A-Z]{4}){3})", page)
    assert code is not None
    assert code[1] not in worker.get("/work/couriers").text
    client = people.client()
    assert client.get(f"/c/{code[1]}").location == "/courier"
    assert "JD Logistics" in client.get("/courier").text
    for wrong in ({"company": "x", "hours": "4"}, {"company": "jd", "hours": "99999"}):
        assert worker.post("/work/couriers", data=wrong).status_code == 422


def test_wrong_codes_are_counted(people: People, locker: Locker) -> None:
    limits.limiter.enabled = True
    client = people.client()
    data = {"locker": str(locker.device_id), "code": "12345678"}
    found = [client.post("/pickup", data=data).status_code for _ in range(11)]
    assert found == [422] * 10 + [429]
    data = {"code": "ABCD-EFGH-JKLM-NPQR"}
    found = [client.post("/courier/sign-in", data=data).status_code for _ in range(11)]
    assert found == [422] * 10 + [429]


def test_a_jam_offers_the_courier_the_next_step(people: People, locker: Locker) -> None:
    client = courier(people, locker)
    key = key_in(client.post("/courier/new", data=entered(locker)).text)
    page = client.post("/courier/new", data=entered(locker, recipient=key)).location
    locker.jams(only_parcel(locker))
    assert "Take another compartment" in client.get(page).text
    assert client.post(f"{page}/another").status_code == 303
    assert client.get(f"{page}/state?seen=x").status_code == 200
    parcel = only_parcel(locker)
    seen = f"{parcel.state}-{parcel.fault}-{parcel.compartment_id}"
    assert client.get(f"{page}/state?seen={seen}").status_code == 204
    locker.answers(parcel.opening, ok=False, reason="jammed")
    assert client.post(f"{page}/cancel").status_code == 303
    assert "given up" in client.get(page).text


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


def test_time_alone_ends_a_code(people: People, locker: Locker) -> None:
    client = courier(people, locker)
    locker.clock.now += timedelta(hours=12)
    assert client.get("/courier").location == "/courier/sign-in"
