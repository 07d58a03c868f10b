"""The courier's pages: the code, the recipient, the door, and nonsense."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from sqlalchemy import select

from portal.access.models import Gate
from portal.parcels.models import Arrival, CourierAccess, Parcel
from portal.parcels.times import MEAL_LIFE
from tests.portal.parcels.lockers import Locker
from tests.portal.parcels.visits import courier, entered, key_in, only_parcel
from tests.portal.village import People


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


def test_time_alone_ends_a_code(people: People, locker: Locker) -> None:
    client = courier(people, locker)
    locker.clock.now += timedelta(hours=12)
    assert client.get("/courier").location == "/courier/sign-in"
