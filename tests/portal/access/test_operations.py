"""Scans on real databases: what is written, once, for whom; batches and single scans agree."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.exc import IntegrityError, OperationalError

from mqtt.contract.codec import Fault, decode_command
from mqtt.contract.messages import Acknowledge, Refuse, Scan, Unlock
from mqtt.contract.topics import DeviceAddress
from portal.access.cache import Caches
from portal.access.models import Gate, Outcome
from portal.access.openings import record_command_results
from portal.access.operations import decide_scans
from portal.access.scans import Answer, ReceivedScan
from portal.core.outbox import OutboxMessage, OutboxState
from portal.devices.models import Device
from portal.devices.operations import CommandAnswer, record_results
from portal.passes.operations import revoke
from tests.portal.gatehouse import EAST, FAR, MAIN, Gatehouse, gatehouse


def command_of(answer: Answer) -> object:
    assert answer.outgoing is not None
    return decode_command(answer.outgoing.topic.rsplit("/", 1)[1], answer.outgoing.payload)


def test_a_valid_code_opens_the_gate_and_is_written_down(house: Gatehouse) -> None:
    code = house.code(house.resident_pass())
    scan = house.scan(code, body_temperature=36.4)
    [answer] = house.decide((MAIN, scan))
    assert (answer.outcome, answer.reason, answer.fault) == (Outcome.ALLOW, "ok", None)
    command = command_of(answer)
    assert isinstance(command, Unlock)
    assert (command.event, command.pulse_ms) == (scan.id, 2500)
    assert command.expires_at == house.now + timedelta(seconds=10)
    assert answer.outgoing is not None
    assert answer.outgoing.topic == MAIN.command("unlock")
    [passage] = house.passages()
    assert passage.outcome == Outcome.ALLOW
    assert passage.resident_id == house.residents["101"]
    assert passage.dwelling_id == house.dwellings["101"]
    assert passage.body_temperature == 36.4
    assert passage.transaction == command.transaction
    assert passage.token_id is not None
    assert house.count(OutboxMessage, OutboxMessage.state == OutboxState.PENDING) == 1


def test_a_refusal_reaches_the_device_and_the_log(house: Gatehouse) -> None:
    answer = house.show("https://example.org/")
    command = command_of(answer)
    assert isinstance(command, Refuse)
    assert command.reason == "not_a_pass"
    [passage] = house.passages()
    assert (passage.outcome, passage.reason) == (Outcome.REFUSE, "not_a_pass")
    assert passage.pass_id is None
    assert passage.token_id is None


def test_a_used_visitor_pass_is_refused(house: Gatehouse) -> None:
    pass_id = house.visitor_pass()
    code = house.code(pass_id)
    assert house.show(code).reason == "ok"
    assert house.show(code).reason == "used_up"
    assert house.show(code, EAST).reason == "used_up"
    assert house.uses(pass_id) == 1


def test_a_pass_for_three_uses_opens_three_times_in_one_batch(house: Gatehouse) -> None:
    code = house.code(house.visitor_pass(uses=3))
    answers = house.decide(*[(MAIN, house.scan(code)) for _ in range(5)])
    assert [a.reason for a in answers] == ["ok", "ok", "ok", "used_up", "used_up"]


def test_a_copied_code_opens_each_gate_once(house: Gatehouse) -> None:
    pass_id = house.resident_pass()
    code = house.code(pass_id)
    assert [house.show(code, gate).reason for gate in (MAIN, MAIN, EAST, EAST)] == [
        "ok",
        "replayed",
        "ok",
        "replayed",
    ]
    assert house.show(house.code(pass_id)).reason == "ok"


def test_a_code_that_a_phone_keeps_opens_each_gate_once_until_it_is_over(house: Gatehouse) -> None:
    pass_id = house.resident_pass()
    code = house.code(pass_id, 900, offline=True)
    house.now += timedelta(minutes=10)
    assert [house.show(code, gate).reason for gate in (MAIN, MAIN, EAST)] == [
        "ok",
        "replayed",
        "ok",
    ]
    again = house.code(pass_id, 900, offline=True)
    with house.db.write() as session:
        revoke(session, pass_id, house.now, "moved_out")
    assert house.show(again).reason == "revoked"
    house.now += timedelta(minutes=16)
    assert house.show(again).reason == "expired"


def test_a_code_stops_with_its_pass(house: Gatehouse) -> None:
    pass_id = house.resident_pass()
    code = house.code(pass_id)
    with house.db.write() as session:
        assert revoke(session, pass_id, house.now, "moved_out")
        assert not revoke(session, pass_id, house.now, "moved_out")
    assert house.show(code).reason == "revoked"


def test_a_code_expires_and_an_old_scan_opens_nothing(house: Gatehouse) -> None:
    pass_id = house.resident_pass()
    code = house.code(pass_id, seconds=60)
    scan = house.scan(code)
    house.now += timedelta(seconds=20)
    assert house.decide((MAIN, scan))[0].reason == "stale_scan"
    house.now += timedelta(seconds=71)
    assert house.show(code).reason == "expired"


@pytest.mark.parametrize(
    ("number", "gate", "reason"),
    [
        ("101", MAIN, "ok"),
        ("101", EAST, "ok"),
        ("201", MAIN, "ok"),
        ("201", EAST, "wrong_building"),
        ("101", FAR, "wrong_community"),
        ("301", FAR, "ok"),
        ("301", MAIN, "wrong_community"),
    ],
)
def test_a_pass_opens_the_gates_of_its_dwelling(
    sqlite_house: Gatehouse, number: str, gate: DeviceAddress, reason: str
) -> None:
    code = sqlite_house.code(sqlite_house.resident_pass(number))
    assert sqlite_house.show(code, gate).reason == reason


def test_a_scope_names_the_gates_a_pass_opens(house: Gatehouse) -> None:
    code = house.code(house.visitor_pass("201", uses=9, scope=(house.gates[EAST],)))
    assert house.show(code, EAST).reason == "ok"
    assert house.show(code, MAIN).reason == "out_of_scope"


def test_a_gate_that_is_switched_off_stays_shut(house: Gatehouse) -> None:
    code = house.code(house.resident_pass())
    with house.db.write() as session:
        session.get_one(Gate, house.gates[MAIN]).enabled = False
    assert house.show(code).reason == "gate_disabled"


def test_a_pass_that_is_not_on_record_is_refused(house: Gatehouse) -> None:
    pass_id = house.resident_pass()
    code = house.code(pass_id)
    house.change_pass(pass_id, id="0" * 32)
    assert house.show(code).reason == "unknown_pass"


def test_an_unknown_or_retired_device_decides_nothing(house: Gatehouse) -> None:
    code = house.code(house.resident_pass())
    stranger = house.show(code, DeviceAddress("spring", "nobody"))
    assert (stranger.fault, stranger.outgoing) == (Fault.DEVICE, None)
    with house.db.write() as session:
        gate = session.get_one(Gate, house.gates[MAIN])
        session.get_one(Device, gate.device_id).retired_at = house.now
    assert house.show(code).fault is Fault.DEVICE
    assert house.passages() == []


def test_a_repeated_event_gets_its_answer_again_and_no_second_use(house: Gatehouse) -> None:
    pass_id = house.visitor_pass()
    scan = house.scan(house.code(pass_id))
    [first] = house.decide((MAIN, scan))
    house.now += timedelta(seconds=3)
    [again] = house.decide((MAIN, scan))
    assert again.repeated
    assert again.outgoing == first.outgoing
    assert (again.outcome, again.reason) == (Outcome.ALLOW, "ok")
    assert (house.uses(pass_id), len(house.passages())) == (1, 1)


def test_a_repeated_event_whose_command_is_over_is_only_acknowledged(house: Gatehouse) -> None:
    scan = house.scan(house.code(house.visitor_pass()))
    house.decide((MAIN, scan))
    house.now += timedelta(minutes=5)
    [again] = house.decide((MAIN, scan))
    command = command_of(again)
    assert isinstance(command, Acknowledge)
    assert command.events == (scan.id,)
    assert len(house.passages()) == 1


def test_a_repeated_event_whose_command_is_settled_is_only_acknowledged(house: Gatehouse) -> None:
    scan = house.scan(house.code(house.visitor_pass()))
    [first] = house.decide((MAIN, scan))
    assert first.outgoing is not None
    settled = CommandAnswer(MAIN, "unlock", first.outgoing.transaction, True, "", house.now)
    with house.db.write() as session:
        record_results(session, [settled])
    assert isinstance(command_of(house.decide((MAIN, scan))[0]), Acknowledge)


def test_the_same_event_twice_in_a_batch_is_decided_once(house: Gatehouse) -> None:
    pass_id = house.visitor_pass(uses=5)
    scan = house.scan(house.code(pass_id))
    first, second = house.decide((MAIN, scan), (MAIN, scan))
    assert first.outgoing is not None
    assert (second.outgoing, second.repeated, second.reason) == (None, True, "ok")
    assert house.uses(pass_id) == 1


def test_two_devices_may_choose_the_same_event_id(house: Gatehouse) -> None:
    pass_id = house.visitor_pass(uses=5)
    scan = house.scan(house.code(pass_id))
    assert [a.reason for a in house.decide((MAIN, scan), (EAST, scan))] == ["ok", "ok"]
    assert house.uses(pass_id) == 2


def test_a_new_key_is_found_before_the_cache_is_old(house: Gatehouse) -> None:
    ticks = [0.0]
    house.caches = Caches(max_age=3600, clock=lambda: ticks[0])
    assert house.show("LL1:nothing").reason == "malformed"
    code = house.code(house.resident_pass())
    ticks[0] = 2.0
    assert house.show(code).reason == "ok"


def test_the_locks_answer_is_noted_once_and_only_from_that_lock(house: Gatehouse) -> None:
    answer = house.show(house.code(house.resident_pass()))
    assert answer.outgoing is not None
    transaction = answer.outgoing.transaction
    later = house.now + timedelta(seconds=1)
    results = [
        CommandAnswer(FAR, "unlock", transaction, False, "jammed", house.now),
        CommandAnswer(MAIN, "unlock", transaction, True, "", later),
        CommandAnswer(MAIN, "unlock", transaction, False, "jammed", later),
    ]
    for result in results:
        with house.db.write() as session:
            record_results(session, [result])
            record_command_results(session, [result], house.caches, later)
    [passage] = house.passages()
    assert (passage.opened_at, passage.command_reason) == (later, "")
    assert house.count(OutboxMessage, OutboxMessage.state == OutboxState.DONE) == 1


def test_a_lock_whose_clock_is_ahead_has_opened_now(house: Gatehouse) -> None:
    answer = house.show(house.code(house.resident_pass()))
    assert answer.outgoing is not None
    ahead = house.now + timedelta(minutes=4)
    opened = CommandAnswer(MAIN, "unlock", answer.outgoing.transaction, True, "", ahead)
    with house.db.write() as session:
        record_command_results(session, [opened], house.caches, house.now)
    [passage] = house.passages()
    assert passage.opened_at == house.now


def test_several_locks_answer_in_one_batch(house: Gatehouse) -> None:
    codes = [house.code(house.resident_pass("101")) for _ in range(3)]
    answers = house.decide(*[(MAIN, house.scan(code)) for code in codes])
    results = [
        CommandAnswer(MAIN, "unlock", a.outgoing.transaction, True, "", house.now)
        for a in answers
        if a.outgoing is not None
    ]
    with house.db.write() as session:
        record_results(session, results)
        record_command_results(session, results, house.caches, house.now)
    assert house.count(OutboxMessage, OutboxMessage.state == OutboxState.DONE) == 3
    assert [p.opened_at for p in house.passages()] == [house.now] * 3


def test_a_lock_that_fails_without_a_word_is_seen_in_the_log(house: Gatehouse) -> None:
    answer = house.show(house.code(house.resident_pass()))
    assert answer.outgoing is not None
    failed = CommandAnswer(MAIN, "unlock", answer.outgoing.transaction, False, "", house.now)
    with house.db.write() as session:
        record_command_results(session, [failed], house.caches, house.now)
    [passage] = house.passages()
    assert (passage.opened_at, passage.command_reason) == (None, "failed")


def test_several_at_once_take_a_one_time_pass_exactly_once(house: Gatehouse) -> None:
    """Separate sessions on separate threads, started together; a loser repeats like the worker does."""
    rounds, racers = 5, 4
    for _ in range(rounds):
        pass_id = house.visitor_pass()
        code = house.code(pass_id)
        barrier = threading.Barrier(racers)

        def race(number: int, code: str = code, barrier: threading.Barrier = barrier) -> str:
            scan = house.scan(code)
            gate = (MAIN, EAST)[number % 2]
            caches = Caches()
            barrier.wait()
            while True:
                try:
                    with house.db.write() as session:
                        [answer] = decide_scans(
                            session, [ReceivedScan(gate, scan)], house.now, caches
                        )
                except (IntegrityError, OperationalError):
                    continue
                return answer.reason

        with ThreadPoolExecutor(racers) as pool:
            reasons = sorted(pool.map(race, range(racers)))
        assert reasons == ["ok", *["used_up"] * (racers - 1)]
        assert house.uses(pass_id) == 1


def test_several_at_once_open_one_gate_once_with_a_copied_code(house: Gatehouse) -> None:
    code = house.code(house.resident_pass())
    racers = 4
    barrier = threading.Barrier(racers)

    def race(_number: int) -> str:
        scan, caches = house.scan(code), Caches()
        barrier.wait()
        while True:
            try:
                with house.db.write() as session:
                    [answer] = decide_scans(session, [ReceivedScan(MAIN, scan)], house.now, caches)
            except (IntegrityError, OperationalError):
                continue
            return answer.reason

    with ThreadPoolExecutor(racers) as pool:
        reasons = sorted(pool.map(race, range(racers)))
    assert reasons == ["ok", *["replayed"] * (racers - 1)]


def test_a_device_that_repeats_to_two_workers_at_once_gets_one_decision(house: Gatehouse) -> None:
    pass_id = house.visitor_pass(uses=9)
    scan = house.scan(house.code(pass_id))
    barrier = threading.Barrier(2)

    def race(_number: int) -> object:
        caches = Caches()
        barrier.wait()
        while True:
            try:
                with house.db.write() as session:
                    [answer] = decide_scans(session, [ReceivedScan(MAIN, scan)], house.now, caches)
            except (IntegrityError, OperationalError):
                continue
            return answer.outgoing

    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(race, range(2))
    assert first == second
    assert (house.uses(pass_id), len(house.passages())) == (1, 1)


# --- a batch and one after the other agree ----------------------------------------------------


codes = st.sampled_from(["one", "two", "resident", "other", "garbage", "pass_ended"])
steps = st.lists(
    st.tuples(codes, st.sampled_from([MAIN, EAST, FAR]), st.integers(0, 9)),
    min_size=1,
    max_size=12,
)


@given(steps)
@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_a_batch_decides_as_one_after_the_other(
    plan: list[tuple[str, DeviceAddress, int]],
) -> None:
    """Equal event ids in the plan are the same event: the code of the first one counts."""
    outcomes = []
    for batched in (True, False):
        with (
            TemporaryDirectory() as folder,
            gatehouse(f"sqlite:///{folder}/linli.db", Path(folder)) as house,
        ):
            passes = {
                "one": house.visitor_pass(uses=1),
                "two": house.visitor_pass(uses=2),
                "resident": house.resident_pass("101"),
                "other": house.resident_pass("201"),
                "pass_ended": house.resident_pass("301"),
            }
            shown = {name: house.code(pass_id) for name, pass_id in passes.items()}
            house.change_pass(passes["pass_ended"], not_after=house.now)
            shown["garbage"] = "LL1:GARBAGE"
            known: dict[tuple[DeviceAddress, int], Scan] = {}
            scans = []
            for name, gate, number in plan:
                scan = house.scan(shown[name], id=f"event-{number:04}")
                scans.append((gate, known.setdefault((gate, number), scan)))
            batches = [scans] if batched else [[scan] for scan in scans]
            answers = [answer for batch in batches for answer in house.decide(*batch)]
            rows = [
                (p.event_id, p.gate_id, p.outcome, p.reason, p.token_id is not None)
                for p in house.passages()
            ]
            outcomes.append(
                (
                    [(a.event_id, a.outcome, a.reason, a.repeated) for a in answers],
                    rows,
                    [house.uses(pass_id) for pass_id in passes.values()],
                )
            )
    assert outcomes[0] == outcomes[1]
