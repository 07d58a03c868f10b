"""Counts of lockers and parcels over the API: right, and without any person."""

from __future__ import annotations

from datetime import timedelta

from flask.testing import FlaskClient

from portal.accounts.tokens import create_token
from portal.core.permissions import SYSTEM, Permission
from portal.parcels.times import FETCH_WITHIN
from portal.regions.models import Region
from tests.portal.parcels.lockers import Locker
from tests.portal.village import People


def bearer(locker: Locker, region: str, *permissions: Permission) -> dict[str, str]:
    with locker.db.write() as session:
        issued = create_token(
            session,
            SYSTEM,
            name="test",
            permissions=permissions,
            region=session.get_one(Region, locker.world.regions[region]),
            now=locker.clock(),
            lifetime=timedelta(days=30),
        )
    return {"Authorization": f"Bearer {issued.text}"}


def asked(people: People) -> FlaskClient:
    return people.app.test_client()


def test_counts_by_locker_and_size(people: People, locker: Locker) -> None:
    locker.stored()
    locker.jams(locker.store())
    locker.store(size="M")
    locker.clock.now += FETCH_WITHIN
    headers = bearer(locker, "spring", Permission.PARCEL_LIST)
    [one] = asked(people).get("/api/v1/lockers", headers=headers).json
    assert one.keys() == {"device_id", "community", "key", "title", "online", "sizes"}
    assert [(s["size"], s["free"], s["occupied"], s["out_of_order"]) for s in one["sizes"]] == [
        ("S", 0, 1, 1),
        ("M", 0, 1, 0),
        ("L", 1, 0, 0),
    ]
    assert [s["overdue"] for s in one["sizes"]] == [1, 0, 0]
    said = asked(people).get("/api/v1/parcels", headers=headers).json
    assert said == [{"community": "spring", "in_lockers": 1, "on_shelf": 0, "overdue": 1}]


def test_a_token_reaches_its_region_only(people: People, locker: Locker) -> None:
    locker.stored()
    far = bearer(locker, "autumn", Permission.PARCEL_LIST)
    assert asked(people).get("/api/v1/lockers", headers=far).json == []
    assert asked(people).get("/api/v1/lockers").status_code == 401
    weak = bearer(locker, "spring", Permission.DEVICE_LIST)
    assert asked(people).get("/api/v1/lockers", headers=weak).json == []
