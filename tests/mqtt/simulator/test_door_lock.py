import io

import pytest
import segno

from mqtt.contract.telemetry import DeviceKind
from mqtt.simulator.door_lock import HELD_OPEN_SECONDS, PATIENCE_SECONDS, ScanError
from mqtt.simulator.scanner import ImageError
from tests.mqtt.simulator.machines import (
    CODE,
    NOW,
    command,
    events,
    machine,
    results,
    run,
    seconds,
    states,
)


def _lock(**options):
    return machine(DeviceKind.DOOR_LOCK, **options)


def test_an_unlock_opens_the_door_and_it_locks_again_behind_the_person() -> None:
    lock = _lock()
    event, said = lock.scan(CODE, NOW)
    assert [e["code"] for e in events(said, "scan")] == [CODE]
    said = lock.on_command("unlock", command("unlock", event=event), NOW + seconds(0.02))
    assert results(said) == [(True, "")]
    assert states(said, "lock/door") == ["UNLOCKED"]
    later = run(lock, NOW + seconds(0.02), 12)
    doors = {e["id"]: e for e in events(later, "door")}
    assert [e["state"] for e in doors.values()] == ["opened", "closed"]
    assert {e["transaction"] for e in doors.values()} == {"transaction-1"}
    assert states(later, "binary_sensor/contact")[:2] == ["ON", "OFF"]
    assert states(later, "lock/door")[0] == "LOCKED"
    assert lock.locked


def test_the_decision_names_the_outcome_and_the_milliseconds() -> None:
    lock = _lock()
    decisions = []
    lock.on_decision = decisions.append
    event, _ = lock.scan(CODE, NOW)
    lock.on_command(
        "refuse", command("refuse", event=event, reason="revoked"), NOW + seconds(0.025)
    )
    assert [(d.event, d.outcome, d.reason, d.milliseconds) for d in decisions] == [
        (event, "refuse", "revoked", 25.0)
    ]
    assert lock.locked


def test_two_scans_at_once_are_decided_each_by_its_own_answer() -> None:
    lock = _lock(walks=False)
    first, _ = lock.scan(CODE, NOW)
    second, _ = lock.scan(CODE, NOW)
    lock.on_command("unlock", command("unlock", event=second), NOW)
    assert lock.last_decision.event == second
    payload = command("refuse", transaction="transaction-2", event=first, reason="already_used")
    lock.on_command("refuse", payload, NOW)
    assert (lock.last_decision.event, lock.last_decision.outcome) == (first, "refuse")


def test_an_answered_scan_is_not_repeated() -> None:
    lock = _lock(walks=False)
    event, _ = lock.scan(CODE, NOW)
    assert len(events(run(lock, NOW, 7), "scan")) == 2
    lock.on_command("unlock", command("unlock", event=event), NOW + seconds(7))
    assert events(run(lock, NOW + seconds(7), 60), "scan") == []


def test_an_unlock_after_the_person_gave_up_opens_nothing() -> None:
    lock = _lock()
    event, _ = lock.scan(CODE, NOW)
    run(lock, NOW, PATIENCE_SECONDS)
    assert lock.last_decision.outcome == "no_answer"
    later = NOW + seconds(PATIENCE_SECONDS + 60)
    said = lock.on_command("unlock", command("unlock", later, event=event), later)
    assert results(said) == [(False, "nobody_waiting")]
    assert lock.locked
    assert event not in lock.queue


@pytest.mark.parametrize("ahead", [-86_400, -120, 0, 120, 86_400])
def test_an_unlock_opens_for_who_still_waits_whatever_the_clock_says(ahead: int) -> None:
    wrong = NOW + seconds(ahead)
    lock = _lock()
    event, _ = lock.scan(CODE, wrong)
    said = lock.on_command("unlock", command("unlock", event=event), wrong + seconds(1))
    assert results(said) == [(True, "")]
    assert not lock.locked
    assert lock.last_decision.outcome == "unlock"


def test_an_expired_unlock_from_the_office_opens_nothing() -> None:
    lock = _lock()
    said = lock.on_command("unlock", command("unlock"), NOW + seconds(11))
    assert results(said) == [(False, "expired")]
    assert lock.locked


def test_a_scan_the_portal_puts_aside_is_refused_at_once_and_not_repeated() -> None:
    lock = _lock()
    event, _ = lock.scan(CODE, NOW)
    lock.on_command("acknowledge", command("acknowledge", events=(event,)), NOW + seconds(1))
    assert (lock.last_decision.outcome, lock.last_decision.reason) == ("refuse", "not_accepted")
    assert event not in lock.queue
    late = lock.on_command("unlock", command("unlock", event=event), NOW + seconds(2))
    assert results(late) == [(False, "nobody_waiting")]
    assert lock.locked


def test_a_repeated_unlock_does_not_open_twice() -> None:
    lock = _lock(walks=False)
    event, _ = lock.scan(CODE, NOW)
    payload = command("unlock", event=event, pulse_ms=1000)
    lock.on_command("unlock", payload, NOW)
    run(lock, NOW, 2)
    assert lock.locked
    assert results(lock.on_command("unlock", payload, NOW + seconds(3))) == [(True, "")]
    assert lock.locked


def test_an_unlock_from_the_office_needs_no_scan() -> None:
    lock = _lock()
    said = lock.on_command("unlock", command("unlock"), NOW)
    assert states(said, "lock/door") == ["UNLOCKED"]


def test_a_second_unlock_prolongs_the_first() -> None:
    lock = _lock(walks=False)
    lock.on_command("unlock", command("unlock", pulse_ms=2000), NOW)
    again = command("unlock", NOW + seconds(1), transaction="transaction-2", pulse_ms=3000)
    lock.on_command("unlock", again, NOW + seconds(1))
    run(lock, NOW + seconds(1), 2.5)
    assert not lock.locked
    run(lock, NOW + seconds(3.5), 1)
    assert lock.locked


def test_a_door_kept_open_is_reported_once_and_locks_when_it_is_cleared() -> None:
    lock = _lock()
    lock.obstructed = True
    lock.exit(NOW)
    said = run(lock, NOW, 3 * HELD_OPEN_SECONDS)
    held = {e["id"] for e in events(said, "door") if e["state"] == "held_open"}
    assert len(held) == 1
    assert not lock.locked
    lock.clear(NOW + seconds(3 * HELD_OPEN_SECONDS))
    assert lock.locked
    assert not lock.contact_open


def test_a_door_opened_against_its_lock_is_forced_and_an_exit_is_not() -> None:
    assert [e["state"] for e in events(_lock().force(NOW), "door")] == ["forced"]
    assert [e["state"] for e in events(_lock().exit(NOW), "door")] == ["opened"]


def test_a_picture_of_a_pass_is_scanned_and_one_without_is_not() -> None:
    picture = io.BytesIO()
    segno.make(CODE).save(picture, kind="png", scale=5)
    _, said = _lock().show_image(picture.getvalue(), NOW)
    assert events(said, "scan")[0]["code"] == CODE
    blank = io.BytesIO()
    from PIL import Image

    Image.new("L", (200, 200), 255).save(blank, "PNG")
    with pytest.raises(ScanError):
        _lock().show_image(blank.getvalue(), NOW)
    with pytest.raises(ImageError):
        _lock().show_image(b"no picture", NOW)


@pytest.mark.parametrize("code", ["", "x" * 1025])
def test_a_code_that_cannot_travel_is_not_sent(code: str) -> None:
    with pytest.raises(ScanError):
        _lock().scan(code, NOW)
