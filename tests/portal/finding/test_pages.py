"""The box and the page of results: what is remembered, what stands in addresses and logs, how often."""

from __future__ import annotations

import logging

import pytest
from sqlalchemy import func, select
from structlog.testing import capture_logs

from portal.core import limits
from portal.core.audit import AuditEntry
from portal.core.search import LONGEST
from portal.finding.remembered import KEY
from tests.portal.vehicles.parking import verified
from tests.portal.village import People
from tests.portal.world import World

SECRET = "李小明"


def test_what_is_typed_comes_back_on_a_page_without_it_in_the_address(people: People) -> None:
    worker = people.client("worker")
    answer = worker.post("/work/search", data={"q": f"  {SECRET} "})
    assert (answer.status_code, answer.location) == (303, "/work/search")
    page = worker.get("/work/search").text
    assert f'value="{SECRET}"' in page
    assert "李*明" in page
    assert "Residents" in page
    with worker.session_transaction() as session:
        assert SECRET not in str(session[KEY])


def test_it_is_forgotten_after_a_quarter_of_an_hour_and_by_an_empty_search(
    world: World, people: People
) -> None:
    worker = people.client("worker")
    worker.post("/work/search", data={"q": SECRET})
    world.clock.forward(minutes=16)
    assert SECRET not in worker.get("/work/search").text
    worker.post("/work/search", data={"q": SECRET})
    worker.post("/work/search", data={"q": " "})
    assert SECRET not in worker.get("/work/search").text


def test_it_counts_for_its_account_only(people: People) -> None:
    worker, other = people.client("worker"), people.client("manager")
    worker.post("/work/search", data={"q": SECRET})
    with worker.session_transaction() as session:
        kept = session[KEY]
    with other.session_transaction() as session:
        session[KEY] = kept
    assert SECRET not in other.get("/work/search").text
    for nonsense in ("x", "AAAA", 7):
        with worker.session_transaction() as session:
            session[KEY] = nonsense
        assert worker.get("/work/search").status_code == 200


def test_log_lines_do_not_hold_what_is_typed(
    people: People, caplog: pytest.LogCaptureFixture
) -> None:
    worker = people.client("worker")
    with caplog.at_level(logging.DEBUG), capture_logs() as events:
        worker.post("/work/search", data={"q": SECRET})
        worker.post("/work/search/suggestions", data={"q": SECRET})
        worker.get("/work/search")
    said = f"{events}{caplog.text}"
    assert "/work/search" in said
    assert SECRET not in said


def test_suggestions_are_masked_links_and_too_little_is_no_answer(
    world: World, people: People
) -> None:
    vehicle_id = verified(world)
    worker = people.client("worker")
    answer = worker.post("/work/search/suggestions", data={"q": "京A12345"})
    assert f'href="/work/vehicles/{vehicle_id}"' in answer.text
    assert "1 result" in answer.text
    assert "12345" not in answer.text
    assert worker.post("/work/search/suggestions", data={"q": " "}).status_code == 204
    assert worker.post("/work/search/suggestions").status_code == 204


def test_found_nothing_and_not_allowed_look_the_same(world: World, people: People) -> None:
    verified(world)
    auditor = people.client("audit_admin")
    there, not_there = (
        auditor.post("/work/search/suggestions", data={"q": plate}).text
        for plate in ("京A12345", "京A54321")
    )
    assert there == not_there


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("1380000", "type all 11 digits"),
        ("11010519900307", "type all 18 characters"),
        ("京A12", "type the whole plate"),
        ("李", "type the whole name"),
    ],
)
def test_a_part_is_answered_with_what_to_type(people: People, text: str, hint: str) -> None:
    worker = people.client("worker")
    worker.post("/work/search", data={"q": text})
    assert hint in worker.get("/work/search").text


@pytest.mark.parametrize("text", ["<script>alert(1)</script>", "x" * 5000, "\x00\x01", "%00", "😀"])
def test_nonsense_is_shown_as_text_and_cut(people: People, text: str) -> None:
    worker = people.client("worker")
    assert worker.post("/work/search", data={"q": text}).status_code == 303
    page = worker.get("/work/search").text
    assert "<script>alert" not in page
    assert "x" * (LONGEST + 1) not in page


def test_an_account_searches_at_most_sixty_times_a_minute(people: People) -> None:
    limits.limiter.enabled = True
    limits.limiter.reset()
    worker, manager = people.client("worker"), people.client("manager")
    answers = {
        worker.post("/work/search/suggestions", data={"q": "1-1-101"}).status_code
        for _ in range(59)
    }
    assert answers == {200}
    assert worker.post("/work/search", data={"q": "1-1-101"}).status_code == 303
    assert worker.post("/work/search/suggestions", data={"q": "1-1-101"}).status_code == 429
    assert manager.post("/work/search/suggestions", data={"q": "1-1-101"}).status_code == 200


def test_each_look_for_a_person_is_in_the_audit(world: World, people: People) -> None:
    worker = people.client("worker")
    worker.post("/work/search/suggestions", data={"q": SECRET})
    worker.post("/work/search/suggestions", data={"q": "1-1-101"})
    with world.db.read() as session:
        number = session.scalar(select(func.count()).where(AuditEntry.action == "search.find"))
    assert number == 1


STATUS = {None: 302, "resident": 403, "worker": 200, "audit_admin": 200, "support": 200}


@pytest.mark.parametrize("who", STATUS)
def test_who_may_search(people: People, who: str | None) -> None:
    client = people.client(who)
    assert client.get("/work/search").status_code == STATUS[who]
    if STATUS[who] != 200:
        for path in ("/work/search", "/work/search/suggestions"):
            assert client.post(path, data={"q": SECRET}).status_code == STATUS[who]


def test_the_box_stands_on_staff_s_pages_only(people: People) -> None:
    assert "data-search" in people.client("worker").get("/work").text
    assert "data-search" not in people.client("resident").get("/home").text
    assert "data-search" not in people.client().get("/").text


def test_what_can_be_found_is_said_by_role_not_by_what_there_is(people: People) -> None:
    worker = people.client("worker").get("/work/search").text
    support = people.client("support").get("/work/search").text
    words = "Residents by whole mobile number"
    assert words in worker
    assert words not in support
    assert "Devices by name or key" in support
