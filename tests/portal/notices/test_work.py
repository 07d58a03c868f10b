"""What notices bring to the workbench and to the home page."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask import Flask

from portal.core.errors import ConflictError, DomainError, ForbiddenError, NotFoundError
from portal.core.home_cards import HomeCard, Rank
from portal.core.permissions import Role
from portal.core.work import WorkItem
from portal.notices import home_cards
from portal.notices.work import SOURCES
from tests.portal.notices.written import confirmed, read, released, worker
from tests.portal.world import START, World

(OVERDUE,) = SOURCES
DEADLINE = START + timedelta(days=1)


@pytest.fixture(autouse=True)
def page(app: Flask) -> Iterator[None]:
    with app.test_request_context():
        yield


def waiting(world: World) -> list[WorkItem]:
    with world.db.read() as session:
        items = OVERDUE.waiting(session, worker(world), world.clock(), 10)
        assert OVERDUE.count(session, worker(world), world.clock()) == len(items)
        return items


def overdue(world: World) -> int:
    notice_id = released(world, confirm=True, confirm_by=DEADLINE)
    world.clock.forward(days=1)
    return notice_id


def decide(world: World, notice_id: int, choice: str) -> None:
    with world.db.write() as session:
        OVERDUE.decide(session, worker(world), notice_id, choice, "", world.clock())


def test_a_notice_waits_once_its_time_to_confirm_has_passed(world: World) -> None:
    notice_id = released(world, confirm=True, confirm_by=DEADLINE)
    assert waiting(world) == []
    world.clock.forward(days=1)
    (item,) = waiting(world)
    assert (item.id, item.at, item.kind) == (notice_id, DEADLINE, "notices.overdue")
    assert item.href == f"/work/notices/{notice_id}"


def test_it_does_not_wait_when_all_have_confirmed(world: World) -> None:
    notice_id = overdue(world)
    for who in ("resident", "neighbour"):
        confirmed(world, notice_id, who)
    assert waiting(world) == []


def test_a_reminder_gives_them_a_day(world: World) -> None:
    notice_id = overdue(world)
    decide(world, notice_id, "remind")
    assert waiting(world) == []
    world.clock.forward(days=1)
    assert len(waiting(world)) == 1


def test_waiting_can_be_ended_and_taken_up_again(world: World) -> None:
    notice_id = overdue(world)
    decide(world, notice_id, "end")
    assert waiting(world) == []
    with pytest.raises(ConflictError):
        decide(world, notice_id, "end")
    with world.db.write() as session:
        OVERDUE.undo(session, worker(world), notice_id, world.clock())
    assert len(waiting(world)) == 1
    with world.db.write() as session, pytest.raises(ConflictError):
        OVERDUE.undo(session, worker(world), notice_id, world.clock())
    with pytest.raises(DomainError):
        decide(world, notice_id, "nonsense")


def test_the_detail_says_how_many_are_missing(world: World) -> None:
    notice_id = overdue(world)
    confirmed(world, notice_id)
    with world.db.read() as session:
        detail = OVERDUE.detail(session, worker(world), notice_id, world.clock())
        assert [choice.value for choice in detail.choices] == ["remind", "end"]
        assert 1 in [value for _name, value in detail.facts]
        for actor, error in (
            (world.staff(Role.GATEKEEPER), ForbiddenError),
            (world.staff(Role.WORKER, "autumn"), NotFoundError),
        ):
            assert OVERDUE.waiting(session, actor, world.clock(), 10) == []
            with pytest.raises(error):
                OVERDUE.detail(session, actor, notice_id, world.clock())


def cards(world: World, who: str = "resident") -> list[HomeCard]:
    with world.db.read() as session:
        return list(home_cards.cards(session, world.resident(who), world.clock()))


def test_home_names_what_is_urgent_or_to_confirm_and_counts_the_rest(world: World) -> None:
    assert cards(world) == []
    urgent = released(world, title="停气", priority="urgent")
    asking = released(world, title="公示", confirm=True)
    released(world, title="普通")
    found = {card.key: card for card in cards(world)}
    assert found[f"notices.{urgent}"].title == "停气"
    assert found[f"notices.{urgent}"].rank is Rank.DUE
    assert found[f"notices.{asking}"].rank is Rank.DUE
    assert (found["notices.unread"].figure, found["notices.unread"].rank) == (1, Rank.OFFER)
    read(world, asking)
    read(world, urgent)
    assert [card.key for card in cards(world)] == [f"notices.{asking}", "notices.unread"]


def test_staff_have_no_cards(world: World) -> None:
    released(world, priority="urgent")
    with world.db.read() as session:
        assert list(home_cards.cards(session, worker(world), world.clock())) == []
