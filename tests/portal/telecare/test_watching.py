"""Buttons in trouble, settings, the report, the workbench's sources, and the API."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from portal.accounts.tokens import create_token
from portal.core.errors import ConflictError, DomainError, ForbiddenError, NotFoundError
from portal.core.permissions import SYSTEM, Permission, Role
from portal.devices.models import Device
from portal.regions.models import Region
from portal.telecare import report, thresholds, troubles
from portal.telecare.alarm_models import DeviceTrouble, Trouble
from portal.telecare.models import Wearer
from portal.telecare.report import Row, summed
from portal.telecare.thresholds import LIMITS, Settings
from portal.telecare.work import SOURCES
from tests.portal.telecare.ward import Ward
from tests.portal.village import People


def watch(ward: Ward) -> set[str]:
    """Let the worker look; kinds that are open then."""
    with ward.world.db.write() as session:
        troubles.watch(session, ward.world.clock())
        return set(
            session.scalars(select(DeviceTrouble.kind).where(DeviceTrouble.cleared_at.is_(None)))
        )


def button(ward: Ward, **values: Any) -> None:
    with ward.world.db.write() as session:
        for name, value in values.items():
            setattr(session.get_one(Device, ward.world.devices["button"]), name, value)


def online(ward: Ward) -> None:
    button(ward, online=True, status_at=ward.world.clock())


def test_a_button_is_silent_after_a_quarter_of_an_hour_and_well_when_heard_again(
    ward: Ward,
) -> None:
    button(ward, online=False, status_at=ward.world.clock())
    ward.world.clock.forward(minutes=15)
    assert watch(ward) == set()
    ward.world.clock.forward(seconds=1)
    assert watch(ward) == {"silent"}
    assert watch(ward) == {"silent"}
    online(ward)
    assert watch(ward) == set()
    with ward.world.db.read() as session:
        [row] = session.scalars(select(DeviceTrouble)).all()
    assert row.cleared_at == ward.world.clock()


def test_a_weak_battery_is_noted_from_the_event_and_from_telemetry(ward: Ward) -> None:
    online(ward)
    ward.hear(ward.pressed("tested", battery=20.0))
    assert watch(ward) == {"battery"}
    with ward.world.db.write() as session:
        at = ward.world.clock()
        troubles.note_battery(session, ward.wearer, 90.0, at - timedelta(hours=1))
        assert session.get_one(Wearer, ward.wearer).battery == 20.0
        troubles.note_battery(session, ward.wearer, 90.0, at + timedelta(hours=1))
    assert watch(ward) == set()


def test_a_test_is_due_after_a_week_and_done_by_testing_or_pressing(ward: Ward) -> None:
    online(ward)
    ward.world.clock.forward(days=7, seconds=1)
    assert watch(ward) == {"test_due"}
    ward.hear(ward.pressed("tested"))
    assert watch(ward) == set()


def test_a_button_that_nobody_wears_is_not_watched(ward: Ward) -> None:
    with ward.world.db.write() as session:
        session.get_one(Wearer, ward.wearer).device_id = None
    ward.world.clock.forward(days=30)
    assert watch(ward) == set()


def test_a_phantom_press_is_to_be_asked_about_and_ended_by_whoever_asked(
    ward: Ward, people: People
) -> None:
    online(ward)
    ward.boot()
    ward.press()
    assert watch(ward) == {"phantom"}
    worker = people.client("worker")
    assert "Pressed right after starting" in worker.get("/work/telecare/buttons").text
    with ward.world.db.read() as session:
        number = session.scalars(select(DeviceTrouble.id)).one()
    assert worker.post(f"/work/telecare/buttons/{number}/handle").status_code == 302
    assert watch(ward) == set()


def test_trouble_taken_in_hand_comes_back_after_a_day(ward: Ward) -> None:
    button(ward, online=False, status_at=ward.world.clock())
    ward.world.clock.forward(hours=1)
    watch(ward)

    def waiting() -> list[str]:
        with ward.world.db.read() as session:
            rows = troubles.waiting(session, ward.worker, ward.world.clock())
            return [row.kind for row in rows]

    def handle(actor: Any) -> None:
        with ward.world.db.write() as session:
            number = session.scalars(select(DeviceTrouble.id)).one()
            troubles.handle(session, actor, number, ward.world.clock())

    assert waiting() == ["silent"]
    with pytest.raises(NotFoundError):
        handle(ward.world.staff(Role.WORKER, "autumn"))
    with pytest.raises(ForbiddenError):
        handle(ward.world.staff(Role.SUPPORT))
    handle(ward.worker)
    assert waiting() == []
    with pytest.raises(ConflictError):
        handle(ward.world.staff(Role.GATEKEEPER))
    ward.world.clock.forward(days=1)
    assert waiting() == ["silent"]
    handle(ward.worker)


def test_settings_hold_for_new_alarms(ward: Ward, people: People) -> None:
    values = {name: str(getattr(Settings(), name)) for name in LIMITS}
    form = {**values, "cancel_seconds": "5", "contact_seconds": "20"}
    worker = people.client("worker")
    assert worker.post("/work/telecare/settings", data=form).status_code == 302
    assert 'value="20"' in worker.get("/work/telecare/settings").text
    ward.press()
    ward.wait(5)
    assert ward.alarm().next_at == ward.world.clock() + timedelta(seconds=20)


@pytest.mark.parametrize("name", LIMITS)
@pytest.mark.parametrize("value", ["", "x", "-1", "999999", "1.5", "٣"])
def test_settings_refuse_nonsense_beside_the_field(
    ward: Ward, people: People, name: str, value: str
) -> None:
    form = {n: str(getattr(Settings(), n)) for n in LIMITS} | {name: value}
    answer = people.client("worker").post("/work/telecare/settings", data=form)
    assert answer.status_code == 422
    assert f'id="{name}-error"' in answer.text


def test_only_who_manages_sets(ward: Ward) -> None:
    place = ward.world.regions["spring"]
    with ward.world.db.write() as session:
        with pytest.raises(ForbiddenError):
            thresholds.change(session, ward.world.staff(Role.GATEKEEPER), place, Settings())
        with pytest.raises(DomainError):
            thresholds.change(session, ward.worker, place, replace(Settings(), test_days=0))


def rows(*seconds: float | None) -> list[Row]:
    return [Row("2026-03", "closed", "fall", s, raised=True) for s in seconds]


def test_the_report_counts_shares_of_all_that_was_raised() -> None:
    [month] = summed([*rows(*[10.0] * 39, 61.0), Row("2026-03", "tested", "test", None, False)])
    assert (month.raised, month.tests, month.unanswered) == (40, 1, 0)
    assert month.within_60 == 0.975
    assert month.soon_enough
    [worse] = summed(rows(10.0, 60.0, 60.1, 180.0, None))
    assert (worse.within_60, worse.within_180) == (0.4, 0.8)
    assert not worse.soon_enough
    assert not worse.late_enough
    assert (worse.median_s, worse.slowest_s) == (60.05, 180.0)


def test_months_are_the_communitys_and_newest_first(ward: Ward) -> None:
    ward.world.clock.now = ward.world.clock.now.replace(month=3, day=31, hour=16, minute=30)
    ward.press()  # 1 April, 00:30 in Shanghai
    ward.wait(15)
    ward.world.clock.forward(seconds=30)
    ward.act("acknowledge", ward.worker)
    with ward.world.db.read() as session:
        [month] = report.months(session, ward.worker, ward.world.clock())
        assert (
            report.months(session, ward.world.staff(Role.WORKER, "autumn"), ward.world.clock())
            == []
        )
    assert (month.month, month.raised, month.median_s) == ("2026-04", 1, 30.0)


def test_what_rings_right_now_is_no_failure_yet(ward: Ward, people: People) -> None:
    ward.press()
    ward.wait(15)
    worker = people.client("worker")
    assert "No alarms yet" in worker.get("/work/telecare/report").text
    ward.wait(181)
    assert "1 unanswered" in worker.get("/work/telecare/report").text


def test_the_report_is_had_as_csv(ward: Ward, people: People) -> None:
    ward.press()
    ward.act("acknowledge", ward.worker)
    ward.act("close", ward.worker, "fall", "")
    answer = people.client("supervisor").get("/work/telecare/report.csv")
    assert answer.mimetype == "text/csv"
    [row] = csv.DictReader(io.StringIO(answer.data.decode("utf-8-sig")))
    assert (row["month"], row["raised"], row["within_60_s"], row["real"]) == (
        "2026-03",
        "1",
        "1.0000",
        "1",
    )
    assert people.client("support").get("/work/telecare/report.csv").status_code == 403


def test_the_workbench_has_alarms_as_urgent_work(ward: Ward, app: Flask) -> None:
    alarms, faults = SOURCES
    ward.press()
    ward.wait(15)
    now = ward.world.clock()
    with (
        app.test_request_context(headers={"Accept-Language": "en"}),
        ward.world.db.write() as session,
    ):
        [item] = alarms.waiting(session, ward.worker, now, 10)
        assert (item.urgent, item.title, alarms.count(session, ward.worker, now)) == (
            True,
            "李*明",
            1,
        )
        detail = alarms.detail(session, ward.worker, item.id, now)
        assert [c.value for c in detail.choices] == ["acknowledge"]
        assert "李小明" not in repr([str(v) for _, v in detail.facts])
        with pytest.raises(DomainError):
            alarms.decide(session, ward.worker, item.id, "nonsense", "", now)
        alarms.decide(session, ward.worker, item.id, "acknowledge", "", now)
        with pytest.raises(ConflictError):
            alarms.undo(session, ward.worker, item.id, now)
        [item] = alarms.waiting(session, ward.worker, now, 10)
        assert not item.urgent
        alarms.decide(session, ward.worker, item.id, "close_help", "", now)
        assert alarms.waiting(session, ward.worker, now, 10) == []
        assert faults.count(session, ward.worker, now) == 0


def test_the_workbench_has_buttons_in_trouble(ward: Ward, app: Flask) -> None:
    source = SOURCES[1]
    ward.world.clock.forward(days=8)
    watch(ward)
    now = ward.world.clock()
    with (
        app.test_request_context(headers={"Accept-Language": "en"}),
        ward.world.db.write() as session,
    ):
        items = source.waiting(session, ward.worker, now, 10)
        assert {str(i.title) for i in items} == {"Not heard", "Weekly test due"}
        detail = source.detail(session, ward.worker, items[0].id, now)
        assert [c.value for c in detail.choices] == ["handle"]
        source.decide(session, ward.worker, items[0].id, "handle", "", now)
        assert source.count(session, ward.worker, now) == 1
        with pytest.raises(ConflictError):
            source.undo(session, ward.worker, items[0].id, now)


def token(ward: Ward, *permissions: Permission, region: str = "spring") -> dict[str, str]:
    with ward.world.db.write() as session:
        place = session.get_one(Region, ward.world.regions[region])
        issued = create_token(
            session,
            SYSTEM,
            name="Home Assistant",
            permissions=permissions,
            region=place,
            now=ward.world.clock(),
            lifetime=timedelta(days=30),
        )
    return {"Authorization": f"Bearer {issued.text}"}


BOTH = (Permission.TELECARE_LIST, Permission.TELECARE_RESPOND)


def test_a_machine_lists_acknowledges_and_closes(ward: Ward, people: People) -> None:
    ward.press()
    ward.wait(15)
    client, headers = people.client(), token(ward, *BOTH)
    [row] = client.get("/api/v1/alarms", headers=headers).json
    assert (row["state"], row["device"], row["community"]) == ("raised", "button-1", "spring")
    assert row["dwelling"] == "1号楼 1单元 101"
    path = f"/api/v1/alarms/{row['id']}"
    early = client.post(f"{path}/closing", headers=headers, json={"cause": "help"})
    assert (early.status_code, early.json["code"]) == (409, "not_taken")
    taken = client.post(f"{path}/acknowledgement", headers=headers)
    assert (taken.status_code, taken.json["state"]) == (200, "acknowledged")
    assert client.post(f"{path}/acknowledgement", headers=headers).status_code == 409
    assert "Home Assistant" in people.client("worker").get("/work/telecare").text
    closing = {"cause": "help", "note": "扶起"}
    done = client.post(f"{path}/closing", headers=headers, json=closing)
    assert (done.status_code, done.json["cause"]) == (200, "help")
    assert client.get("/api/v1/alarms", headers=headers).json == []
    assert len(client.get("/api/v1/alarms?all=true", headers=headers).json) == 1
    assert client.get(f"/api/v1/alarms?all=true&before={row['id']}", headers=headers).json == []
    assert "李小明" not in done.text
    assert "扶起" not in client.get(path, headers=headers).text


@pytest.mark.parametrize("cause", ["", "nap", 7, None])
def test_a_machine_s_nonsense_is_a_problem(ward: Ward, people: People, cause: object) -> None:
    ward.press()
    path = f"/api/v1/alarms/{ward.alarm().id}/closing"
    answer = people.client().post(path, headers=token(ward, *BOTH), json={"cause": cause})
    assert answer.status_code == 422
    assert answer.content_type == "application/problem+json"


def test_a_token_reaches_its_own_community_and_what_it_may(ward: Ward, people: People) -> None:
    ward.press()
    path = f"/api/v1/alarms/{ward.alarm().id}"
    client = people.client()
    far = token(ward, *BOTH, region="autumn")
    assert client.get("/api/v1/alarms", headers=far).json == []
    assert client.get(path, headers=far).status_code == 404
    assert client.post(f"{path}/acknowledgement", headers=far).status_code == 404
    reader = token(ward, Permission.TELECARE_LIST)
    assert client.post(f"{path}/acknowledgement", headers=reader).status_code == 403
    assert client.get(path).status_code == 401


def test_trouble_has_words_for_every_kind() -> None:
    from portal.telecare.words import TROUBLE_HELP, TROUBLE_NAMES

    assert set(TROUBLE_NAMES) == set(TROUBLE_HELP) == set(Trouble)
