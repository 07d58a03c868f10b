"""Notices over the API: with a token of the region and the permission, in plain JSON."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from portal.accounts.tokens import create_token
from portal.core.permissions import SYSTEM, Permission
from portal.regions.models import Region
from tests.portal.notices.written import confirmed, listed, read, released, written
from tests.portal.world import START, World


def ask(
    world: World,
    app: Flask,
    method: str,
    path: str = "",
    *,
    region: str = "spring",
    permissions: tuple[Permission, ...] = (Permission.NOTICE_PUBLISH,),
    body: dict[str, Any] | None = None,
) -> TestResponse:
    with world.db.write() as session:
        text = create_token(
            session,
            SYSTEM,
            name="test",
            permissions=permissions,
            region=session.get_one(Region, world.regions[region]),
            now=START,
        ).text
    return app.test_client().open(
        f"/api/v1/notices{path}",
        method=method,
        json=body,
        headers={"Authorization": f"Bearer {text}"},
    )


NEW = {
    "region": "spring",
    "title": "消防演练",
    "body": "周六上午。",
    "expires_at": "2026-03-09T08:00:00+00:00",
}


def test_a_machine_publishes_and_reads_how_far_it_has_come(world: World, app: Flask) -> None:
    answer = ask(world, app, "POST", body=NEW | {"confirm": True, "priority": "urgent"})
    assert answer.status_code == 201, answer.text
    made = answer.json
    assert made["state"] == "published"
    assert (made["reached"], made["households"]) == (2, 2)
    assert [m.notice.id for m in listed(world)] == [made["id"]]
    confirmed(world, made["id"])
    read(world, made["id"], "neighbour")
    shown = ask(world, app, "GET", f"/{made['id']}").json
    assert (shown["read"], shown["confirmed"]) == (2, 1)
    assert [n["id"] for n in ask(world, app, "GET").json] == [made["id"]]
    gone = ask(world, app, "POST", f"/{made['id']}/withdrawal", body={"reason": "取消"})
    assert gone.json["state"] == "withdrawn"
    assert ask(world, app, "GET").json == []


def test_a_machine_reaches_one_building(world: World, app: Flask) -> None:
    body = NEW | {"buildings": [world.buildings["spring 1号楼"]], "region": "110105001001"}
    assert ask(world, app, "POST", body=body).json["reached"] == 1
    assert listed(world, "neighbour") == []


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"title": "!!!"}, "title"),
        ({"region": "nowhere"}, "region"),
        ({"region": "autumn"}, "region"),
        ({"buildings": [999_999]}, "places"),
        ({"expires_at": "2026-03-01T00:00:00+00:00"}, "expires_at"),
        ({"relation": "tenant"}, "places"),
        ({"publish_at": "2020-01-01T00:00:00+00:00"}, "publish_at"),
    ],
)
def test_what_is_wrong_is_named(
    world: World, app: Flask, change: dict[str, Any], field: str
) -> None:
    answer = ask(world, app, "POST", body=NEW | change)
    assert answer.status_code == 422
    assert list(answer.json["errors"]) == [field]
    assert answer.content_type == "application/problem+json"
    assert listed(world) == []


def test_tokens_reach_their_region_and_permission_only(world: World, app: Flask) -> None:
    notice_id = released(world)
    weak = (Permission.DEVICE_LIST,)
    assert ask(world, app, "GET", f"/{notice_id}", permissions=weak).status_code == 403
    assert ask(world, app, "POST", body=NEW, permissions=weak).status_code in {403, 422}
    assert ask(world, app, "GET", f"/{notice_id}", region="autumn").status_code == 404
    assert ask(world, app, "GET", region="autumn").json == []
    assert app.test_client().get("/api/v1/notices").status_code == 401


def test_lists_are_by_state(world: World, app: Flask) -> None:
    draft = written(world)
    later = released(world, publish_at=START + timedelta(hours=1))
    for state, expected in (("draft", [draft]), ("scheduled", [later]), ("published", [])):
        rows = ask(world, app, "GET", f"?state={state}").json
        assert [row["id"] for row in rows] == expected
    assert ask(world, app, "GET", "?state=nonsense").status_code == 422
    assert ask(world, app, "GET", "?page=0").status_code == 422
