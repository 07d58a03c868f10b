"""Alarms in a browser: the desk, a responder's page, the contact's side, who may see what."""

from __future__ import annotations

import logging
import re

import pytest
from sqlalchemy import select

from portal.core.audit import AuditEntry
from portal.core.permissions import Role
from portal.telecare.alarm_models import AlarmNotice, AlarmState
from tests.portal.telecare.ward import DAUGHTER, DAUGHTER_PHONE, ENTRY, NOTES, Ward
from tests.portal.village import People

RESPONDERS = {"worker", "gatekeeper", "manager", "health_worker", "supervisor"}
WEAK = {"support", "system_admin", "security_admin", "audit_admin"}


@pytest.fixture
def ringing(ward: Ward) -> Ward:
    """An alarm that the neighbour has been told of."""
    ward.press()
    ward.wait(15)
    return ward


def page_of(ward: Ward) -> str:
    return f"/work/telecare/alarms/{ward.alarm().id}"


def care_of(ward: Ward) -> str:
    return f"/care/alarms/{ward.alarm().id}"


def test_from_the_press_to_the_end_on_pages(ringing: Ward, people: People) -> None:
    worker, neighbour = people.client("worker"), people.client("neighbour")
    desk = worker.get("/work/telecare").text
    assert "李*明" in desk
    assert "李小明" not in desk
    assert "No answer yet" in desk
    assert 'data-ring="' in desk
    home = neighbour.get("/home").text
    assert "李小明 needs help" in home
    assert care_of(ringing) in home

    answer = neighbour.post(f"{care_of(ringing)}/acknowledge")
    assert answer.status_code == 302
    assert "On the way" in worker.get("/work/telecare").text
    assert worker.post(f"{page_of(ringing)}/arrive", follow_redirects=True).status_code == 200
    assert ringing.alarm().state == AlarmState.ON_SITE
    closing = {"cause": "help", "note": "扶回床上"}
    assert worker.post(f"{page_of(ringing)}/close", data=closing).location == "/work/telecare"
    assert "No alarm is open" in worker.get("/work/telecare").text
    assert "needs help" not in neighbour.get("/home").text
    assert "Needed a hand" in worker.get("/work/telecare/past").text


def test_the_responders_page_says_who_where_and_how_to_get_in(
    ringing: Ward, people: People
) -> None:
    page = people.client("worker").get(page_of(ringing)).text
    for word in ("李小明", "1号楼 1单元 101", NOTES, ENTRY, "Hard of hearing", DAUGHTER):
        assert word in page
    assert f"tel:{DAUGHTER_PHONE}" in page
    assert "郑未定" not in page


def test_a_first_look_is_audited_once_and_marks_the_notice(ringing: Ward, people: People) -> None:
    ringing.wait(120)  # the worker on duty is told
    client = people.client("worker")
    for _ in range(3):
        client.get(page_of(ringing))
    with ringing.world.db.read() as session:
        looks = session.scalars(select(AuditEntry).where(AuditEntry.action == "alarm.looked")).all()
        seen = session.scalars(
            select(AlarmNotice.seen_at).where(AlarmNotice.person == ringing.person("worker"))
        ).all()
    assert len(looks) == 1
    assert seen == [ringing.world.clock()]


def test_notes_and_numbers_are_covered_again_when_it_is_over(ringing: Ward, people: People) -> None:
    ringing.act("acknowledge", ringing.worker)
    ringing.act("close", ringing.worker, "mistake", "")
    for client, page in (
        (people.client("worker"), page_of(ringing)),
        (people.client("neighbour"), care_of(ringing)),
    ):
        text = client.get(page).text
        for secret in (NOTES, ENTRY, DAUGHTER_PHONE, "13800000000"):
            assert secret not in text
    assert "李小明" not in people.client("worker").get(page_of(ringing)).text


