"""Invitations: who may do what in which state, and that two cannot decide at once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from portal.core.audit import AuditEntry
from portal.core.errors import (
    ConflictError,
    DomainError,
    ForbiddenError,
    NotFoundError,
    TooManyError,
)
from portal.core.permissions import Actor, Role
from portal.passes.models import Pass, PassKind
from portal.residents.models import Resident, ResidentState
from portal.visitors import operations, queries
from portal.visitors.models import Invitation, InvitationState
from portal.visitors.operations import Draft
from portal.visitors.queries import Shown
from portal.visitors.settings import Limits
from tests.portal.world import START, World

GOOD = Draft(
    visitor_name="周访客",
    visitor_phone="139 0000 1234",
    purpose="family",
    valid_from=START,
    valid_until=START + timedelta(hours=8),
)


def invited(world: World, draft: Draft = GOOD, who: str = "resident") -> int:
    with world.db.write() as session:
        return operations.invite(session, world.resident(who), draft, world.clock()).id


def stored(world: World, invitation_id: int) -> Invitation:
    with world.db.read() as session:
        return queries.one_for_staff(session, world.staff(Role.WORKER), invitation_id)


def decide(world: World, actor: Actor, invitation_id: int, verb: str, note: str = "不行") -> None:
    with world.db.write() as session:
        getattr(operations, verb)(session, actor, invitation_id, note, world.clock())


def use_up(world: World, invitation_id: int) -> None:
    with world.db.write() as session:
        entry = session.get_one(Pass, stored(world, invitation_id).pass_id)
        entry.uses = 1


def test_an_invitation_waits_and_keeps_what_was_asked(world: World) -> None:
    row = stored(world, invited(world))
    assert row.state == InvitationState.PENDING
    assert (row.visitor_name, row.visitor_phone) == ("周访客", "13900001234")
    assert row.dwelling_id == world.dwellings["101"]
    assert row.pass_id is None


def test_personal_data_and_token_are_not_readable_in_the_database(world: World) -> None:
    invitation_id = invited(world)
    token = stored(world, invitation_id).link_token
    with world.db.engine.connect() as connection:
        row = connection.exec_driver_sql("SELECT * FROM invitations").one()
    text = repr(tuple(row))
    for secret in ("周访客", "13900001234", token):
        assert secret not in text


def test_a_link_has_256_random_bits_and_finds_its_invitation_only(world: World) -> None:
    first, second = invited(world), invited(world)
    tokens = [stored(world, i).link_token for i in (first, second)]
    assert tokens[0] != tokens[1]
    assert all(len(token) >= 43 for token in tokens)
    with world.db.read() as session:
        assert queries.by_link(session, tokens[0]).id == first
        with pytest.raises(NotFoundError):
            queries.by_link(session, tokens[0][:-1])


def test_approval_issues_a_pass_good_for_one_use_in_the_window(world: World) -> None:
    invitation_id = invited(world)
    decide(world, world.staff(Role.WORKER), invitation_id, "approve", "")
    row = stored(world, invitation_id)
    assert row.state == InvitationState.APPROVED
    entry = row.entry_pass
    assert entry is not None
    assert entry.kind == PassKind.VISITOR
    assert (entry.max_uses, entry.uses) == (1, 0)
    assert (entry.not_before, entry.not_after) == (GOOD.valid_from, GOOD.valid_until)
    assert entry.building_id == world.buildings["spring 1号楼"]
    assert row.decided_by == world.users["worker"]


def test_a_failing_issue_leaves_the_invitation_undecided(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    invitation_id = invited(world)

    def broken(*_args: object, **_kwargs: object) -> None:
        raise RuntimeError("no key")

    monkeypatch.setattr(operations, "issue_visitor_pass", broken)
    with pytest.raises(RuntimeError):
        decide(world, world.staff(Role.WORKER), invitation_id, "approve")
    assert stored(world, invitation_id).state == InvitationState.PENDING


def test_a_refusal_needs_a_sentence(world: World) -> None:
    invitation_id = invited(world)
    with pytest.raises(DomainError) as caught:
        decide(world, world.staff(Role.WORKER), invitation_id, "refuse", "   ")
    assert caught.value.field == "note"
    decide(world, world.staff(Role.WORKER), invitation_id, "refuse", "请先联系物业")
    row = stored(world, invitation_id)
    assert (row.state, row.decision_note) == (InvitationState.REFUSED, "请先联系物业")
    assert row.pass_id is None


@pytest.mark.parametrize("verb", ["approve", "refuse"])
@pytest.mark.parametrize("first", ["approve", "refuse"])
def test_a_decision_is_made_once(world: World, first: str, verb: str) -> None:
    invitation_id = invited(world)
    decide(world, world.staff(Role.WORKER), invitation_id, first)
    with pytest.raises(ConflictError) as caught:
        decide(world, world.staff(Role.WORKER), invitation_id, verb)
    assert caught.value.code == "already_decided"


def test_of_eight_workers_deciding_at_once_exactly_one_succeeds(world: World) -> None:
    invitation_id = invited(world)
    gate = threading.Barrier(8)
    outcomes: list[str] = []

    def work(verb: str) -> None:
        gate.wait()
        try:
            decide(world, world.staff(Role.WORKER), invitation_id, verb)
            outcomes.append(verb)
        except ConflictError:
            outcomes.append("conflict")

    threads = [
        threading.Thread(target=work, args=("approve" if n % 2 else "refuse",)) for n in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes).count("conflict") == 7
    winner = next(o for o in outcomes if o != "conflict")
    with world.db.read() as session:
        passes = session.scalars(select(Pass)).all()
        entries = session.scalars(
            select(AuditEntry).where(
                AuditEntry.action.in_(["invitation.approve", "invitation.refuse"])
            )
        ).all()
    assert len(passes) == (1 if winner == "approve" else 0)
    assert [e.action for e in entries] == [f"invitation.{winner}"]


ALLOWED = {Role.WORKER}
LISTING = {Role.WORKER, Role.GATEKEEPER, Role.MANAGER, Role.SUPERVISOR}


@pytest.mark.parametrize("role", list(Role))
def test_who_may_decide(world: World, role: Role) -> None:
    invitation_id = invited(world)
    actor = world.staff(role)
    if role in ALLOWED:
        decide(world, actor, invitation_id, "approve")
        return
    for verb in ("approve", "refuse"):
        with pytest.raises(ForbiddenError):
            decide(world, actor, invitation_id, verb)
    assert stored(world, invitation_id).state == InvitationState.PENDING


@pytest.mark.parametrize("role", list(Role))
def test_who_sees_the_queue(world: World, role: Role) -> None:
    invited(world)
    with world.db.read() as session:
        rows = queries.queue(session, world.staff(role), world.clock())
    assert len(rows) == (1 if role in LISTING else 0)


def test_the_county_sees_its_communities_and_a_neighbour_community_nothing(world: World) -> None:
    invitation_id = invited(world)
    with world.db.read() as session:
        assert queries.queue(session, world.staff(Role.WORKER, "county"), world.clock())
        assert not queries.queue(session, world.staff(Role.WORKER, "autumn"), world.clock())
    with pytest.raises(NotFoundError):
        decide(world, world.staff(Role.WORKER, "autumn"), invitation_id, "approve")


@pytest.mark.parametrize("who", ["pending", "refused"])
def test_only_approved_residents_invite(world: World, who: str) -> None:
    with pytest.raises(ForbiddenError):
        invited(world, who=who)


def test_staff_without_a_home_cannot_invite(world: World) -> None:
    with pytest.raises(ForbiddenError), world.db.write() as session:
        operations.invite(session, world.staff(Role.WORKER), GOOD, world.clock())


WRONG: list[tuple[str, dict[str, object], str, str]] = [
    ("no name", {"visitor_name": "  "}, "visitor_name", "name_missing"),
    ("long name", {"visitor_name": "长" * 41}, "visitor_name", "name_malformed"),
    ("digits as name", {"visitor_name": "12345"}, "visitor_name", "name_malformed"),
    ("control characters", {"visitor_name": "a\x00b"}, "visitor_name", "name_malformed"),
    ("no phone", {"visitor_phone": ""}, "visitor_phone", "phone_malformed"),
    ("short phone", {"visitor_phone": "1390"}, "visitor_phone", "phone_malformed"),
    ("purpose", {"purpose": "war"}, "purpose", "purpose_unknown"),
    ("past", {"valid_from": START - timedelta(hours=1)}, "valid_from", "start_past"),
    (
        "far",
        {"valid_from": START + timedelta(days=15), "valid_until": START + timedelta(days=16)},
        "valid_from",
        "start_far",
    ),
    ("empty window", {"valid_until": START}, "valid_until", "end_before_start"),
    (
        "end past",
        {"valid_from": START - timedelta(minutes=10), "valid_until": START - timedelta(minutes=5)},
        "valid_until",
        "end_past",
    ),
    ("long", {"valid_until": START + timedelta(days=7, minutes=1)}, "valid_until", "stay_long"),
]


@pytest.mark.parametrize(
    ("change", "field", "code"), [w[1:] for w in WRONG], ids=[w[0] for w in WRONG]
)
def test_nonsense_is_refused_beside_its_field(
    world: World, change: dict[str, object], field: str, code: str
) -> None:
    draft = replace(GOOD, **change)  # type: ignore[arg-type]  # a field of any type
    assert [(f.field, f.code) for f in operations.faults(draft, world.clock(), Limits())] == [
        (field, code)
    ]
    with pytest.raises(DomainError) as caught:
        invited(world, draft)
    assert caught.value.code == code


def test_every_fault_is_named_at_once(world: World) -> None:
    draft = Draft("", "x", "?", START - timedelta(days=1), START - timedelta(days=2))
    assert {f.field for f in operations.faults(draft, world.clock(), Limits())} == {
        "visitor_name",
        "visitor_phone",
        "purpose",
        "valid_from",
        "valid_until",
    }


def test_a_resident_has_at_most_ten_open_invitations(world: World) -> None:
    ids = [invited(world) for _ in range(Limits().most_open)]
    with pytest.raises(TooManyError):
        invited(world)
    decide(world, world.staff(Role.WORKER), ids[0], "approve")
    use_up(world, ids[0])
    invited(world)
    world.clock.forward(hours=9)
    later = replace(GOOD, valid_from=world.clock(), valid_until=world.clock() + timedelta(hours=1))
    invited(world, later)


def test_cancelling_revokes_the_pass(world: World) -> None:
    invitation_id = invited(world)
    decide(world, world.staff(Role.WORKER), invitation_id, "approve")
    with world.db.write() as session:
        operations.cancel(session, world.resident("resident"), invitation_id, world.clock())
    row = stored(world, invitation_id)
    assert row.state == InvitationState.CANCELLED
    assert row.entry_pass is not None
    assert row.entry_pass.revoked_at == world.clock()


def test_a_waiting_invitation_can_be_cancelled_and_then_not_decided(world: World) -> None:
    invitation_id = invited(world)
    with world.db.write() as session:
        operations.cancel(session, world.resident("resident"), invitation_id, world.clock())
    with pytest.raises(ConflictError):
        decide(world, world.staff(Role.WORKER), invitation_id, "approve")


@pytest.mark.parametrize("who", ["neighbour", "outsider"])
def test_others_cannot_cancel_or_see_it(world: World, who: str) -> None:
    invitation_id = invited(world)
    with pytest.raises(NotFoundError), world.db.write() as session:
        operations.cancel(session, world.resident(who), invitation_id, world.clock())
    with world.db.read() as session:
        assert not queries.own(session, world.resident(who))
        with pytest.raises(NotFoundError):
            queries.own_one(session, world.resident(who), invitation_id)


def _refused(world: World, i: int) -> None:
    decide(world, world.staff(Role.WORKER), i, "refuse")


def _used(world: World, i: int) -> None:
    decide(world, world.staff(Role.WORKER), i, "approve")
    use_up(world, i)


def _cancelled(world: World, i: int) -> None:
    with world.db.write() as session:
        operations.cancel(session, world.resident("resident"), i, world.clock())


def _over(world: World, _i: int) -> None:
    world.clock.forward(hours=8)


@pytest.mark.parametrize("before", [_refused, _used, _cancelled, _over])
def test_a_closed_invitation_cannot_be_cancelled(
    world: World, before: Callable[[World, int], None]
) -> None:
    invitation_id = invited(world)
    before(world, invitation_id)
    with pytest.raises(ConflictError), world.db.write() as session:
        operations.cancel(session, world.resident("resident"), invitation_id, world.clock())


def test_an_invitation_past_its_end_cannot_be_approved(world: World) -> None:
    invitation_id = invited(world)
    world.clock.forward(hours=8)
    with pytest.raises(ConflictError) as caught:
        decide(world, world.staff(Role.WORKER), invitation_id, "approve")
    assert caught.value.code == "expired"


def test_a_resident_no_longer_approved_gets_no_visitor_in(world: World) -> None:
    invitation_id = invited(world)
    with world.db.write() as session:
        session.get_one(Resident, world.residents["resident"]).state = ResidentState.REFUSED
    with pytest.raises(ConflictError):
        decide(world, world.staff(Role.WORKER), invitation_id, "approve")


def test_the_state_that_is_shown(world: World) -> None:
    def shown(invitation_id: int) -> Shown:
        return queries.shown_state(stored(world, invitation_id), world.clock())

    waiting, approved, used, refused, cancelled = (invited(world) for _ in range(5))
    decide(world, world.staff(Role.WORKER), approved, "approve")
    _used(world, used)
    _refused(world, refused)
    _cancelled(world, cancelled)
    assert [shown(i) for i in (waiting, approved, used, refused, cancelled)] == [
        Shown.PENDING,
        Shown.APPROVED,
        Shown.USED,
        Shown.REFUSED,
        Shown.CANCELLED,
    ]
    world.clock.forward(hours=8)
    assert [shown(i) for i in (waiting, approved, used, refused, cancelled)] == [
        Shown.EXPIRED,
        Shown.EXPIRED,
        Shown.USED,
        Shown.REFUSED,
        Shown.CANCELLED,
    ]


def test_acts_are_in_the_audit_without_personal_data(world: World) -> None:
    invitation_id = invited(world)
    decide(world, world.staff(Role.WORKER), invitation_id, "approve", "给周访客")
    _cancelled(world, invitation_id)
    with world.db.read() as session:
        entries = session.scalars(select(AuditEntry).order_by(AuditEntry.id)).all()
    mine = [e for e in entries if e.object_type == "invitation"]
    assert [e.action for e in mine] == [
        "invitation.create",
        "invitation.approve",
        "invitation.cancel",
    ]
    assert {e.region_path for e in mine} == {world.paths["spring"]}
    assert "周访客" not in repr([(e.actor, e.detail) for e in entries])
