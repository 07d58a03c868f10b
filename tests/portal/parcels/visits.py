"""A courier's way through the pages, for tests of them."""

from __future__ import annotations

import re

from flask.testing import FlaskClient
from sqlalchemy import select

from portal.parcels import codes
from portal.parcels.models import Parcel, PickupCode
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
