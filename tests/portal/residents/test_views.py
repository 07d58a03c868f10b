"""Pages about residents: who sees what, masked by default, decided by button."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from portal.core.audit import AuditEntry
from portal.residents.models import Resident, ResidentState
from tests.portal.cast import USCC, Town, resident_row

PEOPLE = (
    "outsider",
    "resident",
    "waiting",
    "refused",
    "neighbour",
    "worker",
    "distant",
    "gatekeeper",
    "manager",
    "supervisor",
    "auditor",
)
ANSWERS = {
    # path or act: answers in the order of PEOPLE
    "/home": (302, 200, 200, 200, 200, 403, 403, 403, 403, 403, 403),
    "/work": (302, 403, 403, 403, 403, 200, 200, 200, 200, 200, 200),
    "/work/residents": (302, 403, 403, 403, 403, 200, 200, 403, 403, 403, 403),
    "detail": (302, 403, 403, 403, 403, 200, 404, 403, 403, 403, 403),
    "unmask": (302, 403, 403, 403, 403, 200, 404, 403, 403, 403, 403),
    "decision": (302, 403, 403, 403, 403, 303, 404, 403, 403, 403, 403),
    "/work/communities": (302, 403, 403, 403, 403, 200, 200, 403, 200, 403, 403),
    "poster": (302, 403, 403, 403, 403, 200, 404, 403, 200, 403, 403),
}


@pytest.mark.parametrize("column", range(len(PEOPLE)), ids=PEOPLE)
def test_who_may_open_and_do_what(town: Town, column: int) -> None:
    person = town.person(PEOPLE[column])
    waiting, community = town.ids["waiting"], town.ids["community"]
    seen = {}
    for name in ANSWERS:
        match name:
            case "detail":
                answer = person.get(f"/work/residents/{waiting}")
            case "unmask":
                answer = person.post(f"/work/residents/{waiting}/unmask")
            case "decision":
                answer = person.post(f"/work/residents/{waiting}/decision", {"decision": "approve"})
            case "poster":
                answer = person.get(f"/work/communities/{community}/poster")
            case path:
                answer = person.get(path)
        seen[name] = answer.status_code
    assert seen == {name: row[column] for name, row in ANSWERS.items()}
    decided = resident_row(town, "waiting").state
    assert (decided == ResidentState.APPROVED) == (PEOPLE[column] == "worker")


def test_the_queue_shows_who_waits_masked_and_in_this_community_only(town: Town) -> None:
    page = town.person("worker").get("/work/residents").text
    assert "李*英" in page
    assert "138****8002" in page
    assert "1号楼 1单元 101" in page
    for absent in ("李秀英", "13800138002", "张*", "王*", "欧**明"):
        assert absent not in page


@pytest.mark.parametrize(
    ("state", "shown"), [("approved", "张*"), ("refused", "欧**明"), ("nonsense", "李*英")]
)
def test_the_queue_by_state(town: Town, state: str, shown: str) -> None:
    assert shown in town.person("worker").get(f"/work/residents?state={state}").text


def test_the_queue_has_pages_in_the_order_of_waiting(town: Town) -> None:
    with town.db.write() as session:
        like = session.get(Resident, town.ids["waiting"])
        assert like is not None
        for n in range(30):
            session.add(
                Resident(
                    community_id=like.community_id,
                    state="pending",
                    name=f"某{'甲乙丙丁'[n % 4]}{n:02}",
                    phone=f"137000000{n:02}",
                    phone_hash=f"{n:064}",
                    document_type="passport",
                    document_number=f"E000000{n:02}",
                    document_hash=f"{n:064}",
                    registered_at=town.clock.now,
                )
            )
    worker = town.person("worker")
    first = worker.get("/work/residents").text
    assert "李*英" in first
    assert "Next page" in first
    second = worker.get("/work/residents?page=2").text
    assert "Previous page" in second
    assert "Next page" not in second
    assert second.count("<tr>") == 1 + 31 - 25
    assert worker.get("/work/residents?page=-3").status_code == 200
    assert worker.get("/work/residents?page=99999999999999999999").status_code == 200


def test_an_empty_queue_says_so(town: Town) -> None:
    assert "Nobody waits" in town.person("distant").get("/work/residents").text


def test_full_values_are_shown_once_on_demand_and_audited(town: Town) -> None:
    worker = town.person("worker")
    address = f"/work/residents/{town.ids['waiting']}"
    full = worker.post(f"{address}/unmask")
    assert "李秀英" in full.text
    assert "13800138002" in full.text
    assert full.headers["Cache-Control"] == "no-store"
    assert "13800138002" not in worker.get(address).text
    with town.db.read() as session:
        looks = session.scalar(select(func.count()).where(AuditEntry.action == "resident.unmask"))
    assert looks == 1


def test_a_refusal_without_reason_keeps_the_page(town: Town) -> None:
    worker = town.person("worker")
    address = f"/work/residents/{town.ids['waiting']}/decision"
    answer = worker.post(address, {"decision": "refuse", "note": ""})
    assert answer.status_code == 422
    assert "Say why: the resident will read it." in answer.text
    long = worker.post(address, {"decision": "refuse", "note": "长" * 201})
    assert long.status_code == 422
    assert "长" * 201 in long.text
    assert worker.post(address, {"decision": "dance"}).status_code == 422
    assert resident_row(town, "waiting").state == ResidentState.PENDING


def test_the_resident_reads_the_decision(town: Town) -> None:
    worker, waiting = town.person("worker"), town.person("waiting")
    assert "waits for approval" in waiting.get("/home").text
    done = worker.post(
        f"/work/residents/{town.ids['waiting']}/decision",
        {"decision": "refuse", "note": "请补交租赁合同"},
    )
    assert "The registration is refused." in worker.get(done.location).text
    page = waiting.get("/home").text
    assert "请补交租赁合同" in page
    assert "register again" in page
    assert f'href="/r/{USCC}"' in page
    assert "请补交租赁合同" in waiting.get("/me").text


def test_the_second_worker_is_told_that_it_is_decided(town: Town) -> None:
    first, second = town.person("worker"), town.person("worker")
    address = f"/work/residents/{town.ids['waiting']}/decision"
    assert first.post(address, {"decision": "approve"}).status_code == 303
    late = second.post(address, {"decision": "refuse", "note": "x"})
    assert late.status_code == 409
    assert "already been decided" in late.text


def test_pages_speak_chinese(town: Town) -> None:
    worker = town.person("worker", language="zh_Hans_CN")
    assert "待审核" in worker.get("/work/residents").text
    assert "显示完整信息" in worker.get(f"/work/residents/{town.ids['waiting']}").text
