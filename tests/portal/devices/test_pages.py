"""Devices in a browser: list, charts, events, commands, opening a door, and a store that is away."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from mqtt.contract.codec import decode_command
from mqtt.telemetry.model import Point
from mqtt.telemetry.opening import open_store
from mqtt.telemetry.store import StoreUnavailable, TelemetryStore
from portal.core.audit import AuditEntry
from portal.core.outbox import OutboxMessage
from portal.core.permissions import ROLE_PERMISSIONS, Permission, Role
from portal.devices import charts
from portal.devices.charts import LENGTHS, MOST_POINTS, Range
from portal.devices.models import Device, DeviceEvent
from portal.services import EXTENSION
from tests.portal.village import People
from tests.portal.world import World

LISTING = {r for r in Role if Permission.DEVICE_LIST in ROLE_PERMISSIONS[r]}
READING = {r for r in Role if Permission.TELEMETRY_READ in ROLE_PERMISSIONS[r]}
EVERYBODY = [*(str(role) for role in Role), "far_worker", "resident", None]


@pytest.fixture
def store(app: Flask, tmp_path: Path) -> Iterator[TelemetryStore]:
    """The embedded store, given to the application."""
    opened = open_store(f"sqlite:///{tmp_path / 'telemetry.db'}")
    app.extensions[EXTENSION] = replace(app.extensions[EXTENSION], telemetry=opened)
    yield opened
    opened.close()


class AwayStore:
    """A store that never answers."""

    def last(self, *_args: Any) -> Any:
        raise StoreUnavailable("away")

    query = last


@pytest.fixture
def away(app: Flask) -> None:
    """The application's store is away."""
    app.extensions[EXTENSION] = replace(app.extensions[EXTENSION], telemetry=AwayStore())


def put(store: TelemetryStore, world: World, device: str, measure: str, *values: float) -> None:
    now = world.clock()
    store.write(
        [
            Point("spring", f"{device}-1", measure, now - timedelta(minutes=5 * n), value)
            for n, value in enumerate(values)
        ]
    )


def _expected(who: str | None, allowed: set[Role], *, far: int) -> int:
    if who is None:
        return 302
    if who == "far_worker":
        return far
    if who in set(Role):
        return 200 if Role(who) in allowed else 403
    return 403


@pytest.mark.parametrize("who", EVERYBODY)
def test_who_may_open_which_page(
    world: World, people: People, store: TelemetryStore, who: str | None
) -> None:
    client = people.client(who)
    device = world.devices["main"]
    assert client.get("/work/devices").status_code == _expected(who, LISTING, far=200)
    for path in ("", "/commands"):
        answer = client.get(f"/work/devices/{device}{path}")
        assert answer.status_code == _expected(who, LISTING, far=404)
    for path in ("/telemetry", "/values"):
        answer = client.get(f"/work/devices/{device}{path}")
        assert answer.status_code == _expected(who, READING, far=404)


@pytest.mark.parametrize("who", EVERYBODY)
def test_who_may_open_a_door(world: World, people: People, who: str | None) -> None:
    device = world.devices["main"]
    answer = people.client(who).post(f"/work/devices/{device}/open", data={"reason": "visitor"})
    with world.db.read() as session:
        sent = session.scalars(select(OutboxMessage)).all()
    if who == "manager":
        assert answer.status_code == 302
        assert len(sent) == 1
    else:
        assert answer.status_code == {None: 302, "far_worker": 404}.get(who, 403)
        assert not sent


def test_opening_leaves_a_command_and_an_audit_entry_with_the_reason(
    world: World, people: People
) -> None:
    client = people.client("manager")
    device = world.devices["main"]
    page = client.post(
        f"/work/devices/{device}/open", data={"reason": "locked_out"}, follow_redirects=True
    )
    assert "waiting to be sent" in page.text
    with world.db.read() as session:
        row = session.scalars(select(OutboxMessage)).one()
        entries = session.scalars(
            select(AuditEntry).where(AuditEntry.action == "device.open_door")
        ).all()
    assert (row.community, row.device, row.name) == ("spring", "main-1", "unlock")
    message = decode_command("unlock", row.payload)
    assert message.expires_at == world.clock() + timedelta(seconds=10)
    assert entries[0].detail == {"reason": "locked_out", "transaction": row.transaction}
    assert entries[0].user_id == world.users["manager"]


