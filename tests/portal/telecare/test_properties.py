"""Whatever happens in whatever order: no alarm is lost, and nobody is told twice at the same step.

A machine presses, cancels, restarts the button, lets time pass, loses and repeats deliveries, and sends
people to answer; after each step the rules that must always hold are looked at in the database.
"""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from sqlalchemy import select

from portal.core.crypto.envelope import KeyRing
from portal.core.db import Database
from portal.core.errors import DomainError
from portal.core.permissions import Actor, Role
from portal.telecare.alarm_models import OPEN, TIMED, AlarmEntry, Stage
from portal.telecare.ladder import Reach, following
from tests.portal.telecare.ward import open_ward
from tests.portal.world import Ticking, World, install

ENDS = {"closed", "cancelled", "suppressed", "tested"}


class Life(RuleBasedStateMachine):
    """One button and the people around it."""

    template: Path
    made: World

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        path = Path(self.folder.name) / "linli.db"
        shutil.copy(self.template, path)
        self.db = Database(f"sqlite:///{path}")
        self.ward = open_ward(replace(self.made, db=self.db, clock=Ticking()))
        self.sent: list[object] = []
        self.counted = 0

    def teardown(self) -> None:
        self.db.close()
        self.folder.cleanup()

    @rule(action=st.sampled_from(["pressed", "pressed", "cancelled", "tested"]))
    def use(self, action: str) -> None:
        event = self.ward.pressed(action)
        self.sent.append(event)
        self.ward.hear(event)
        self.counted += 1

    @rule(data=st.data())
    def deliver_again(self, data: st.DataObject) -> None:
        if self.sent:
            self.ward.hear(data.draw(st.sampled_from(self.sent)))

    @rule()
    def restart_the_button(self) -> None:
        self.ward.boot()

    @rule(seconds=st.sampled_from([1, 5, 16, 61, 200, 1000]), running=st.booleans())
    def pass_time(self, seconds: int, running: bool) -> None:
        """With the worker running, or away and back at the end."""
        if running:
            self.ward.wait(seconds)
        else:
            self.ward.world.clock.forward(seconds=seconds)
            self.ward.run_timers()

    @rule(
        verb=st.sampled_from(["acknowledge", "arrive", "hand_back", "close"]),
        who=st.sampled_from(["neighbour", "worker", "gatekeeper"]),
    )
    def answer(self, verb: str, who: str) -> None:
        actor: Actor = (
            self.ward.neighbour if who == "neighbour" else self.ward.world.staff(Role(who))
        )
        rest = ("mistake", "") if verb == "close" else ()
        if self.ward.alarms():
            try:
                self.ward.act(verb, actor, *rest)
            except DomainError:
                return

    @invariant()
    def nobody_is_told_twice_at_a_step(self) -> None:
        for alarm in self.ward.alarms():
            assert max(Counter(self.ward.told(alarm.id)).values(), default=1) == 1

    @invariant()
    def every_event_is_kept_once(self) -> None:
        with self.db.read() as session:
            kept = session.scalars(
                select(AlarmEntry.event_id).where(AlarmEntry.event_id.is_not(None))
            ).all()
        assert len(kept) == len(set(kept)) == self.counted

    @invariant()
    def no_alarm_is_lost(self) -> None:
        """What is open goes on by itself or has somebody on site; what is over was ended by somebody."""
        for alarm in self.ward.alarms():
            if alarm.state in TIMED:
                assert alarm.next_at is not None
            if alarm.state in OPEN:
                assert alarm.open_device_id == alarm.device_id
            else:
                assert alarm.state in ENDS
                assert alarm.open_device_id is None
            if alarm.state == "closed":
                assert alarm.closed_by
                assert alarm.answered_at is not None
            if alarm.state == "cancelled":
                assert self.ward.told(alarm.id) == []

    @invariant()
    def at_most_one_is_open(self) -> None:
        assert sum(a.state in OPEN for a in self.ward.alarms()) <= 1

    @invariant()
    def who_must_be_told_is_told(self) -> None:
        """An alarm that rings has told somebody at its step: the worker and supervisor are always there."""
        for alarm in self.ward.alarms():
            if alarm.state == "raised":
                assert any(step == alarm.step for step, _ in self.ward.told(alarm.id))


def test_no_path_loses_an_alarm(laid_out: tuple[Path, World, KeyRing]) -> None:
    install(laid_out[2])
    machine = type("Machine", (Life,), {"template": laid_out[0], "made": laid_out[1]})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=25,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


people = st.lists(st.integers(1, 6).map(lambda n: f"user:{n}"), max_size=4).map(tuple)
contacts = st.lists(st.integers(1, 9), unique=True, max_size=5).map(
    lambda places: tuple((place, f"contact:{place}") for place in places)
)
reaches = st.builds(Reach, contacts, people, people, people)


@given(st.lists(reaches, min_size=1, max_size=12))
def test_the_ladder_goes_up_only_asks_each_contact_once_and_ends_with_everybody(
    over_time: list[Reach],
) -> None:
    order = [Stage.NONE, Stage.CONTACT, Stage.DUTY, Stage.SUPERVISOR, Stage.ALL]
    stage, position = Stage.NONE, 0
    asked: list[str] = []
    for reach in over_time:
        rung = following(stage, position, reach)
        assert order.index(rung.stage) >= order.index(stage)
        assert len(rung.people) == len(set(rung.people))
        if rung.stage is Stage.CONTACT:
            asked += rung.people
        elif rung.stage is not Stage.ALL:
            assert rung.people
        stage, position = rung.stage, rung.position
    assert len(asked) == len(set(asked))


@given(reaches)
def test_nobody_who_can_be_reached_is_left_out(reach: Reach) -> None:
    stage, position, told = Stage.NONE, 0, set()
    for _ in range(10):
        rung = following(stage, position, reach)
        stage, position = rung.stage, rung.position
        told |= set(rung.people)
    everyone = {key for _, key in reach.contacts} | set(reach.duty) | set(reach.supervisors)
    assert told == everyone | set(reach.everybody)


@pytest.mark.parametrize("stage", [Stage.NONE, Stage.CONTACT, Stage.DUTY, Stage.SUPERVISOR])
def test_where_nobody_is_the_ladder_still_goes_on(stage: Stage) -> None:
    assert following(stage, 3, Reach()).stage is Stage.ALL
