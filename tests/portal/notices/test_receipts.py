"""Whom a notice reaches, and how far it comes with each: delivered, read, confirmed."""

from __future__ import annotations

import threading
from datetime import date, timedelta

import pytest
from sqlalchemy import select

from portal.core.audit import AuditEntry
from portal.core.errors import ConflictError, NotFoundError
from portal.core.permissions import Role
from portal.notices import queries, readers, receipts
from portal.notices.audience import Audience
from portal.notices.models import NoticeReceipt
from portal.notices.readers import Progress
from portal.regions.models import Unit
from portal.residents.models import Residency, Resident, ResidentState
from tests.portal.notices.written import (
    building,
    confirmed,
    edited,
    listed,
    read,
    released,
    stored,
    withdrawn,
)
from tests.portal.world import START, World


def receipt(world: World, notice_id: int, who: str = "resident") -> NoticeReceipt | None:
    with world.db.read() as session:
        return session.get(NoticeReceipt, (notice_id, world.residents[who]))


def counted(world: World, notice_id: int) -> list[tuple[int, int]]:
    with world.db.read() as session:
        counts = readers.counts(session, stored(world, notice_id))
    parts = (counts.reached, counts.delivered, counts.read, counts.confirmed)
    return [(part.people, part.households) for part in parts]


def seen_by(world: World, notice_id: int) -> set[str]:
    return {
        who for who in world.residents if notice_id in [m.notice.id for m in listed(world, who)]
    }


def test_the_whole_community_is_reached_and_nobody_else(world: World) -> None:
    assert seen_by(world, released(world)) == {"resident", "neighbour"}


def test_a_building_is_reached_and_the_next_one_is_not(world: World) -> None:
    notice_id = released(world, audience=building(world))
    assert seen_by(world, notice_id) == {"resident"}
    with pytest.raises(NotFoundError):
        read(world, notice_id, "neighbour")


def test_a_unit_is_reached(world: World) -> None:
    with world.db.read() as session:
        unit = session.scalars(
            select(Unit.id).where(Unit.building_id == world.buildings["spring 2号楼"])
        ).one()
    where = Audience(world.regions["spring"], units=frozenset({unit}))
    assert seen_by(world, released(world, audience=where)) == {"neighbour"}


def test_owners_are_reached_and_tenants_are_not(world: World) -> None:
    with world.db.write() as session:
        session.scalars(
            select(Residency).where(Residency.resident_id == world.residents["neighbour"])
        ).one().relation = "tenant"
    owners = Audience(world.regions["spring"], relation="owner")
    assert seen_by(world, released(world, audience=owners)) == {"resident"}
    tenants = Audience(world.regions["spring"], relation="tenant")
    assert seen_by(world, released(world, audience=tenants)) == {"neighbour"}


def test_who_moves_away_is_not_reached_any_more_and_who_moves_in_is(world: World) -> None:
    notice_id = released(world, audience=building(world))
    with world.db.write() as session:
        session.scalars(
            select(Residency).where(Residency.resident_id == world.residents["resident"])
        ).one().until = date(2026, 3, 1)
        session.get_one(Resident, world.residents["pending"]).state = ResidentState.APPROVED
    assert seen_by(world, notice_id) == {"pending"}


def test_somebody_with_two_homes_gets_it_once(world: World) -> None:
    with world.db.write() as session:
        session.add(
            Residency(
                resident_id=world.residents["resident"],
                dwelling_id=world.dwellings["201"],
                relation="tenant",
                since=date(2026, 1, 1),
            )
        )
    notice_id = released(world)
    assert len(listed(world)) == 1
    assert counted(world, notice_id)[0] == (2, 2)


def test_from_the_list_to_the_confirmation(world: World) -> None:
    notice_id = released(world, confirm=True)
    assert counted(world, notice_id) == [(2, 2), (0, 0), (0, 0), (0, 0)]
    with world.db.write() as session:
        receipts.deliver(session, world.residents["resident"], [notice_id, notice_id], START)
    assert counted(world, notice_id) == [(2, 2), (1, 1), (0, 0), (0, 0)]
    read(world, notice_id)
    assert counted(world, notice_id) == [(2, 2), (1, 1), (1, 1), (0, 0)]
    confirmed(world, notice_id)
    assert counted(world, notice_id) == [(2, 2), (1, 1), (1, 1), (1, 1)]


def test_each_step_is_written_once(world: World) -> None:
    notice_id = released(world, confirm=True)
    confirmed(world, notice_id)
    world.clock.forward(hours=1)
    read(world, notice_id)
    confirmed(world, notice_id)
    row = receipt(world, notice_id)
    assert row is not None
    assert (row.delivered_at, row.read_at, row.confirmed_at) == (START, START, START)


