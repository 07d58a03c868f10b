"""The life of an alarm: pressed, cancelled, raised, escalated, taken, ended."""

from __future__ import annotations

from datetime import timedelta

import pytest

from portal.core.errors import ConflictError, DomainError
from portal.core.permissions import Role
from portal.telecare.alarm_models import AlarmState, Stage
from tests.portal.telecare.ward import Ward


def test_a_press_is_heard_at_once_and_raised_when_the_window_is_over(ward: Ward) -> None:
    ward.press(battery=71.0)
    alarm = ward.alarm()
    assert (alarm.state, alarm.wearer_id, alarm.battery) == ("pressed", ward.wearer, 71.0)
    assert ward.feedback() == [(alarm.event_id, "received")]
    assert ward.told() == []
    ward.wait(14)
    assert ward.alarm().state == AlarmState.PRESSED
    ward.wait(1)
    assert ward.alarm().state == AlarmState.RAISED
    assert ward.told() == [(1, ward.person("neighbour"))]


def test_a_press_cancelled_in_time_tells_nobody_and_is_kept(ward: Ward) -> None:
    ward.press()
    ward.world.clock.forward(seconds=10)
    ward.cancel()
    ward.wait(3600)
    assert ward.alarm().state == AlarmState.CANCELLED
    assert ward.told() == []
    assert ward.steps() == ["pressed", "cancelled"]
    assert ward.feedback()[-1][1] == "closed"


def test_a_press_cancelled_too_late_stays_open_until_somebody_has_made_sure(ward: Ward) -> None:
    ward.press()
    ward.wait(20)
    ward.cancel()
    alarm = ward.alarm()
    assert alarm.state == AlarmState.RAISED
    assert alarm.taken_back_at is not None
    assert ward.steps()[-1] == "taken_back"


def test_a_cancellation_without_a_press_is_kept_and_a_later_press_counts(ward: Ward) -> None:
    ward.cancel()
    ward.press()
    assert [a.state for a in ward.alarms()] == ["cancelled", "pressed"]


def test_the_ladder_is_climbed_rung_by_rung_and_does_not_end(ward: Ward) -> None:
    ward.press()
    ward.wait(15)
    ward.wait(60)
    assert ward.told()[-1] == (2, ward.person("daughter"))
    ward.wait(60)
    assert ward.told()[-1] == (3, ward.person("worker"))
    ward.wait(60)
    assert ward.told()[-1] == (4, ward.person("supervisor"))
    ward.wait(120)
    everybody = {person for step, person in ward.told() if step == 5}
    named = ("neighbour", "daughter", "worker", "gatekeeper", "manager", "supervisor")
    assert everybody == {ward.person(name) for name in (*named, "health_worker")}
    ward.wait(180)
    assert {person for step, person in ward.told() if step == 6} == everybody
    ward.wait(86_400)
    assert ward.alarm().state == AlarmState.RAISED
    assert ward.person("unasked") not in {person for _, person in ward.told()}


def test_a_contact_is_asked_in_their_hours_only(ward: Ward) -> None:
    ward.world.clock.forward(hours=7)  # 23:00 in Shanghai
    ward.press()
    ward.wait(15 + 60)
    assert ward.told() == [(1, ward.person("neighbour")), (2, ward.person("worker"))]


def test_without_anybody_on_duty_the_supervisor_is_next(ward: Ward) -> None:
    ward.world.clock.forward(hours=9)  # the shift is over, the daughter sleeps
    ward.press()
    ward.wait(15 + 60)
    assert ward.told()[-1] == (2, ward.person("supervisor"))


def test_a_button_that_nobody_wears_still_reaches_staff(ward: Ward) -> None:
    from portal.telecare.models import Wearer

    with ward.world.db.write() as session:
        session.get_one(Wearer, ward.wearer).device_id = None
    ward.press()
    ward.wait(15)
    assert ward.alarm().wearer_id is None
    assert ward.told() == [(1, ward.person("worker"))]


def test_whoever_acknowledges_stops_the_ladder_and_the_wearer_is_told(ward: Ward) -> None:
    ward.press()
    ward.wait(15)
    ward.act("acknowledge", ward.neighbour)
    alarm = ward.alarm()
    assert (alarm.state, alarm.acknowledged_by) == ("acknowledged", ward.person("neighbour"))
    assert ward.feedback()[-1] == (alarm.event_id, "acknowledged")
    told = ward.told()
    ward.wait(14 * 60)
    assert ward.told() == told
    ward.act("arrive", ward.neighbour)
    ward.wait(7200)
    assert ward.alarm().state == AlarmState.ON_SITE
    ward.act("close", ward.neighbour, "fall", "扶起，无外伤")
    assert ward.alarm().state == AlarmState.CLOSED
    assert ward.feedback()[-1][1] == "closed"
    assert ward.steps() == ["pressed", "raised", "acknowledged", "arrived", "closed"]


def test_an_alarm_that_nobody_comes_for_goes_on_to_the_next(ward: Ward) -> None:
    ward.press()
    ward.wait(15)
    ward.act("acknowledge", ward.neighbour)
    ward.wait(15 * 60)
    alarm = ward.alarm()
    assert (alarm.state, alarm.acknowledged_by) == ("raised", "")
    assert ward.told()[-1] == (2, ward.person("daughter"))
    assert ward.steps()[-1] == "overdue"
    assert ward.feedback()[-1] == (alarm.event_id, "received")


def test_an_alarm_handed_back_goes_to_the_next_at_once(ward: Ward) -> None:
    ward.press()
    ward.wait(15)
    ward.act("acknowledge", ward.neighbour)
    first = ward.alarm().answered_at
    ward.act("hand_back", ward.neighbour)
    assert ward.feedback()[-1][1] == "received"
    assert ward.told()[-1] == (2, ward.person("daughter"))
    ward.world.clock.forward(seconds=5)
    ward.act("acknowledge", ward.worker)
    assert ward.alarm().answered_at == first


