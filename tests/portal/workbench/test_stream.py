"""``/work/events``: what goes over the wire, and when it goes no more."""

from __future__ import annotations

import json
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from portal.core import live
from tests.portal.village import People
from tests.portal.workbench.test_pages import lay_out_work
from tests.portal.world import World


@pytest.fixture
def hub(app: Flask) -> live.Hub:
    found: live.Hub = app.extensions[live.EXTENSION]
    found.interval = 0.01
    found.life = 0.0
    return found


def events(answer: TestResponse) -> list[tuple[str, dict[str, Any], str]]:
    """Name, data and id of each event."""
    assert answer.status_code == 200
    assert answer.mimetype == "text/event-stream"
    found = []
    for block in answer.text.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if line[0] != ":")
        if "event" in fields:
            found.append((fields["event"], json.loads(fields["data"]), fields.get("id", "")))
    return found


def test_a_stream_says_what_waits_in_numbers_and_names_nobody(
    world: World, people: People, hub: live.Hub
) -> None:
    ids = lay_out_work(world)
    client = people.client("worker")
    client.post(f"/work/items/access.refusal/{ids['access.refusal']}/claim")
    answer = client.get("/work/events")
    ((name, data, mark),) = events(answer)
    assert name == "changed"
    assert data["total"] == 4
    assert {kind: n for kind, n in data["counts"].items() if n} == dict.fromkeys(ids, 1)
    holders = dict(data["items"])
    assert holders.pop(f"access.refusal:{ids['access.refusal']}") == world.users["worker"]
    assert set(holders.values()) == {0}
    assert f'data-mark="{mark}"' in client.get("/work").text
    assert "赵" not in answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Accel-Buffering"] == "no"


def test_each_hears_of_their_own(world: World, people: People, hub: live.Hub) -> None:
    lay_out_work(world)
    for who, total in (("manager", 2), ("far_worker", 0), ("gatekeeper", 0)):
        ((_name, data, _mark),) = events(people.client(who).get("/work/events"))
        assert data["total"] == total, who


@pytest.mark.parametrize("way", ["header", "argument"])
def test_whoever_comes_back_is_told_only_of_news(
    world: World, people: People, hub: live.Hub, way: str
) -> None:
    ids = lay_out_work(world)
    client = people.client("worker")
    ((_name, _data, mark),) = events(client.get("/work/events"))

    def back() -> TestResponse:
        if way == "header":
            return client.get("/work/events", headers={"Last-Event-ID": mark})
        return client.get(f"/work/events?last={mark}")

    assert events(back()) == []
    client.post(f"/work/items/access.refusal/{ids['access.refusal']}/claim")
    ((_name, _data, fresh),) = events(back())
    assert fresh != mark


def test_nonsense_as_the_last_event_counts_as_none(
    world: World, people: People, hub: live.Hub
) -> None:
    answer = people.client("worker").get("/work/events", headers={"Last-Event-ID": "x" * 999})
    assert len(events(answer)) == 1


def test_when_no_place_is_left_the_page_is_told_to_ask_by_the_clock(
    world: World, people: People, hub: live.Hub
) -> None:
    hub.most = 1
    place = hub.open("somebody")
    client = people.client("worker")
    assert client.get("/work/events").status_code == 429
    place.close()
    assert client.get("/work/events").status_code == 200
    assert hub.streams == 0