@pytest.mark.parametrize("reason", [None, "", "because", "x" * 5000, "\x00"])
def test_a_door_is_not_opened_without_a_reason(
    world: World, people: People, reason: str | None
) -> None:
    data = {} if reason is None else {"reason": reason}
    answer = people.client("manager").post(f"/work/devices/{world.devices['main']}/open", data=data)
    assert answer.status_code == 422
    assert 'id="reason-error"' in answer.text
    with world.db.read() as session:
        assert not session.scalars(select(OutboxMessage)).all()


def test_what_has_no_door_cannot_be_opened(world: World, people: People) -> None:
    device = world.devices["thermometer"]
    client = people.client("manager")
    assert "/open" not in client.get(f"/work/devices/{device}").text
    answer = client.post(
        f"/work/devices/{device}/open", data={"reason": "visitor"}, follow_redirects=True
    )
    assert "This device cannot do that" in answer.text


def test_the_list_shows_kind_place_state_and_values(
    world: World, people: People, store: TelemetryStore
) -> None:
    put(store, world, "button", "sensor/battery", 12)
    page = people.client("manager").get("/work/devices").text
    for text in ("101 报警按钮", "1号楼", "offline", "Alarm button", "12 %", "whole community"):
        assert text in page
    assert "北门门锁" not in page
    only = people.client("manager").get("/work/devices?kind=thermometer").text
    assert "南门测温" in only
    assert "101 报警按钮" not in only
    assert people.client("manager").get("/work/devices?kind=x&page=y").status_code == 200
    assert "No devices" in people.client("manager").get("/work/devices?page=99").text


def test_without_the_permission_no_value_is_shown(
    world: World, people: People, store: TelemetryStore
) -> None:
    put(store, world, "button", "sensor/battery", 12)
    client = people.client("worker")
    assert "12 %" not in client.get("/work/devices").text
    page = client.get(f"/work/devices/{world.devices['button']}").text
    assert "12 %" not in page
    assert "Your role does not see measurements" in page
    assert "data-charts" not in page


def test_a_device_shows_last_values_and_marks_old_ones(
    world: World, people: People, store: TelemetryStore
) -> None:
    put(store, world, "thermometer", "sensor/ambient_temperature", 21.26)
    client = people.client("manager")
    path = f"/work/devices/{world.devices['thermometer']}"
    page = client.get(path).text
    assert "21.3 °C" in page
    assert "old:" not in page
    world.clock.forward(hours=1)
    assert "old:" in people.client("manager").get(path).text


def test_a_device_without_values_events_and_commands_says_so(
    world: World, people: People, store: TelemetryStore
) -> None:
    page = people.client("manager").get(f"/work/devices/{world.devices['main']}").text
    assert "has not reported any value yet" in page
    assert "No events yet" in page
    assert "Nothing has been asked of this device yet" in page


def test_a_store_that_is_away_takes_nothing_but_the_values(
    world: World, people: People, away: None
) -> None:
    client = people.client("manager")
    device = world.devices["main"]
    for path in ("/work/devices", f"/work/devices/{device}"):
        answer = client.get(path)
        assert answer.status_code == 200
        assert "The telemetry store does not answer" in answer.text
        assert "南门门锁" in answer.text
    data = client.get(f"/work/devices/{device}/telemetry")
    assert data.status_code == 503
    assert "does not answer" in data.get_json()["error"]
    assert client.get(f"/work/devices/{device}/values").status_code == 503


