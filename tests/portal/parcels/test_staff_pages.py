"""Staff at lockers and at the shelf: who may what, with which reason."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import select

from portal.core.audit import AuditEntry
from portal.core.permissions import Role
from portal.parcels import staff
from portal.parcels.models import Parcel, ParcelState
from tests.portal.parcels.lockers import Locker
from tests.portal.parcels.visits import code_of, courier, entered, key_in, only_parcel
from tests.portal.village import People


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