def test_repeated_presses_join_the_open_alarm_and_postpone_nothing(ward: Ward) -> None:
    ward.press()
    due = ward.alarm().next_at
    for _ in range(49):
        ward.world.clock.forward(seconds=0.2)
        ward.press()
    [alarm] = ward.alarms()
    assert (alarm.presses, alarm.next_at) == (50, due)
    assert ward.feedback()[-1] == (alarm.event_id, "received")
    ward.wait(15)
    ward.act("acknowledge", ward.worker)
    ward.press()
    assert ward.feedback()[-1] == (ward.alarm().event_id, "acknowledged")
    assert len(ward.alarms()) == 1


def test_the_same_event_again_changes_nothing(ward: Ward) -> None:
    event = ward.pressed()
    ward.hear(event, event)
    ward.hear(event)
    assert [a.presses for a in ward.alarms()] == [1]
    ward.wait(15)
    ward.act("acknowledge", ward.worker)
    ward.act("close", ward.worker, "mistake", "")
    ward.hear(event)
    assert [a.state for a in ward.alarms()] == ["closed"]


def test_a_test_alarms_nobody_and_is_kept_apart(ward: Ward) -> None:
    ward.hear(ward.pressed("tested", battery=55.0))
    ward.wait(3600)
    assert [(a.state, a.cause) for a in ward.alarms()] == [("tested", "test")]
    assert ward.told() == []


def test_a_press_right_after_the_start_is_kept_but_not_raised(ward: Ward) -> None:
    ward.boot()
    ward.world.clock.forward(seconds=3)
    ward.press()
    ward.wait(3600)
    assert [a.state for a in ward.alarms()] == ["suppressed"]
    assert ward.told() == []


def test_a_suppressed_press_that_is_repeated_is_an_alarm(ward: Ward) -> None:
    ward.boot()
    ward.world.clock.forward(seconds=3)
    ward.press()
    ward.world.clock.forward(seconds=40)
    ward.press()
    [alarm] = ward.alarms()
    assert (alarm.state, alarm.presses) == ("pressed", 2)
    ward.wait(15)
    assert ward.alarm().state == AlarmState.RAISED


def test_a_press_that_the_button_counts_twice_is_no_phantom(ward: Ward) -> None:
    ward.boot()
    ward.press(presses=2)
    assert ward.alarm().state == AlarmState.PRESSED


def test_a_press_kept_through_a_restart_is_no_phantom(ward: Ward) -> None:
    kept = ward.pressed()
    ward.world.clock.forward(seconds=30)
    ward.boot()
    ward.hear(kept)
    assert ward.alarm().state == AlarmState.PRESSED


def test_a_press_that_was_kept_for_long_does_not_wait_for_its_window(ward: Ward) -> None:
    kept = ward.pressed()
    ward.world.clock.forward(minutes=20)
    ward.hear(kept)
    ward.wait(2)
    assert ward.alarm().state == AlarmState.RAISED


def test_a_press_from_the_future_waits_no_longer_than_its_window(ward: Ward) -> None:
    ward.press(at=ward.world.clock() + timedelta(minutes=4))
    ward.wait(15)
    assert ward.alarm().state == AlarmState.RAISED


def test_timers_survive_that_nobody_ran_them(ward: Ward) -> None:
    """As after a restart: the moment stands in the row, one rung a run, with its full time."""
    ward.press()
    ward.world.clock.forward(hours=1)
    assert ward.run_timers() == 1
    assert ward.told() == [(1, ward.person("neighbour"))]
    assert ward.run_timers() == 0
    ward.wait(60)
    assert ward.told()[-1] == (2, ward.person("daughter"))


def test_nobody_closes_an_alarm_that_nobody_has_taken(ward: Ward) -> None:
    ward.press()
    ward.wait(15)
    with pytest.raises(ConflictError) as refused:
        ward.act("close", ward.worker, "mistake", "")
    assert refused.value.code == "not_taken"


@pytest.mark.parametrize(
    ("cause", "note", "field"),
    [("", "", "cause"), ("nap", "", "cause"), ("fall", "长" * 501, "note")],
)
def test_closing_asks_for_a_cause_that_is_known(
    ward: Ward, cause: str, note: str, field: str
) -> None:
    ward.press()
    ward.act("acknowledge", ward.worker)
    with pytest.raises(DomainError) as refused:
        ward.act("close", ward.worker, cause, note)
    assert refused.value.field == field


def test_acknowledging_before_the_window_is_over_counts_as_raised(ward: Ward) -> None:
    ward.press()
    ward.act("acknowledge", ward.worker)
    alarm = ward.alarm()
    assert alarm.raised_at == alarm.answered_at == ward.world.clock()
    assert alarm.stage == Stage.NONE


def test_a_new_press_after_the_end_is_a_new_alarm(ward: Ward) -> None:
    ward.press()
    ward.act("acknowledge", ward.worker)
    ward.act("close", ward.worker, "help", "")
    ward.press()
    assert [a.state for a in ward.alarms()] == ["closed", "pressed"]


def test_what_ends_an_alarm_is_done_once(ward: Ward) -> None:
    ward.press()
    ward.act("acknowledge", ward.worker)
    ward.act("close", ward.worker, "help", "")
    for verb in ("acknowledge", "arrive", "hand_back"):
        with pytest.raises(ConflictError) as refused:
            ward.act(verb, ward.world.staff(Role.GATEKEEPER))
        assert refused.value.code == "over"