def test_two_phones_of_one_person_at_once_make_one_receipt(world: World) -> None:
    notice_id = released(world, confirm=True)
    barrier = threading.Barrier(2)
    faults: list[Exception] = []

    def act() -> None:
        barrier.wait()
        try:
            confirmed(world, notice_id)
        except Exception as error:
            faults.append(error)

    threads = [threading.Thread(target=act) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    assert counted(world, notice_id)[3] == (1, 1)


def test_a_text_that_changed_under_the_eyes_is_not_confirmed(world: World) -> None:
    notice_id = released(world, confirm=True)
    edited(world, notice_id, confirm=True, body="改为后天。")
    with pytest.raises(ConflictError) as caught:
        confirmed(world, notice_id, revision=1)
    assert caught.value.code == "text_changed"
    assert counted(world, notice_id)[3] == (0, 0)


def test_what_does_not_ask_is_not_confirmed(world: World) -> None:
    notice_id = released(world)
    with pytest.raises(ConflictError):
        confirmed(world, notice_id)
    asking = released(world, confirm=True)
    withdrawn(world, asking)
    with pytest.raises(ConflictError):
        confirmed(world, asking)


def test_a_change_that_asks_anew_sets_the_counts_back(world: World) -> None:
    notice_id = released(world, confirm=True)
    confirmed(world, notice_id)
    edited(world, notice_id, confirm=True, body="改为后天。", again=True)
    assert counted(world, notice_id) == [(2, 2), (1, 1), (0, 0), (0, 0)]
    confirmed(world, notice_id)
    assert counted(world, notice_id)[2:] == [(1, 1), (1, 1)]


def test_opening_a_withdrawn_notice_is_not_reading_it(world: World) -> None:
    notice_id = released(world)
    withdrawn(world, notice_id)
    read(world, notice_id)
    assert receipt(world, notice_id) is None


def test_households_are_open_partly_or_done(world: World) -> None:
    with world.db.write() as session:
        session.get_one(Resident, world.residents["refused"]).state = ResidentState.APPROVED
        second = session.get_one(Resident, world.residents["pending"])
        second.state = ResidentState.APPROVED
    notice_id = released(world)  # 101: resident; 102: pending and refused; 201: neighbour
    read(world, notice_id)
    read(world, notice_id, "pending")
    with world.db.read() as session:
        notice = stored(world, notice_id)
        assert readers.households_by_progress(session, notice) == {
            Progress.OPEN: 1,
            Progress.PARTLY: 1,
            Progress.DONE: 1,
        }
        for progress, number, done in (
            (Progress.DONE, "101", [True]),
            (Progress.PARTLY, "102", [True, False]),
            (Progress.OPEN, "201", [False]),
        ):
            found, more = readers.households(session, notice, progress)
            assert not more
            assert [h.dwelling.number for h in found] == [number]
            assert [r.done for r in found[0].readers] == done
        one = world.buildings["spring 1号楼"]
        assert readers.households_by_progress(session, notice, one)[Progress.OPEN] == 0
        assert readers.households(session, notice, Progress.OPEN, building_id=one) == ([], False)


def test_households_come_page_by_page(world: World) -> None:
    notice_id = released(world)
    with world.db.read() as session:
        notice = stored(world, notice_id)
        first, more = readers.households(session, notice, Progress.OPEN, size=1)
        second, end = readers.households(session, notice, Progress.OPEN, size=1, page=2)
    assert (more, end) == (True, False)
    assert [h.dwelling.number for h in first + second] == ["101", "201"]


def test_totals_for_lists_agree_with_the_counts(world: World) -> None:
    notice_id, other = released(world, confirm=True), released(world)
    confirmed(world, notice_id)
    read(world, notice_id, "neighbour")
    with world.db.read() as session:
        rows = [stored(world, notice_id), stored(world, other)]
        assert readers.totals(session, rows) == {notice_id: (2, 1), other: (0, 0)}


def test_what_waits_stands_first_then_pinned_then_newest(world: World) -> None:
    old = released(world, title="旧")
    pinned = released(world, title="置顶", pinned=True)
    for notice_id in (old, pinned):
        read(world, notice_id)
    world.clock.forward(hours=1)
    newest = released(world, title="新")
    read(world, newest)
    normal = released(world, title="未读")
    urgent = released(world, title="紧急", priority="urgent")
    asking = released(world, title="待确认", confirm=True)
    read(world, asking)
    order = [mine.notice.id for mine in listed(world)]
    assert order[0] == urgent
    assert set(order[1:3]) == {normal, asking}
    assert order[3:] == [pinned, newest, old]


def test_public_notices_are_those_of_the_community_and_above(world: World) -> None:
    own = released(world, public=True)
    released(world)
    county = world.staff(Role.SUPERVISOR, "county")
    above = released(
        world, county, public=True, pinned=True, audience=Audience(world.regions["county"])
    )
    released(world, county, public=True, audience=Audience(world.regions["autumn"]))
    released(world, public=True, publish_at=START + timedelta(hours=1))
    with world.db.read() as session:
        spring = stored(world, own).region
        page = queries.public(session, spring, START, 1)
    assert [n.id for n in page.items] == [above, own]


def test_a_confirmation_is_in_the_audit_without_a_name(world: World) -> None:
    notice_id = released(world, confirm=True)
    confirmed(world, notice_id)
    with world.db.read() as session:
        entry = session.scalars(
            select(AuditEntry).where(AuditEntry.action == "notice.confirm")
        ).one()
    assert entry.detail == {"revision": 1}
    assert entry.actor == f"resident:{world.residents['resident']}"