@pytest.mark.parametrize("who", [None, "far_worker", *sorted(RESPONDERS | WEAK), "resident"])
def test_who_may_open_an_alarm(ringing: Ward, people: People, who: str | None) -> None:
    status = people.client(who).get(page_of(ringing)).status_code
    expected = {None: 302, "far_worker": 404, "resident": 403}
    assert status == expected.get(who, 200 if who in RESPONDERS else 403)


@pytest.mark.parametrize("verb", ["acknowledge", "arrive", "hand_back"])
@pytest.mark.parametrize("who", ["far_worker", *sorted(WEAK), "resident", "outsider"])
def test_who_may_not_answer(ringing: Ward, people: People, who: str, verb: str) -> None:
    client = people.client(who)
    assert client.post(f"{page_of(ringing)}/{verb}").status_code in {403, 404}
    assert client.post(f"{care_of(ringing)}/{verb}").status_code in {403, 404}
    assert ringing.alarm().state == AlarmState.RAISED


@pytest.mark.parametrize("who", ["resident", "outsider", "pending", "worker"])
def test_a_contacts_page_is_for_contacts_who_were_told(
    ringing: Ward, people: People, who: str
) -> None:
    answer = people.client(who).get(care_of(ringing))
    assert answer.status_code == (403 if who == "worker" else 404)
    assert people.client("neighbour").get(care_of(ringing)).status_code == 200


def test_a_contact_who_was_not_told_yet_is_not_disturbed(ward: Ward, people: People) -> None:
    ward.press()
    neighbour = people.client("neighbour")
    assert "needs help" not in neighbour.get("/home").text
    assert neighbour.get(care_of(ward)).status_code == 404


def test_a_contact_closes_only_what_they_took_themselves(ringing: Ward, people: People) -> None:
    ringing.act("acknowledge", ringing.worker)
    neighbour = people.client("neighbour")
    page = neighbour.get(care_of(ringing)).text
    assert "Somebody has taken this alarm" in page
    assert 'id="closing"' not in page
    neighbour.post(f"{care_of(ringing)}/close", data={"cause": "mistake", "note": ""})
    assert ringing.alarm().state == AlarmState.ACKNOWLEDGED


def test_the_second_responder_reads_that_somebody_was_faster(ringing: Ward, people: People) -> None:
    worker, keeper = people.client("worker"), people.client("gatekeeper")
    worker.post(f"{page_of(ringing)}/acknowledge")
    answer = keeper.post(f"{page_of(ringing)}/acknowledge", follow_redirects=True)
    assert "Somebody has taken this alarm already." in answer.text


@pytest.mark.parametrize(
    ("data", "field"),
    [({}, "cause"), ({"cause": "<b>"}, "cause"), ({"cause": "fall", "note": "长" * 501}, "note")],
)
def test_nonsense_in_the_closing_form_gets_a_sentence_and_nothing_is_lost(
    ringing: Ward, people: People, data: dict[str, str], field: str
) -> None:
    ringing.act("acknowledge", ringing.worker)
    sent = {"note": "老人平安", **data}
    answer = people.client("worker").post(f"{page_of(ringing)}/close", data=sent)
    assert answer.status_code == 422
    assert f'id="{field}-error"' in answer.text
    assert sent["note"] in answer.text


def seen_of(text: str) -> str:
    found = re.search(r"seen=([0-9a-f]{16})", text)
    assert found is not None
    return found[1]


def test_live_parts_are_sent_again_only_when_something_has_changed(
    ringing: Ward, people: People
) -> None:
    worker = people.client("worker")
    desk = seen_of(worker.get("/work/telecare").text)
    assert worker.get(f"/work/telecare/live?seen={desk}").status_code == 204
    ringing.press()
    fresh = worker.get(f"/work/telecare/live?seen={desk}")
    assert fresh.status_code == 200
    assert seen_of(fresh.text) != desk