def test_an_application_without_a_store_says_so_too(world: World, people: People) -> None:
    page = people.client("manager").get(f"/work/devices/{world.devices['main']}")
    assert "The telemetry store does not answer" in page.text


def test_curves_come_as_times_means_and_extremes(
    world: World, people: People, store: TelemetryStore
) -> None:
    put(store, world, "thermometer", "sensor/ambient_temperature", 21.0, 22.0, 23.0)
    client = people.client("manager")
    path = f"/work/devices/{world.devices['thermometer']}/telemetry"
    data = client.get(f"{path}?range=1h").get_json()
    curves = {c["key"]: c for c in data["curves"]}
    points = curves["sensor/ambient_temperature"]["points"]
    assert [p[1] for p in points] == [23.0, 22.0, 21.0]
    assert all(data["start"] <= p[0] <= data["end"] for p in points)
    assert curves["sensor/body_temperature"]["points"] == []
    assert client.get(f"{path}?range=century").get_json()["range"] == "24h"


@pytest.mark.parametrize("span", list(Range))
def test_a_chart_has_at_most_500_points(
    world: World, people: People, store: TelemetryStore, span: Range
) -> None:
    now = world.clock()
    every = LENGTHS[span] / 5000
    store.write(
        [
            Point("spring", "button-1", "sensor/battery", now - n * every, 50 + n % 7)
            for n in range(5000)
        ]
    )
    path = f"/work/devices/{world.devices['button']}/telemetry?range={span}"
    curve = next(
        c
        for c in people.client("manager").get(path).get_json()["curves"]
        if c["key"] == "sensor/battery"
    )
    assert 250 < len(curve["points"]) <= MOST_POINTS


def test_a_range_that_no_step_fits_is_refused() -> None:
    with pytest.raises(ValueError, match="too long"):
        charts.step_for(timedelta(days=5000))


def test_values_stand_in_a_table_too(world: World, people: People, store: TelemetryStore) -> None:
    put(store, world, "main", "lock/door", 1.0)
    client = people.client("manager")
    path = f"/work/devices/{world.devices['main']}/values"
    page = client.get(f"{path}?measure=lock/door&range=1h").text
    assert "<td" in page
    assert "locked" in page
    empty = client.get(f"{path}?measure=binary_sensor/tamper")
    assert "Nothing was reported in this time" in empty.text
    assert client.get(f"{path}?measure=../../etc&range=9").status_code == 200


EVENTS: list[tuple[str, dict[str, Any], str]] = [
    ("door", {"state": "forced"}, "Door forced"),
    ("tamper", {"active": True}, "Case opened"),
    ("alarm", {"action": "pressed"}, "Alarm button pressed"),
    ("compartment", {"state": "jammed", "compartment": 7}, "Compartment 7 is jammed"),
    ("reading", {"over_threshold": True}, "Temperature above the limit"),
    ("boot", {"firmware": "1"}, "Device started"),
    ("later", {"state": "new"}, "later"),
]


@pytest.mark.parametrize(("kind", "body", "words"), EVENTS)
def test_events_are_told_in_words(
    world: World, people: People, kind: str, body: dict[str, Any], words: str
) -> None:
    with world.db.write() as session:
        session.add(
            DeviceEvent(
                device_id=world.devices["main"],
                event_id="event-1",
                kind=kind,
                at=world.clock(),
                received_at=world.clock(),
                body=body,
            )
        )
    page = people.client("worker").get(f"/work/devices/{world.devices['main']}").text
    assert words in page


def test_a_retired_device_leaves_the_list_and_opens_nothing(world: World, people: People) -> None:
    device = world.devices["main"]
    with world.db.write() as session:
        session.get_one(Device, device).retired_at = world.clock()
    client = people.client("manager")
    assert "南门门锁" not in client.get("/work/devices").text
    assert "retired" in client.get(f"/work/devices/{device}").text
    answer = client.post(
        f"/work/devices/{device}/open", data={"reason": "visitor"}, follow_redirects=True
    )
    assert "no longer in use" in answer.text
