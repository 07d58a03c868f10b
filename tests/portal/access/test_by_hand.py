"""Letting in and turning away by hand: the same decision as at a gate, once, with the guard at it."""

from __future__ import annotations

import itertools
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from mqtt.contract.topics import DeviceAddress
from portal.access.by_hand import Recorded, gates, look_up, record
from portal.access.models import Gate, Outcome
from portal.access.operations import Foreseen
from portal.core.audit import AuditEntry
from portal.core.errors import ConflictError, DomainError, ForbiddenError, NotFoundError
from portal.core.outbox import OutboxMessage
from portal.core.permissions import ROLE_PERMISSIONS, SYSTEM, Actor, Grant, Permission, Role
from portal.devices.models import Device
from portal.passes.operations import revoke
from tests.portal.gatehouse import EAST, FAR, MAIN, Gatehouse

_visits = itertools.count()


def staff(house: Gatehouse, role: Role = Role.GATEKEEPER, place: str = "spring") -> Actor:
    path = f"/{house.communities[place]}/"
    return Actor(f"user:{role}", user_id=7, grants=(Grant(path, ROLE_PERMISSIONS[role], role),))


def visit() -> str:
    return f"visit-{next(_visits):020}"


def act(house: Gatehouse, code: str, gate: DeviceAddress = MAIN, **options: Any) -> Recorded:
    """Record at a gate; `seen` seconds after the code was read."""
    actor = options.pop("actor", None) or staff(house)
    seen = timedelta(seconds=options.pop("seen", 0))
    values = {"visit": visit(), "let_in": True, "seen_at": house.now - seen} | options
    with house.db.write() as session:
        return record(session, actor, code, gate_id=house.gates[gate], now=house.now, **values)


def look(
    house: Gatehouse, code: str, gate: DeviceAddress | None = MAIN, **options: Any
) -> Foreseen:
    actor = options.pop("actor", None) or staff(house)
    place: dict[str, Any] = (
        {"gate_id": house.gates[gate]} if gate else {"community_id": house.communities["spring"]}
    )
    with house.db.write() as session:
        return look_up(session, actor, code, house.now, **place)


def audited(house: Gatehouse, action: str) -> list[AuditEntry]:
    with house.db.read() as session:
        return list(session.scalars(select(AuditEntry).where(AuditEntry.action == action)))


def test_letting_in_writes_a_passage_with_the_guard_and_asks_no_door(house: Gatehouse) -> None:
    code = house.code(house.resident_pass())
    recorded = act(house, code)
    assert (recorded.outcome, recorded.reason, recorded.repeated) == (Outcome.ALLOW, "ok", False)
    [passage] = house.passages()
    assert passage.id == recorded.passage_id
    assert (passage.by_hand, passage.gate_id) == (7, house.gates[MAIN])
    assert passage.resident_id == house.residents["101"]
    assert (passage.transaction, passage.opened_at, passage.offline) == (None, None, False)
    assert house.count(OutboxMessage) == 0
    [entry] = audited(house, "passage.record")
    assert (entry.user_id, entry.object_id, entry.result) == (7, str(passage.id), "allow")


def test_a_double_tap_is_recorded_once(house: Gatehouse) -> None:
    pass_id = house.visitor_pass(uses=3)
    code, same = house.code(pass_id), visit()
    first = act(house, code, visit=same)
    again = act(house, code, visit=same)
    other_way = act(house, code, visit=same, let_in=False)
    assert [r.passage_id for r in (first, again, other_way)] == [first.passage_id] * 3
    assert [r.repeated for r in (first, again, other_way)] == [False, True, True]
    assert other_way.outcome is Outcome.ALLOW
    assert house.uses(pass_id) == 1
    assert len(audited(house, "passage.record")) == 1


def test_a_one_time_pass_is_used_up_by_hand_as_at_a_gate(house: Gatehouse) -> None:
    pass_id = house.visitor_pass()
    code = house.code(pass_id)
    assert act(house, code).outcome is Outcome.ALLOW
    assert house.uses(pass_id) == 1
    assert act(house, code).reason == "used_up"
    assert house.show(code).reason == "used_up"
    assert house.uses(pass_id) == 1


def test_a_gate_refuses_what_was_let_in_by_hand_and_the_other_way_round(house: Gatehouse) -> None:
    pass_id = house.resident_pass()
    code = house.code(pass_id)
    assert act(house, code).outcome is Outcome.ALLOW
    assert house.show(code).reason == "replayed"
    fresh = house.code(pass_id)
    assert house.show(fresh).reason == "ok"
    assert look(house, fresh).decision.reason == "replayed"
    assert act(house, fresh).reason == "replayed"
    assert act(house, fresh, EAST).outcome is Outcome.ALLOW


def test_somebody_turned_away_keeps_their_pass(house: Gatehouse) -> None:
    pass_id = house.visitor_pass()
    code = house.code(pass_id)
    recorded = act(house, code, let_in=False)
    assert (recorded.outcome, recorded.reason) == (Outcome.REFUSE, "turned_away")
    assert house.uses(pass_id) == 0
    assert house.show(code).reason == "ok"
    assert [p.reason for p in house.passages()] == ["turned_away", "ok"]


def test_turning_away_a_bad_pass_keeps_the_reason_of_the_pass(house: Gatehouse) -> None:
    pass_id = house.resident_pass()
    code = house.code(pass_id)
    with house.db.write() as session:
        revoke(session, pass_id, house.now, "moved_out")
    assert act(house, code, let_in=False).reason == "revoked"
    assert act(house, "https://example.org/", let_in=False).reason == "not_a_pass"


