"""Notices: who may write for whom, states, what of two at once, and what can be wrong with one."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from portal.core.audit import AuditEntry
from portal.core.errors import ConflictError, DomainError, ForbiddenError, NotFoundError
from portal.core.permissions import Role
from portal.notices import chasing, operations, queries
from portal.notices.audience import Audience
from portal.notices.draft import BODY_LENGTH, TITLE_LENGTH, faults
from portal.notices.models import (
    Notice,
    NoticePlace,
    NoticeReceipt,
    NoticeRevision,
    NoticeState,
)
from portal.notices.queries import Shown, shown_state
from tests.portal.notices.written import (
    END,
    building,
    confirmed,
    draft,
    edited,
    listed,
    read,
    released,
    stored,
    withdrawn,
    worker,
    written,
)
from tests.portal.world import START, World

PUBLISHING = {Role.WORKER, Role.MANAGER, Role.SUPERVISOR}


def state(world: World, notice_id: int) -> Shown:
    return shown_state(stored(world, notice_id), world.clock())


def test_a_draft_is_nobody_s_to_read_but_staff_s(world: World) -> None:
    notice_id = written(world)
    assert state(world, notice_id) is Shown.DRAFT
    assert listed(world) == []
    with pytest.raises(NotFoundError):
        read(world, notice_id)


def test_a_released_notice_is_out_at_once_and_knows_whom_it_reached(world: World) -> None:
    notice_id = released(world)
    row = stored(world, notice_id)
    assert state(world, notice_id) is Shown.PUBLISHED
    assert row.publish_at == START
    # resident in 101, neighbour in 201; the others are not approved or not of spring
    assert (row.reached, row.households) == (2, 2)
    assert [mine.notice.id for mine in listed(world)] == [notice_id]


def test_no_row_a_person_is_written_at_publication(world: World) -> None:
    released(world)
    with world.db.read() as session:
        assert session.scalar(select(func.count()).select_from(NoticeReceipt)) == 0


def test_a_scheduled_notice_appears_by_the_clock_alone_and_ends_by_it(world: World) -> None:
    notice_id = released(
        world, publish_at=START + timedelta(hours=2), expires_at=START + timedelta(hours=3)
    )
    assert state(world, notice_id) is Shown.SCHEDULED
    assert listed(world) == []
    world.clock.forward(hours=2)
    assert state(world, notice_id) is Shown.PUBLISHED
    assert len(listed(world)) == 1
    world.clock.forward(hours=1)
    assert state(world, notice_id) is Shown.EXPIRED
    assert listed(world) == []
    assert len(listed(world, earlier=True)) == 1


def test_a_draft_whose_start_has_passed_appears_when_it_is_released(world: World) -> None:
    notice_id = written(world, publish_at=START + timedelta(hours=1))
    world.clock.forward(hours=5)
    with world.db.write() as session:
        operations.release(session, worker(world), notice_id, world.clock())
    assert stored(world, notice_id).publish_at == world.clock()


def test_a_draft_whose_end_has_passed_cannot_be_released(world: World) -> None:
    notice_id = written(world)
    world.clock.forward(days=8)
    with world.db.write() as session, pytest.raises(ConflictError) as caught:
        operations.release(session, worker(world), notice_id, world.clock())
    assert caught.value.code == "end_before_start"


def test_a_withdrawn_notice_leaves_a_trace_with_the_reason(world: World) -> None:
    notice_id = released(world)
    withdrawn(world, notice_id)
    row = stored(world, notice_id)
    assert (row.withdrawn_reason, row.withdrawn_by) == ("时间有变", world.users["worker"])
    assert listed(world) == []
    assert [m.notice.id for m in listed(world, earlier=True)] == [notice_id]
    with pytest.raises(ConflictError):
        withdrawn(world, notice_id)
    with world.db.read() as session:
        acts = session.scalars(
            select(AuditEntry.action).where(AuditEntry.object_type == "notice")
        ).all()
    assert acts == ["notice.create", "notice.release", "notice.withdraw"]


def test_a_scheduled_notice_that_is_withdrawn_never_appears(world: World) -> None:
    notice_id = released(world, publish_at=START + timedelta(hours=2))
    withdrawn(world, notice_id)
    world.clock.forward(hours=3)
    assert listed(world) == []
    assert stored(world, notice_id).state == NoticeState.WITHDRAWN


@pytest.mark.parametrize(
    ("reason", "code"), [(" \u202e ", "reason_missing"), ("长" * 201, "reason_long")]
)
def test_withdrawing_needs_one_sentence(world: World, reason: str, code: str) -> None:
    notice_id = released(world)
    with pytest.raises(DomainError) as caught:
        withdrawn(world, notice_id, reason)
    assert (caught.value.code, caught.value.field) == (code, "reason")
    assert state(world, notice_id) is Shown.PUBLISHED


def test_a_draft_can_be_thrown_away_a_published_notice_cannot(world: World) -> None:
    notice_id, out = written(world, audience=building(world)), released(world)
    with world.db.write() as session:
        assert operations.discard(session, worker(world), notice_id) == []
    with world.db.write() as session, pytest.raises(ConflictError):
        operations.discard(session, worker(world), out)
    with world.db.read() as session:
        assert session.scalars(select(Notice.id)).all() == [out]
        assert session.scalars(select(NoticePlace.id)).all() == []
        acts = select(AuditEntry.action).where(AuditEntry.object_id == str(notice_id))
        assert "notice.discard" in session.scalars(acts).all()


def test_a_change_of_the_text_becomes_a_revision_that_readers_see(world: World) -> None:
    notice_id = released(world)
    read(world, notice_id)
    world.clock.forward(hours=1)
    edited(world, notice_id, body="改为后天停水。")
    row = stored(world, notice_id)
    assert (row.revision, row.changed_at) == (2, START + timedelta(hours=1))
    with world.db.read() as session:
        kept = session.execute(
            select(NoticeRevision.number, NoticeRevision.body).order_by(NoticeRevision.number)
        ).all()
    assert kept == [(1, "明天 8:00–12:00 停水，请提前储水。"), (2, "改为后天停水。")]
    mine = listed(world)[0]
    assert mine.changed
    assert not mine.unread


def test_a_change_that_asks_anew_makes_it_unread_and_unconfirmed(world: World) -> None:
    notice_id = released(world, confirm=True)
    confirmed(world, notice_id)
    edited(world, notice_id, confirm=True, body="改为后天停水。", again=True)
    mine = listed(world)[0]
    assert mine.unread
    assert mine.to_confirm


def test_the_same_text_can_be_asked_for_anew(world: World) -> None:
    notice_id = released(world)
    read(world, notice_id)
    edited(world, notice_id, again=True)
    assert listed(world)[0].unread


def test_pinning_is_no_revision(world: World) -> None:
    notice_id = released(world)
    edited(world, notice_id, pinned=True)
    row = stored(world, notice_id)
    assert (row.pinned, row.revision, row.changed_at) == (True, 1, None)


def test_whom_a_published_notice_is_for_stays_as_it_is(world: World) -> None:
    notice_id = released(world, audience=building(world))
    edited(world, notice_id, title="新标题")
    row = stored(world, notice_id)
    assert row.narrowed
    assert [p.building_id for p in row.places] == [world.buildings["spring 1号楼"]]
    assert row.title == "新标题"


def test_whom_a_scheduled_notice_is_for_can_be_changed_and_is_counted_anew(world: World) -> None:
    later = START + timedelta(hours=2)
    notice_id = released(world, publish_at=later)
    edited(world, notice_id, audience=building(world), publish_at=later)
    row = stored(world, notice_id)
    assert (row.reached, row.narrowed, row.changed_at) == (1, True, None)
    edited(world, notice_id, publish_at=later)
    assert (stored(world, notice_id).reached, stored(world, notice_id).places) == (2, [])


def test_a_notice_that_is_over_is_not_changed(world: World) -> None:
    notice_id = released(world)
    world.clock.forward(days=8)
    with pytest.raises(ConflictError):
        edited(world, notice_id, expires_at=END + timedelta(days=9))


@pytest.mark.parametrize("role", Role)
def test_who_may_publish(world: World, role: Role) -> None:
    actor = world.staff(role)
    if role in PUBLISHING:
        assert released(world, actor)
        return
    notice_id = written(world)
    for act in (
        lambda s: operations.release(s, actor, notice_id, START),
        lambda s: operations.withdraw(s, actor, notice_id, "x", START),
        lambda s: operations.discard(s, actor, notice_id),
        lambda s: chasing.remind(s, actor, notice_id, START),
        lambda s: operations.edit(s, actor, notice_id, draft(world), seen=1, now=START),
        lambda s: operations.create(s, actor, draft(world), START),
    ):
        with world.db.write() as session, pytest.raises(ForbiddenError):
            act(session)


@pytest.mark.parametrize("who", ["far", "resident"])
def test_to_a_stranger_there_is_nothing(world: World, who: str) -> None:
    notice_id = written(world)
    actor = world.staff(Role.WORKER, "autumn") if who == "far" else world.resident("resident")
    with world.db.write() as session, pytest.raises(NotFoundError):
        operations.release(session, actor, notice_id, START)


def test_a_supervisor_reaches_the_whole_subtree(world: World) -> None:
    actor = world.staff(Role.SUPERVISOR, "county")
    notice_id = released(world, actor, audience=Audience(world.regions["county"]))
    assert stored(world, notice_id).reached == 3
    for who in ("resident", "neighbour", "outsider"):
        assert [m.notice.id for m in listed(world, who)] == [notice_id]
    with world.db.write() as session, pytest.raises(NotFoundError):
        operations.withdraw(session, worker(world), notice_id, "x", START)


def test_a_worker_cannot_write_for_a_region_above_or_beside(world: World) -> None:
    for region in ("county", "autumn"):
        with pytest.raises(DomainError) as caught:
            written(world, audience=Audience(world.regions[region]))
        assert caught.value.code == "region_unknown"


def nothing_but(code: str, field: str, **values: Any) -> Any:
    return pytest.param(values, code, field, id=f"{code}-{len(repr(values))}")


WRONG = [
    nothing_but("title_missing", "title", title=""),
    nothing_but("title_long", "title", title="长" * (TITLE_LENGTH + 1)),
    nothing_but("title_empty", "title", title="🎉🎉🎉"),
    nothing_but("body_missing", "body", body=""),
    nothing_but("body_long", "body", body="长" * (BODY_LENGTH + 1)),
    nothing_but("body_empty", "body", body="!!! 😀 …"),
    nothing_but("priority_unknown", "priority", priority="; DROP TABLE"),
    nothing_but("start_past", "publish_at", publish_at=START - timedelta(hours=1)),
    nothing_but("start_past", "publish_at", publish_at=datetime(1, 1, 1, tzinfo=UTC)),
    nothing_but(
        "start_far", "publish_at", publish_at=datetime(9999, 12, 31, tzinfo=UTC), expires_at=None
    ),
    nothing_but("end_before_start", "expires_at", expires_at=START),
    nothing_but(
        "end_before_start", "expires_at", publish_at=END, expires_at=END - timedelta(minutes=1)
    ),
    nothing_but("end_far", "expires_at", expires_at=datetime(9999, 12, 31, tzinfo=UTC)),
    nothing_but("confirm_by_alone", "confirm_by", confirm_by=START + timedelta(days=1)),
    nothing_but("confirm_by_early", "confirm_by", confirm=True, confirm_by=START),
    nothing_but(
        "confirm_by_late", "confirm_by", confirm=True, confirm_by=END + timedelta(minutes=1)
    ),
]


@pytest.mark.parametrize(("values", "code", "field"), WRONG)
def test_each_fault_is_named_beside_its_field(
    world: World, values: dict[str, Any], code: str, field: str
) -> None:
    found = faults(draft(world, **values), START)
    assert [(fault.code, fault.field) for fault in found] == [(code, field)]
    with pytest.raises(DomainError):
        written(world, **values)


def test_the_longest_texts_are_possible(world: World) -> None:
    assert released(world, title="长" * TITLE_LENGTH, body="长" * BODY_LENGTH)


def test_an_audience_of_nobody_is_refused_unless_everybody_may_read_it(world: World) -> None:
    nobody = Audience(world.regions["spring"], relation="tenant")
    with pytest.raises(DomainError) as caught:
        written(world, audience=nobody)
    assert (caught.value.code, caught.value.field) == ("nobody_reached", "places")
    assert released(world, audience=nobody, public=True)


@pytest.mark.parametrize("where", [Audience(0, frozenset({1})), Audience(0, relation="king")])
def test_nonsense_of_an_audience_is_a_domain_error(world: World, where: Audience) -> None:
    with pytest.raises(DomainError):
        written(world, audience=where)


def test_buildings_of_another_community_are_refused(world: World) -> None:
    foreign = frozenset({world.buildings["autumn 1号楼"]})
    with pytest.raises(DomainError) as caught:
        written(world, audience=Audience(world.regions["spring"], foreign))
    assert caught.value.code == "places_foreign"


def test_people_are_reminded_once_a_day_of_their_calendar(world: World) -> None:
    notice_id = released(world)
    with world.db.write() as session:
        chasing.remind(session, worker(world), notice_id, world.clock())
    world.clock.forward(hours=7)  # 23:00 in Shanghai
    with world.db.write() as session, pytest.raises(ConflictError):
        chasing.remind(session, worker(world), notice_id, world.clock())
    assert listed(world)[0].reminded
    world.clock.forward(hours=1)  # midnight
    with world.db.write() as session:
        assert chasing.remind(session, worker(world), notice_id, world.clock()).reminders == 2
    read(world, notice_id)
    assert not listed(world)[0].reminded


def test_a_draft_cannot_be_reminded_of(world: World) -> None:
    notice_id = written(world)
    with world.db.write() as session, pytest.raises(ConflictError):
        chasing.remind(session, worker(world), notice_id, world.clock())


def at_once(world: World, *acts: Callable[[Any], Any]) -> list[str]:
    """Run acts in threads of their own that begin together; what each came to."""
    barrier = threading.Barrier(len(acts))
    answers: list[str] = []

    def run(act: Callable[[Any], Any]) -> None:
        barrier.wait()
        try:
            with world.db.write() as session:
                act(session)
            answers.append("done")
        except ConflictError as error:
            answers.append(error.code)

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(answers)


def test_of_two_who_release_at_once_one_does(world: World) -> None:
    notice_id = written(world)

    def act(session: Any) -> None:
        operations.release(session, worker(world), notice_id, START)

    assert at_once(world, act, act) == ["done", "not_a_draft"]
    with world.db.read() as session:
        assert session.scalar(select(func.count()).select_from(NoticeRevision)) == 1


def test_of_two_who_save_at_once_the_second_is_told(world: World) -> None:
    notice_id = released(world)
    version = stored(world, notice_id).version

    def save(text: str) -> Callable[[Any], Any]:
        changed = draft(world, body=text)
        return lambda s: operations.edit(
            s, worker(world), notice_id, changed, seen=version, now=START
        )

    assert at_once(world, save("甲"), save("乙")) == ["changed_meanwhile", "done"]
    assert stored(world, notice_id).revision == 2


def test_of_two_reminders_at_once_one_is_sent(world: World) -> None:
    notice_id = released(world)

    def act(session: Any) -> None:
        chasing.remind(session, worker(world), notice_id, START)

    assert at_once(world, act, act) == ["done", "reminded_today"]
    assert stored(world, notice_id).reminders == 1


def test_lists_of_staff_hold_their_own_regions_only(world: World) -> None:
    notice_id = released(world)
    with world.db.read() as session:
        for actor, expected in (
            (worker(world), [notice_id]),
            (world.staff(Role.SUPERVISOR, "county"), [notice_id]),
            (world.staff(Role.WORKER, "autumn"), []),
            (world.staff(Role.GATEKEEPER), []),
        ):
            page = queries.for_staff(session, actor, Shown.PUBLISHED, START, 1)
            assert [n.id for n in page.items] == expected
            counts = queries.count_by_state(session, actor, START)
            assert counts[Shown.PUBLISHED] == len(expected)
