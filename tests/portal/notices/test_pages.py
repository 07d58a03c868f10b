"""Notices in a browser: writing, publishing, reading, confirming, the lists of staff, the public page."""

from __future__ import annotations

import re
from datetime import timedelta
from io import BytesIO

import pytest
from sqlalchemy import select

from portal.core.permissions import Role
from portal.notices.models import Notice, NoticeReceipt
from tests.portal.notices.written import (
    building,
    confirmed,
    edited,
    read,
    released,
    stored,
    withdrawn,
    written,
)
from tests.portal.village import People
from tests.portal.world import SPRING_USCC, START, World

PUBLISHING = {Role.WORKER, Role.MANAGER, Role.SUPERVISOR}


def form(world: World, **values: object) -> dict[str, object]:
    return {
        "title": "电梯检修通知",
        "body": "周三 9:00 起**检修**电梯。",
        "region": str(world.regions["spring"]),
        "places": [f"b{world.buildings['spring 1号楼']}"],
        "relation": "",
        "priority": "normal",
        "confirm": "y",
        "confirm_by": "2026-03-05T12:00",
        "publish_at": "",
        "expires_at": "2026-03-09T16:00",
        **values,
    }


def test_from_writing_to_confirming(world: World, people: People) -> None:
    worker, resident = people.client("worker"), people.client("resident")
    neighbour = people.client("neighbour")
    answer = worker.post("/work/notices/new", data=form(world))
    assert answer.status_code == 303
    preview = worker.get(answer.location).text
    assert "<strong>检修</strong>" in preview
    assert "People reached now: 1 (households: 1)." in preview
    notice_id = int(answer.location.rsplit("/", 1)[1])
    assert "电梯检修通知" not in resident.get("/notices").text

    assert worker.post(f"/work/notices/{notice_id}/release").status_code == 303
    home = resident.get("/home").text
    assert "电梯检修通知" in home
    assert "Please read and confirm." in home
    assert "电梯检修通知" not in neighbour.get("/home").text
    assert neighbour.get(f"/notices/{notice_id}").status_code == 404
    assert neighbour.post(f"/notices/{notice_id}/confirm").status_code == 404

    assert "To confirm" in resident.get("/notices").text
    page = resident.get(f"/notices/{notice_id}").text
    assert "I have read and understood" in page
    done = resident.post(
        f"/notices/{notice_id}/confirm", data={"revision": "1"}, follow_redirects=True
    ).text
    assert "Your confirmation has been noted" in done
    assert "You confirmed this on 2 Mar 2026, 16:00." in done
    assert "电梯检修通知" not in resident.get("/home").text

    counts = worker.get(f"/work/notices/{notice_id}").text
    assert "Confirmed: 1 (households: 1)" in counts
    assert "1 of 1" in worker.get("/work/notices").text


def test_times_are_those_of_the_community(world: World, people: People) -> None:
    answer = people.client("worker").post(
        "/work/notices/new", data=form(world, publish_at="2026-03-03T08:00")
    )
    row = stored(world, int(answer.location.rsplit("/", 1)[1]))
    assert row.publish_at == START + timedelta(hours=16)


NONSENSE: list[tuple[str, str]] = [
    ("title", ""),
    ("title", "🎉"),
    ("title", "长" * 300),
    ("body", ""),
    ("body", "长" * 10_001),
    ("body", "\u202e\u202e \x00"),
    ("publish_at", "yesterday"),
    ("publish_at", "0001-01-01T00:00"),
    ("publish_at", "9999-12-31T23:59"),
    ("expires_at", "<script>"),
    ("expires_at", "2026-03-02T15:59"),
    ("confirm_by", "2027-03-02T15:59"),
    ("priority", "'; DROP TABLE notices; --"),
    ("relation", "tenant"),
    ("relation", "king"),
]


