"""Two at once, on both engines: one responder wins, one rung is climbed, one alarm is opened."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from portal.core.db import Database
from portal.core.errors import ConflictError
from portal.core.permissions import Role
from portal.models import metadata
from portal.telecare.alarm_models import Alarm, AlarmEntry
from tests.portal.telecare.ward import Ward, open_ward
from tests.portal.world import Ticking, install, lay_out, new_keys


@pytest.fixture
def busy(database_url: str, tmp_path: Path) -> Iterator[Ward]:
    """A ward on each engine."""
    install(new_keys())
    database = Database(database_url)
    metadata.create_all(database.engine)
    yield open_ward(lay_out(database, Ticking()))
    database.close()


def at_once(*acts: Callable[[], object]) -> list[object]:
    """Run them side by side; what each returned or raised."""
    barrier = threading.Barrier(len(acts))
    results: list[object] = [None] * len(acts)

    def run(place: int, act: Callable[[], object]) -> None:
        barrier.wait()
        try:
            results[place] = act()
        except Exception as error:
            results[place] = error

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def test_of_two_responders_one_takes_the_alarm(busy: Ward) -> None:
    busy.press()
    busy.wait(15)
    keeper = busy.world.staff(Role.GATEKEEPER)
    results = at_once(
        lambda: busy.act("acknowledge", busy.worker),
        lambda: busy.act("acknowledge", keeper),
        lambda: busy.act("acknowledge", busy.neighbour),
    )
    assert sum(r is None for r in results) == 1
    assert {type(r) for r in results if r is not None} == {ConflictError}
    assert [state for _, state in busy.feedback()].count("acknowledged") == 1
    assert busy.steps().count("acknowledged") == 1


def test_two_workers_climb_one_rung(busy: Ward) -> None:
    busy.press()
    busy.wait(15)
    busy.world.clock.forward(seconds=60)
    results = at_once(*[busy.run_timers] * 3)
    assert sorted(results, key=str) == [0, 0, 1]
    assert busy.told() == [(1, busy.person("neighbour")), (2, busy.person("daughter"))]


def test_a_responder_and_the_clock_agree(busy: Ward) -> None:
    """Whoever is faster: either it was taken in time, or it had gone on and can be taken then."""
    busy.press()
    busy.wait(15)
    busy.world.clock.forward(seconds=60)
    at_once(busy.run_timers, lambda: busy.act("acknowledge", busy.worker))
    alarm = busy.alarm()
    assert (alarm.state, alarm.step) in {("acknowledged", 1), ("acknowledged", 2), ("raised", 2)}
    assert alarm.next_at is not None


def test_two_presses_at_once_open_one_alarm(busy: Ward) -> None:
    presses = [busy.pressed(), busy.pressed()]

    def deliver(place: int) -> None:
        try:
            busy.hear(presses[place])
        except IntegrityError:  # the worker repeats what the database refused
            busy.hear(presses[place])

    assert at_once(lambda: deliver(0), lambda: deliver(1)) == [None, None]
    [alarm] = busy.alarms()
    assert alarm.presses == 2


def test_one_press_delivered_to_two_workers_counts_once(busy: Ward) -> None:
    event = busy.pressed()

    def deliver() -> None:
        try:
            busy.hear(event)
        except IntegrityError:
            busy.hear(event)

    assert at_once(deliver, deliver) == [None, None]
    with busy.world.db.read() as session:
        assert session.scalar(select(func.count()).select_from(Alarm)) == 1
        assert session.scalar(select(func.count()).select_from(AlarmEntry)) == 1


def test_a_cancellation_and_the_clock_agree(busy: Ward) -> None:
    busy.press()
    busy.world.clock.forward(seconds=15)
    at_once(busy.run_timers, busy.cancel)
    alarm = busy.alarm()
    if alarm.state == "cancelled":
        assert busy.told() == []
    else:
        assert (alarm.state, alarm.taken_back_at is not None) == ("raised", True)
