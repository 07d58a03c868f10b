"""The scanning page: who may open it, what the card shows to whom, what is recorded."""

from __future__ import annotations

import logging
import re
from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from structlog.testing import capture_logs
from werkzeug.test import TestResponse

from portal.access.decision import Reason
from portal.access.models import Passage
from portal.core import limits
from portal.core.audit import AuditEntry
from portal.core.permissions import Role
from portal.core.protected import find_hash
from portal.passes.models import PassKind
from portal.passes.operations import (
    issue_resident_pass,
    issue_visitor_pass,
    revoke,
    show_code,
)
from portal.scanning import tickets
from portal.scanning.card import KINDS, VERDICTS
from portal.scanning.tickets import Ticket
from portal.visitors.models import Invitation, InvitationState
from tests.portal.village import People
from tests.portal.world import World

HTMX = {"HX-Request": "true"}
SCANNING = {Role.WORKER, Role.GATEKEEPER}


def resident_code(world: World, who: str = "resident", number: str = "101") -> tuple[str, str]:
    """A resident's pass and a code of it."""
    with world.db.write() as session:
        held = issue_resident_pass(
            session, world.residents[who], world.dwellings[number], world.clock()
        )
        return held.id, show_code(session, held.id, world.clock(), 60).token


def visitor_code(world: World, uses: int = 1) -> tuple[str, str]:
    """A visitor's pass with its invitation, and its code."""
    now = world.clock()
    with world.db.write() as session:
        held = issue_visitor_pass(
            session,
            resident_id=world.residents["resident"],
            dwelling_id=world.dwellings["101"],
            valid_from=now,
            valid_until=now + timedelta(hours=4),
            now=now,
            max_uses=uses,
        )
        session.add(
            Invitation(
                community_id=world.regions["spring"],
                resident_id=world.residents["resident"],
                dwelling_id=world.dwellings["101"],
                visitor_name="周玉兰",
                visitor_phone="13900000000",
                purpose="visit",
                valid_from=now,
                valid_until=now + timedelta(hours=4),
                state=InvitationState.APPROVED,
                link_token="t" * 43,
                link_hash=find_hash("t" * 43, "link"),
                pass_id=held.id,
                created_at=now,
            )
        )
        return held.id, show_code(session, held.id, now, 60).token


def at(world: World, gate: str = "main") -> str:
    return f"gate-{world.gates[gate]}"


def look(client: FlaskClient, code: str, place: str, **data: str) -> TestResponse:
    return client.post("/work/scan/code", data={"code": code, "place": place, **data}, headers=HTMX)


def ticket_of(answer: TestResponse) -> str:
    found = re.search(r'name="ticket" value="([^"]+)"', answer.text)
    assert found is not None
    return found[1]


def act(client: FlaskClient, ticket: str, what: str = "let_in", **options: Any) -> TestResponse:
    return client.post(
        "/work/scan/passage", data={"ticket": ticket, "act": what}, headers=HTMX, **options
    )


def passages(world: World) -> list[Passage]:
    with world.db.read() as session:
        return list(session.scalars(select(Passage).order_by(Passage.id)))


def title(answer: TestResponse) -> str:
    found = re.search(r'id="verdict-title"[^>]*>([^<]+)<', answer.text)
    assert found is not None
    return found[1]


@pytest.mark.parametrize("who", [*(str(role) for role in Role), "resident", None])
def test_who_may_scan(world: World, people: People, who: str | None) -> None:
    client = people.client(who)
    _, code = resident_code(world)
    answers = [client.get("/work/scan"), look(client, code, at(world))]
    if who is None:
        assert [a.status_code for a in answers] == [302, 302]
    elif who != "resident" and Role(who) in SCANNING:
        assert [a.status_code for a in answers] == [200, 200]
        assert title(answers[1]) == "Valid"
    else:
        assert [a.status_code for a in answers] == [403, 403]


@pytest.mark.parametrize("who", [*(str(role) for role in Role), "resident", None])
def test_who_may_let_in(world: World, people: People, who: str | None) -> None:
    _, code = resident_code(world)
    user = world.users.get(who or "", 0)
    ticket = Ticket(code, world.gates["main"], user, "v" * 32, world.clock().isoformat())
    answer = act(people.client(who), tickets.write(ticket))
    expected = 302 if who is None else 200 if who == Role.GATEKEEPER else 403
    assert answer.status_code == expected
    assert len(passages(world)) == (1 if expected == 200 else 0)


def test_staff_of_elsewhere_neither_see_nor_record_here(world: World, people: People) -> None:
    _, code = resident_code(world)
    client = people.client("far_worker")
    assert look(client, code, at(world)).status_code == 404
    assert look(client, code, f"community-{world.regions['spring']}").status_code == 404
    assert str(world.gates["main"]) not in re.findall(
        r'value="gate-(\d+)"', client.get("/work/scan").text
    )