@pytest.mark.parametrize(("field", "value"), NONSENSE)
def test_nonsense_gets_a_sentence_beside_its_field_and_nothing_is_lost(
    world: World, people: People, field: str, value: str
) -> None:
    sent = form(world, **{field: value})
    answer = people.client("worker").post("/work/notices/new", data=sent)
    assert answer.status_code == 422
    # nobody of that kind lives there: said beside the places
    beside = "places" if value == "tenant" else field
    assert f'id="{beside}-error"' in answer.text
    for name in ("title", "confirm_by", "expires_at"):
        if name != field:
            assert f'value="{sent[name]}"' in answer.text
    if field != "body":
        assert str(sent["body"]) in answer.text
    elif len(value) > 1000:
        assert value in answer.text
    assert re.search(r'checked[^>]*value="b\d+"|value="b\d+"[^>]*checked', answer.text)
    with world.db.read() as session:
        assert session.scalars(select(Notice)).all() == []


def test_an_empty_form_is_sentences(people: People) -> None:
    answer = people.client("worker").post("/work/notices/new", data={})
    assert answer.status_code == 422
    assert 'id="title-error"' in answer.text
    assert 'id="body-error"' in answer.text


def test_people_are_counted_without_a_script(world: World, people: People) -> None:
    answer = people.client("worker").post("/work/notices/new", data=form(world, count="1"))
    assert answer.status_code == 200
    assert "People reached now: 1 (households: 1)." in answer.text
    assert 'value="电梯检修通知"' in answer.text
    assert "-error" not in answer.text


def test_people_are_counted_live(world: World, people: People) -> None:
    worker = people.client("worker")
    place = f"b{world.buildings['spring 1号楼']}"
    for address, people_reached in (
        (f"/work/notices/reach?region={world.regions['spring']}", 2),
        (f"/work/notices/reach?places={place}", 1),
        (f"/work/notices/reach?places=b0&places={place}&places=nonsense", 1),
    ):
        fragment = worker.get(address).text
        assert f"People reached now: {people_reached} (" in fragment
        assert "<html" not in fragment
    assert "Reaches nobody now." in worker.get("/work/notices/reach?relation=tenant").text
    whom = worker.get(f"/work/notices/reach?again=1&region={world.regions['autumn']}").text
    assert "1号楼" in whom
    assert f"b{world.buildings['autumn 1号楼']}" not in whom
    assert people.client("gatekeeper").get("/work/notices/reach").status_code == 403


def test_what_others_saved_meanwhile_is_not_written_over(world: World, people: People) -> None:
    notice_id = released(world)
    first, second = people.client("worker"), people.client("manager")
    version = re.search(
        r'name="version" value="(\d+)"', first.get(f"/work/notices/{notice_id}/edit").text
    )
    assert version is not None
    sent = form(world, version=version[1], confirm="", confirm_by="")
    assert second.post(f"/work/notices/{notice_id}/edit", data=sent).status_code == 303
    late = first.post(f"/work/notices/{notice_id}/edit", data={**sent, "body": "我写了很久的内容"})
    assert late.status_code == 422
    assert "Somebody has changed this notice in the meantime" in late.text
    assert "我写了很久的内容" in late.text
    assert stored(world, notice_id).body == "周三 9:00 起**检修**电梯。"


def test_a_published_notice_of_a_building_can_be_edited(world: World, people: People) -> None:
    notice_id = released(world, audience=building(world))
    page = people.client("worker").get(f"/work/notices/{notice_id}/edit").text
    assert "春晓社区 · 1号楼" in page
    refused = people.client("worker").post(f"/work/notices/{notice_id}/edit", data={"title": ""})
    assert refused.status_code == 422
    assert "春晓社区 · 1号楼" in refused.text


def test_readers_see_that_a_text_was_changed(world: World, people: People) -> None:
    notice_id = released(world)
    resident = people.client("resident")
    assert "Changed" not in resident.get(f"/notices/{notice_id}").text
    world.clock.forward(hours=1)
    edited(world, notice_id, body="改为后天停水。")
    assert "Changed since you read it, on 2 Mar 2026, 17:00." in (
        resident.get(f"/notices/{notice_id}").text
    )
    assert "Changed on 2 Mar 2026, 17:00." in resident.get(f"/notices/{notice_id}").text
    staff = people.client("worker").get(f"/work/notices/{notice_id}").text
    assert "Version 1 of" in staff


