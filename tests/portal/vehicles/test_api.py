"""Barriers and machines: vehicles masked, and what a plate is worth where."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from werkzeug.test import TestResponse

from portal.accounts.tokens import create_token
from portal.core.permissions import SYSTEM, Permission
from portal.regions.models import Region
from tests.portal.vehicles.parking import MANUAL, registered, verified
from tests.portal.village import People
from tests.portal.world import World


def ask(
    world: World, people: People, method: str, path: str, region: str = "spring", **options: Any
) -> TestResponse:
    """A call with a token that may list vehicles there."""
    permissions = options.pop("permissions", [Permission.VEHICLE_LIST])
    with world.db.write() as session:
        issued = create_token(
            session,
            SYSTEM,
            name="barrier",
            permissions=permissions,
            region=session.get_one(Region, world.regions[region]),
            now=world.clock(),
            lifetime=timedelta(days=1),
        )
    return people.app.test_client().open(
        f"/api/v1/vehicles{path}",
        method=method,
        headers={"Authorization": f"Bearer {issued.text}"},
        **options,
    )


def look_up(world: World, people: People, plate: str, **options: Any) -> TestResponse:
    body = {"community": options.pop("community", "spring"), "plate": plate}
    return ask(world, people, "POST", "/lookups", json=body, **options)


def test_vehicles_are_listed_by_state_and_masked(world: World, people: People) -> None:
    verified(world)
    registered(world, MANUAL)
    waiting = ask(world, people, "GET", "").json
    assert [v["plate_masked"] for v in waiting["vehicles"]] == ["WJ·京***3X"]
    assert waiting["vehicles"][0]["opens_automatically"] is False
    assert waiting["next_page"] is None
    good = ask(world, people, "GET", "?state=verified")
    assert [v["state"] for v in good.json["vehicles"]] == ["verified"]
    assert "12345" not in good.text
    assert ask(world, people, "GET", "", "autumn").json["vehicles"] == []
    assert ask(world, people, "GET", "?state=stolen").status_code == 422


@pytest.mark.parametrize(
    ("plate", "verdict"),
    [
        ("京A12345", "allowed"),
        ("京a·12345", "allowed"),
        ("京A12346", "unknown"),
        (MANUAL, "by_hand"),
    ],
)
def test_a_barrier_learns_what_a_plate_is_worth(
    world: World, people: People, plate: str, verdict: str
) -> None:
    verified(world)
    verified(world, MANUAL)
    assert look_up(world, people, plate).json == {"verdict": verdict}


def test_a_plate_counts_in_its_community_and_for_its_tokens_only(
    world: World, people: People
) -> None:
    verified(world)
    assert look_up(world, people, "京A12345", region="county").json == {"verdict": "allowed"}
    assert look_up(world, people, "京A12345", region="autumn").status_code == 404
    far = look_up(world, people, "京A12345", region="autumn", community="autumn")
    assert far.json == {"verdict": "unknown"}
    weak = look_up(world, people, "京A12345", permissions=[Permission.DEVICE_LIST])
    assert weak.status_code == 403


@pytest.mark.parametrize("plate", ["", "京A12", "x" * 20, "京" * 500])
def test_nonsense_is_answered_with_a_problem(world: World, people: People, plate: str) -> None:
    answer = look_up(world, people, plate)
    assert answer.status_code == 422
    assert answer.content_type == "application/problem+json"
    assert "plate" in str(answer.json["errors"])