def test_a_code_that_lapses_while_the_guard_looks_still_counts(house: Gatehouse) -> None:
    code = house.code(house.resident_pass(), seconds=60)
    house.now += timedelta(seconds=150)
    assert house.show(code).reason == "expired"
    assert act(house, code, seen=140).outcome is Outcome.ALLOW
    assert act(house, code, seen=10).reason == "expired"


def test_a_card_left_open_for_too_long_lets_nobody_in(house: Gatehouse) -> None:
    code = house.code(house.visitor_pass())
    house.now += timedelta(minutes=5)
    assert act(house, code, seen=181).reason == "stale_scan"
    assert act(house, code, seen=180).outcome is Outcome.ALLOW


def test_a_pass_withdrawn_while_the_guard_looks_is_refused(house: Gatehouse) -> None:
    pass_id = house.visitor_pass()
    code = house.code(pass_id)
    assert look(house, code).decision.outcome is Outcome.ALLOW
    with house.db.write() as session:
        revoke(session, pass_id, house.now, "cancelled")
    assert act(house, code, seen=20).reason == "revoked"
    assert house.uses(pass_id) == 0


def test_of_many_guards_at_once_one_lets_a_one_time_pass_in(house: Gatehouse) -> None:
    pass_id = house.visitor_pass()
    code = house.code(pass_id)
    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(lambda _: act(house, code).reason, range(6)))
    assert sorted(found) == ["ok", *["used_up"] * 5]
    assert house.uses(pass_id) == 1


def test_of_many_taps_at_once_one_is_recorded(house: Gatehouse) -> None:
    code, same = house.code(house.resident_pass()), visit()

    def tap(_: int) -> int:
        try:
            return act(house, code, visit=same).passage_id
        except IntegrityError:  # as the page does: once more
            return act(house, code, visit=same).passage_id

    with ThreadPoolExecutor(6) as pool:
        ids = set(pool.map(tap, range(6)))
    assert ids == {house.passages()[0].id}
    assert len(house.passages()) == 1


def test_looking_uses_nothing_up_and_is_audited(house: Gatehouse) -> None:
    pass_id = house.visitor_pass()
    code = house.code(pass_id)
    for _ in range(3):
        assert look(house, code).decision.outcome is Outcome.ALLOW
    look(house, "nonsense")
    assert house.uses(pass_id) == 0
    assert house.passages() == []
    entries = audited(house, "pass.look_up")
    assert [(e.object_id, e.result) for e in entries] == [(pass_id, "allow")] * 3 + [
        ("unknown", "refuse")
    ]
    assert {e.user_id for e in entries} == {7}
    assert entries[3].detail == {"reason": "not_a_pass", "gate": house.gates[MAIN]}
    assert not any(code in str(e.detail) for e in entries)


def test_away_from_a_gate_only_the_pass_counts(house: Gatehouse) -> None:
    for_east = house.code(house.visitor_pass(scope=(house.gates[EAST],)))
    assert look(house, for_east).decision.reason == "out_of_scope"
    assert look(house, for_east, gate=None).decision.reason == "ok"
    shown = house.code(house.resident_pass())
    assert house.show(shown).reason == "ok"
    assert look(house, shown, gate=None).decision.reason == "ok"
    elsewhere = house.code(house.resident_pass("301"))
    assert look(house, elsewhere, gate=None).decision.reason == "wrong_community"


@pytest.mark.parametrize("role", Role)
def test_which_roles_look_and_which_record(sqlite_house: Gatehouse, role: Role) -> None:
    house = sqlite_house
    actor = staff(house, role)
    code = house.code(house.resident_pass())
    for permission, doing in ((Permission.PASS_SCAN, look), (Permission.PASSAGE_RECORD, act)):
        if permission in ROLE_PERMISSIONS[role]:
            doing(house, code, actor=actor)
        else:
            with pytest.raises(ForbiddenError):
                doing(house, code, actor=actor)
    assert bool(house.passages()) == (role is Role.GATEKEEPER)


def test_a_gate_of_another_community_does_not_exist(sqlite_house: Gatehouse) -> None:
    house = sqlite_house
    code = house.code(house.resident_pass())
    for doing in (look, act):
        with pytest.raises(NotFoundError):
            doing(house, code, FAR)
    with house.db.read() as session:
        assert {g.id for g in gates(session, staff(house))} == {
            house.gates[MAIN],
            house.gates[EAST],
        }
        assert list(gates(session, staff(house, Role.MANAGER))) == []


def test_what_makes_no_sense_is_refused(sqlite_house: Gatehouse) -> None:
    house = sqlite_house
    code = house.code(house.resident_pass())
    for bad in ("", "x" * 1025):
        with pytest.raises(DomainError):
            look(house, bad)
    for name in ("", "short", "a" * 49, "with space in its name"):
        with pytest.raises(DomainError):
            act(house, code, visit=name)
    grants = staff(house).grants
    with pytest.raises(DomainError):
        act(house, code, actor=Actor("machine", token_id=1, grants=grants))
    with pytest.raises(NotFoundError):
        act(house, code, actor=SYSTEM)
    assert house.passages() == []


def test_a_retired_gate_is_no_place_to_let_in(sqlite_house: Gatehouse) -> None:
    house = sqlite_house
    code = house.code(house.resident_pass())
    with house.db.write() as session:
        gate = session.get_one(Gate, house.gates[MAIN])
        session.get_one(Device, gate.device_id).retired_at = house.now
    for doing in (look, act):
        with pytest.raises(ConflictError):
            doing(house, code)