def test_a_withdrawn_notice_shows_the_reason_in_place_of_the_text(
    world: World, people: People
) -> None:
    notice_id = released(world)
    worker, resident = people.client("worker"), people.client("resident")
    empty = worker.post(f"/work/notices/{notice_id}/withdraw", data={"reason": ""})
    assert empty.status_code == 422
    assert 'id="reason-error"' in empty.text
    worker.post(f"/work/notices/{notice_id}/withdraw", data={"reason": "停水取消"})
    page = resident.get(f"/notices/{notice_id}").text
    assert "停水取消" in page
    assert "请提前储水" not in page
    assert "明天停水" in resident.get("/notices?show=earlier").text
    again = worker.post(
        f"/work/notices/{notice_id}/withdraw", data={"reason": "x"}, follow_redirects=True
    )
    assert "not published any more" in again.text


def test_reading_is_noted_once_the_page_is_open_and_delivery_with_the_list(
    world: World, people: People
) -> None:
    notice_id = released(world)
    resident = people.client("resident")

    def receipt() -> NoticeReceipt | None:
        with world.db.read() as session:
            return session.get(NoticeReceipt, (notice_id, world.residents["resident"]))

    resident.get("/home")
    assert receipt() is None
    assert "Unread" in resident.get("/notices").text
    row = receipt()
    assert row is not None
    assert row.read_at is None
    resident.get(f"/notices/{notice_id}")
    row = receipt()
    assert row is not None
    assert row.read_at == START
    assert "data-unread" not in resident.get("/notices").text


def test_a_change_between_opening_and_confirming_is_told(world: World, people: People) -> None:
    notice_id = released(world, confirm=True)
    edited(world, notice_id, confirm=True, body="改为后天。")
    for revision in ("1", "nonsense", ""):
        answer = people.client("resident").post(
            f"/notices/{notice_id}/confirm", data={"revision": revision}, follow_redirects=True
        )
        assert "The text has changed since you opened it" in answer.text


@pytest.mark.parametrize("who", ["pending", "refused"])
def test_residents_not_approved_have_no_notices(world: World, people: People, who: str) -> None:
    notice_id = released(world)
    client = people.client(who)
    assert "No notices" in client.get("/notices").text
    assert client.get(f"/notices/{notice_id}").status_code == 404


EVERYBODY = [*(str(role) for role in Role), "far_worker", "resident", None]
PAGES = ["", "/edit", "/readers", "/visits"]
ACTS = ["/release", "/withdraw", "/discard", "/remind", "/edit", "/files", "/files/1/remove"]


def _refusal(who: str | None) -> int:
    return {None: 302, "far_worker": 404}.get(who, 403)


@pytest.mark.parametrize("who", EVERYBODY)
def test_who_may_open_the_pages_of_staff(world: World, people: People, who: str | None) -> None:
    notice_id = released(world)
    client = people.client(who)
    allowed = who in set(Role) and Role(str(who)) in PUBLISHING
    for page in ("/work/notices", "/work/notices/new"):
        listing = 200 if allowed or who == "far_worker" else _refusal(who)
        assert client.get(page).status_code == listing
    for page in PAGES:
        expected = 200 if allowed else _refusal(who)
        assert client.get(f"/work/notices/{notice_id}{page}").status_code == expected


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("who", [w for w in EVERYBODY if w not in {str(r) for r in PUBLISHING}])
def test_who_may_not_act(world: World, people: People, who: str | None, act: str) -> None:
    notice_id = written(world)
    answer = people.client(who).post(
        f"/work/notices/{notice_id}{act}",
        data={"reason": "x", "file": (BytesIO(b"%PDF-1.4 %%EOF"), "a.pdf")},
    )
    assert answer.status_code == _refusal(who)
    assert stored(world, notice_id).state == "draft"


def test_a_resident_s_page_is_for_residents(world: World, people: People) -> None:
    notice_id = released(world)
    for path in ("/notices", f"/notices/{notice_id}"):
        assert people.client("worker").get(path).status_code == 403
        assert people.client().get(path).status_code == 302
        expected = 404 if path[-1].isdigit() else 200
        assert people.client("outsider").get(path).status_code == expected