def test_a_residents_card_is_masked_and_says_where_they_live(world: World, people: People) -> None:
    _, code = resident_code(world)
    answer = look(people.client("gatekeeper"), code, at(world))
    for text in ("Valid", "The pass is valid.", "Resident", "李*明", "1号楼 1单元 101", "春晓社区"):
        assert text in answer.text
    for hidden in ("李小明", "13800000000", code, "/work/residents/"):
        assert hidden not in answer.text


def test_a_worker_gets_to_the_record_but_lets_nobody_in(world: World, people: People) -> None:
    _, code = resident_code(world)
    answer = look(people.client("worker"), code, at(world))
    assert f"/work/residents/{world.residents['resident']}" in answer.text
    assert 'name="ticket"' not in answer.text


def test_a_visitors_card_shows_the_visitor_not_the_host(world: World, people: People) -> None:
    _, code = visitor_code(world)
    answer = look(people.client("gatekeeper", "zh_Hans_CN"), code, at(world))
    assert title(answer) == "有效"
    for text in ("<dd>访客</dd>", "周*兰", "1号楼 1单元 101", "20:00"):
        assert text in answer.text
    assert "周玉兰" not in answer.text
    assert "李" not in answer.text


def test_of_a_pass_from_elsewhere_only_kind_and_community_are_shown(
    world: World, people: People
) -> None:
    _, code = resident_code(world, "outsider", "301")
    answer = look(people.client("gatekeeper"), code, at(world))
    assert title(answer) == "Another community"
    assert "秋实社区" in answer.text
    assert "Resident" in answer.text
    assert "孙" not in answer.text
    assert "301" not in answer.text
    assert 'value="let_in"' not in answer.text


def test_each_verdict_has_a_word_and_each_kind_a_name() -> None:
    assert set(VERDICTS) == set(Reason)
    assert set(KINDS) == set(PassKind)


@pytest.mark.parametrize(
    ("case", "word"),
    [
        ("expired", "Expired"),
        ("revoked", "Withdrawn"),
        ("used", "Used up"),
        ("forged", "Forged"),
        ("unknown", "Not a pass"),
        ("cut", "Not readable"),
        ("building", "Another building"),
    ],
)
def test_each_bad_code_has_its_verdict_and_is_never_let_in(
    world: World, people: People, case: str, word: str
) -> None:
    client = people.client("gatekeeper")
    held, code = visitor_code(world) if case == "used" else resident_code(world, "neighbour", "201")
    gate = at(world, "building" if case == "building" else "main")
    if case == "expired":
        world.clock.forward(minutes=5)  # type: ignore[attr-defined]
    elif case == "revoked":
        with world.db.write() as session:
            revoke(session, held, world.clock(), "moved_out")
    elif case == "used":
        act(client, ticket_of(look(client, code, gate)))
    elif case == "forged":
        last = "A" if code[-2] != "A" else "B"
        code = code[:-2] + last + code[-1]
    elif case == "unknown":
        code = "https://example.org/"
    elif case == "cut":
        code = code[:40]
    before = len(passages(world))
    answer = look(client, code, gate)
    assert title(answer) == word
    assert 'value="let_in"' not in answer.text
    recorded = act(client, ticket_of(answer))
    assert title(recorded) == "Turned away"
    assert [p.outcome for p in passages(world)][before:] == ["refuse"]


def test_letting_in_stands_in_the_log_once_with_the_word_by_hand(
    world: World, people: People
) -> None:
    client = people.client("gatekeeper")
    _, code = visitor_code(world)
    ticket = ticket_of(look(client, code, at(world), visit="a" * 32))
    first, again = act(client, ticket), act(client, ticket)
    assert title(first) == title(again) == "Let through"
    assert "It is in the log of passages." in first.text
    assert "nothing was added" in again.text
    [passage] = passages(world)
    assert passage.by_hand == world.users["gatekeeper"]
    assert passage.event_id == "hand-" + "a" * 32
    log = client.get("/work/passages").text
    assert "Let through" in log
    assert "by hand" in log
    assert title(look(client, code, at(world))) == "Used up"


def test_turning_away_stands_in_the_log(world: World, people: People) -> None:
    client = people.client("gatekeeper")
    _, code = resident_code(world)
    answer = act(client, ticket_of(look(client, code, at(world))), "turn_away")
    assert title(answer) == "Turned away"
    assert "Turned away by the gatekeeper." in client.get("/work/passages").text


def test_away_from_a_gate_there_is_nothing_to_record(world: World, people: People) -> None:
    _, code = resident_code(world)
    answer = look(people.client("gatekeeper"), code, f"community-{world.regions['spring']}")
    assert title(answer) == "Valid"
    assert 'name="ticket"' not in answer.text