def test_an_alarms_page_is_loaded_anew_when_something_else_can_be_done(
    ringing: Ward, people: People
) -> None:
    worker = people.client("worker")
    seen = seen_of(worker.get(page_of(ringing)).text)
    live = f"{page_of(ringing)}/live?seen={seen}&group=ringing"
    assert worker.get(live).status_code == 204
    ringing.press()
    assert "pressed 2 times" in worker.get(live).text
    ringing.act("acknowledge", ringing.neighbour)
    answer = worker.get(live)
    assert answer.headers["HX-Refresh"] == "true"


def test_a_button_that_nobody_wears_is_on_the_desk_with_its_title(
    ward: Ward, people: People
) -> None:
    from portal.telecare.models import Wearer

    with ward.world.db.write() as session:
        session.get_one(Wearer, ward.wearer).device_id = None
    ward.press()
    ward.wait(15)
    client = people.client("gatekeeper")
    assert "101 报警按钮" in client.get("/work/telecare").text
    assert "Nobody is entered for this button" in client.get(page_of(ward)).text


def test_the_wearer_sees_who_is_called(ward: Ward, people: People) -> None:
    page = people.client("resident").get("/care").text
    assert "王芳" in page
    assert DAUGHTER in page
    assert "郑未定" not in page
    assert "You have agreed to help" in people.client("neighbour").get("/care").text
    assert "Nobody has named you" in people.client("outsider").get("/care").text


def test_pages_are_in_chinese_too(ringing: Ward, people: People, translations: None) -> None:
    worker = people.client("worker", "zh_Hans_CN")
    assert "尚无人应答" in worker.get("/work/telecare").text
    assert "我来处理" in worker.get(page_of(ringing)).text
    home = people.client("neighbour", "zh_Hans_CN").get("/home").text
    assert "李小明 需要帮助" in home


def test_no_personal_data_in_logs_addresses_and_audit(
    ringing: Ward, people: People, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    worker, neighbour = people.client("worker"), people.client("neighbour")
    pages = [worker.get("/work/telecare").text, worker.get(page_of(ringing)).text]
    neighbour.post(f"{care_of(ringing)}/acknowledge")
    neighbour.post(f"{care_of(ringing)}/close", data={"cause": "fall", "note": "膝盖擦伤"})
    with ringing.world.db.read() as session:
        audit = repr([(e.actor, e.detail) for e in session.scalars(select(AuditEntry))])
    links = " ".join(
        link
        for page in pages
        for link in re.findall(r'(?:href|action|hx-get)="([^"]*)"', page)
        if not link.startswith("tel:")
    )
    for secret in ("李小明", NOTES, ENTRY, DAUGHTER, DAUGHTER_PHONE, "膝盖擦伤", "王芳"):
        for text in (caplog.text, audit, links):
            assert secret not in text


def test_personal_data_is_not_readable_in_the_database(ringing: Ward) -> None:
    ringing.act("acknowledge", ringing.worker)
    ringing.act("close", ringing.worker, "fall", "膝盖擦伤")
    tables = ("telecare_wearers", "telecare_contacts", "alarms", "alarm_entries", "outbox")
    with ringing.world.db.engine.connect() as connection:
        text = "".join(
            repr(connection.exec_driver_sql(f"SELECT * FROM {table}").all()) for table in tables
        )
    for secret in (NOTES, ENTRY, DAUGHTER, DAUGHTER_PHONE, "膝盖擦伤"):
        assert secret not in text


def test_the_workbench_shows_who_is_in_need_first(ringing: Ward, people: People) -> None:
    item = f"/work/items/telecare.alarm/{ringing.alarm().id}"
    assert item not in people.client("support").get("/work").text
    page = people.client("gatekeeper").get("/work").text
    assert item in page
    assert "Urgent" in page
    ringing.act("acknowledge", ringing.world.staff(Role.GATEKEEPER))
    page = people.client("gatekeeper").get("/work").text
    assert item in page, "somebody has still to go there"
    assert "Urgent" not in page