def test_reminding_marks_the_notice_and_is_possible_once_a_day(
    world: World, people: People
) -> None:
    notice_id = released(world)
    worker, resident = people.client("worker"), people.client("resident")
    answer = worker.post(f"/work/notices/{notice_id}/remind", follow_redirects=True)
    assert "Reminded" in answer.text
    assert "The community reminds you to read this." in resident.get("/home").text
    assert "Reminder" in resident.get("/notices").text
    again = worker.post(f"/work/notices/{notice_id}/remind", follow_redirects=True)
    assert "People have been reminded today" in again.text


def test_households_are_shown_masked_and_names_only_to_who_lists_residents(
    world: World, people: People
) -> None:
    notice_id = released(world)
    for path in ("readers", "visits"):
        page = people.client("worker").get(f"/work/notices/{notice_id}/{path}").text
        assert "1号楼 1单元 101" in page
        assert "李*明" in page
        assert "李小明" not in page
        other = people.client("manager").get(f"/work/notices/{notice_id}/{path}").text
        assert "1号楼 1单元 101" in other
        assert "李*明" not in other
    read(world, notice_id)
    assert "101" not in people.client("worker").get(f"/work/notices/{notice_id}/readers").text
    done = people.client("worker").get(f"/work/notices/{notice_id}/readers?show=done").text
    assert "1号楼 1单元 101" in done
    nonsense = f"/work/notices/{notice_id}/readers?show=x&building=y&page=z"
    assert people.client("worker").get(nonsense).status_code == 200


def test_the_public_page_shows_public_notices_to_everybody(world: World, people: People) -> None:
    shown, hidden = released(world, public=True), released(world, title="内部")
    stranger = people.client()
    page = stranger.get(f"/c/{SPRING_USCC}/notices").text
    assert "明天停水" in page
    assert "内部" not in page
    assert stranger.get(f"/c/{SPRING_USCC}/notices/{shown}").status_code == 200
    assert stranger.get(f"/c/{SPRING_USCC}/notices/{hidden}").status_code == 404
    withdrawn(world, shown)
    assert stranger.get(f"/c/{SPRING_USCC}/notices/{shown}").status_code == 404


@pytest.mark.parametrize("code", ["x", "%00", "A" * 18, "9" * 5000])
def test_an_unknown_community_has_no_public_page(people: People, code: str) -> None:
    assert people.client().get(f"/c/{code}/notices").status_code == 404


def test_pages_speak_chinese(world: World, people: People) -> None:
    notice_id = released(world, confirm=True, priority="urgent")
    client = people.client("resident", "zh_Hans_CN")
    assert "我已阅读并知晓" in client.get(f"/notices/{notice_id}").text
    assert "未读" in client.get("/notices").text or "待确认" in client.get("/notices").text
    assert "送达" in people.client("worker", "zh_Hans_CN").get(f"/work/notices/{notice_id}").text


def test_a_title_turns_no_words_of_the_page_and_markup_stays_text(
    world: World, people: People
) -> None:
    sent = form(world, title="\u202eمرحبا <b>x</b>", body="<img src=x onerror=alert(1)>\n\nשלום")
    answer = people.client("worker").post("/work/notices/new", data=sent)
    page = people.client("worker").get(answer.location).text
    assert "\u202e" not in page
    assert '<bdi class="own-direction" lang="">مرحبا &lt;b&gt;x&lt;/b&gt;</bdi>' in page
    assert "<img src=x" not in page
    assert "&lt;img" in page


def test_home_counts_what_it_does_not_name(world: World, people: People) -> None:
    for _ in range(3):
        released(world, priority="urgent", title="紧急停气")
    for _ in range(2):
        released(world, title="普通")
    home = people.client("resident").get("/home").text
    assert home.count("紧急停气") == 3
    assert "Urgent notice" in home
    assert "普通" not in home
    assert re.search(r"Unread notices.*?<span class=\"figure\">2</span>", home, re.S)


def test_a_confirmed_notice_leaves_the_home_page(world: World, people: People) -> None:
    notice_id = released(world, confirm=True, audience=building(world))
    confirmed(world, notice_id)
    assert "明天停水" not in people.client("resident").get("/home").text