def test_a_ticket_of_somebody_else_or_changed_is_worth_nothing(
    world: World, people: People
) -> None:
    _, code = resident_code(world)
    now = world.clock().isoformat()
    stolen = tickets.write(Ticket(code, world.gates["main"], 999_999, "v" * 32, now))
    mine = tickets.write(
        Ticket(code, world.gates["main"], world.users["gatekeeper"], "v" * 32, now)
    )
    client = people.client("gatekeeper")
    for ticket in (stolen, mine[:-8] + "AAAAAAA=", "", "nonsense", "é"):
        answer = act(client, ticket)
        assert answer.status_code == 422
        assert "Scan the code again" in answer.text
    assert act(client, mine, "dance").status_code == 422
    far = tickets.write(Ticket(code, world.gates["far"], world.users["gatekeeper"], "v" * 32, now))
    assert act(client, far).status_code == 404
    assert passages(world) == []
    assert code not in mine


def test_without_scripts_the_card_stands_on_the_whole_page(world: World, people: People) -> None:
    client = people.client("gatekeeper")
    _, code = resident_code(world)
    answer = client.post("/work/scan/code", data={"code": f"\t{code}\r\n", "place": at(world)})
    assert "<!doctype html>" in answer.text
    assert title(answer) == "Valid"
    recorded = client.post(
        "/work/scan/passage", data={"ticket": ticket_of(answer), "act": "let_in"}
    )
    assert "<!doctype html>" in recorded.text
    assert title(recorded) == "Let through"
    assert len(passages(world)) == 1


@pytest.mark.parametrize(
    ("data", "status"),
    [
        ({}, 422),
        ({"code": " \r\n"}, 422),
        ({"code": "x" * 1025}, 422),
        ({"code": "x", "place": "gate-"}, 404),
        ({"code": "x", "place": "gate-999999"}, 404),
        ({"code": "x", "place": "gate-99999999999999999999"}, 404),
        ({"code": "x", "place": "moon-1"}, 404),
    ],
)
def test_nonsense_is_answered_not_crashed_on(
    world: World, people: People, data: dict[str, str], status: int
) -> None:
    sent = {"place": at(world), **data}
    answer = people.client("gatekeeper").post("/work/scan/code", data=sent, headers=HTMX)
    assert answer.status_code == status


def test_the_last_place_is_chosen_again_and_guards_begin_at_a_gate(
    world: World, people: People
) -> None:
    _, code = resident_code(world)
    guard, worker = people.client("gatekeeper"), people.client("worker")
    spring = f"community-{world.regions['spring']}"

    def chosen(client: FlaskClient) -> str:
        return re.findall(r'value="([^"]+)" selected', client.get("/work/scan").text)[0]

    assert chosen(guard).startswith("gate-")
    assert chosen(worker) == spring
    for client in (guard, worker):
        look(client, code, at(world, "building"))
        assert chosen(client) == at(world, "building")
    look(guard, code, spring)
    assert chosen(guard) == spring


def test_only_this_page_may_compile_webassembly(world: World, people: People) -> None:
    client = people.client("gatekeeper")
    assert "'wasm-unsafe-eval'" in client.get("/work/scan").headers["Content-Security-Policy"]
    assert "'unsafe-eval'" not in client.get("/work/scan").headers["Content-Security-Policy"]
    for path in ("/work", "/work/passages", "/sign-in"):
        assert "wasm" not in client.get(path).headers["Content-Security-Policy"]


def test_looks_are_audited_and_neither_log_nor_address_holds_a_code(
    world: World, people: People, caplog: pytest.LogCaptureFixture
) -> None:
    held, code = resident_code(world)
    client = people.client("gatekeeper")
    with caplog.at_level(logging.DEBUG), capture_logs() as events:
        act(client, ticket_of(look(client, code, at(world))))
    said = f"{events}{caplog.text}"
    assert "/work/scan/passage" in said
    for personal in (code, code[:40], held, "李"):
        assert personal not in said
    with world.db.read() as session:
        entries = session.scalars(select(AuditEntry).order_by(AuditEntry.id)).all()
    mine = [e for e in entries if e.user_id == world.users["gatekeeper"]]
    assert [e.action for e in mine] == ["pass.look_up", "passage.record"]
    assert all(code not in str(e.detail) for e in mine)


def test_reading_codes_is_limited_by_account(world: World, people: People) -> None:
    limits.limiter.enabled = True
    guard, worker = people.client("gatekeeper"), people.client("worker")
    statuses = [look(guard, "x", at(world)).status_code for _ in range(61)]
    assert statuses == [200] * 60 + [429]
    assert look(worker, "x", at(world)).status_code == 200


def test_the_navigation_leads_there_for_who_may_scan(world: World, people: People) -> None:
    for who in ("worker", "gatekeeper"):
        assert 'href="/work/scan"' in people.client(who).get("/work").text
    for who in ("manager", "supervisor"):
        assert 'href="/work/scan"' not in people.client(who).get("/work").text
