"""Claimed, decided, taken back, on both engines; of two at once exactly one wins."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import select

from portal.access.models import Outcome, PassageReview
from portal.core.audit import AuditEntry
from portal.core.errors import ConflictError, DomainError, ForbiddenError, NotFoundError
from portal.core.permissions import Role
from portal.core.work import CLAIM_LIFE, UNDO_WINDOW
from portal.devices import faults
from portal.devices.cache import KnownDevice
from portal.devices.models import DeviceFault, FaultKind
from portal.passes.operations import issue_resident_pass
from portal.residents.models import Resident, ResidentState
from portal.visitors.models import Invitation, InvitationState
from portal.workbench import operations, queue
from portal.workbench.models import WorkClaim, WorkDecision
from tests.portal.workbench.conftest import Bench

REGISTRATION = "residents.registration"
INVITATION = "visitors.invitation"
REFUSAL = "access.refusal"
FAULT = "devices.fault"


def fault(bench: Bench, kind: FaultKind = FaultKind.FORCED) -> int:
    with bench.house.db.write() as session:
        row = DeviceFault(
            device_id=1,
            community_id=bench.house.communities["spring"],
            kind=kind,
            since=bench.now - timedelta(hours=1),
        )
        session.add(row)
        session.flush()
        return row.id


MAKERS: dict[str, Callable[[Bench], int]] = {
    REGISTRATION: Bench.registration,
    INVITATION: Bench.invitation,
    REFUSAL: Bench.passage,
    FAULT: fault,
}
MAIN_CHOICE = {
    REGISTRATION: "approve",
    INVITATION: "approve",
    REFUSAL: "fine",
    FAULT: "resolve",
}
OTHER_CHOICE = {
    REGISTRATION: "refuse",
    INVITATION: "refuse",
    REFUSAL: "follow_up",
    FAULT: "acknowledge",
}
KINDS = pytest.mark.parametrize("kind", list(MAKERS))


def decide(
    bench: Bench,
    kind: str,
    item_id: int,
    choice: str,
    note: str = "",
    who: str = "one",
    roles: tuple[Role, ...] = (),
) -> WorkDecision:
    actor = bench.actor(who, *roles)
    with bench.write() as session:
        return operations.decide(session, actor, kind, item_id, choice, note, bench.now)


def undo(bench: Bench, decision: WorkDecision, who: str = "one") -> None:
    with bench.write() as session:
        operations.undo(session, bench.actor(who), decision.id, bench.now)


def act(
    bench: Bench,
    verb: str,
    kind: str,
    item_id: int,
    who: str = "one",
    *roles: Role,
    region: str = "spring",
) -> None:
    actor = bench.actor(who, *roles, region=region)
    with bench.write() as session:
        getattr(operations, verb)(session, actor, kind, item_id, bench.now)


def waits(bench: Bench, kind: str, item_id: int) -> bool:
    with bench.read() as session:
        found = queue.queue(session, bench.actor(), bench.now)
        again = queue.total(session, bench.actor(), bench.now)
    assert found.total == again
    return f"{kind}:{item_id}" in {e.key for e in found.entries}


def holder(bench: Bench) -> str | None:
    with bench.read() as session:
        (entry,) = queue.queue(session, bench.actor(), bench.now).entries
    return entry.claim.name if entry.claim else None


def at_once(bench: Bench, *acts: Callable[[], object]) -> list[str]:
    """What became of acts done at the same moment: "ok" or the code of the conflict."""
    barrier = threading.Barrier(len(acts))
    outcomes: list[str] = []

    def run(one: Callable[[], object]) -> None:
        barrier.wait()
        try:
            one()
            outcomes.append("ok")
        except ConflictError as error:
            outcomes.append(error.code)

    threads = [threading.Thread(target=run, args=(one,)) for one in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(outcomes)


# --- deciding --------------------------------------------------------------------------------


@KINDS
def test_a_decision_takes_the_item_out_of_the_queue_and_undo_brings_it_back(
    bench: Bench, kind: str
) -> None:
    item_id = MAKERS[kind](bench)
    for choice in (MAIN_CHOICE[kind], OTHER_CHOICE[kind]):
        assert waits(bench, kind, item_id)
        decision = decide(bench, kind, item_id, choice, "看过了")
        assert not waits(bench, kind, item_id)
        undo(bench, decision)
    assert waits(bench, kind, item_id)


@KINDS
def test_of_two_who_decide_at_once_exactly_one_wins(bench: Bench, kind: str) -> None:
    item_id = MAKERS[kind](bench)
    outcomes = at_once(
        bench,
        lambda: decide(bench, kind, item_id, MAIN_CHOICE[kind], "", "one"),
        lambda: decide(bench, kind, item_id, OTHER_CHOICE[kind], "不行", "two"),
        lambda: decide(bench, kind, item_id, MAIN_CHOICE[kind], "", "three"),
        lambda: decide(bench, kind, item_id, MAIN_CHOICE[kind], "", "three"),
    )
    assert outcomes == ["already_decided"] * 3 + ["ok"]
    with bench.house.db.read() as session:
        assert len(session.scalars(select(WorkDecision)).all()) == 1


@KINDS
def test_a_second_decision_is_told_so(bench: Bench, kind: str) -> None:
    item_id = MAKERS[kind](bench)
    decide(bench, kind, item_id, MAIN_CHOICE[kind])
    for choice in (MAIN_CHOICE[kind], OTHER_CHOICE[kind]):
        with pytest.raises(ConflictError):
            decide(bench, kind, item_id, choice, "晚了", "two")


@KINDS
def test_the_note_is_asked_for_and_an_unknown_choice_refused(bench: Bench, kind: str) -> None:
    item_id = MAKERS[kind](bench)
    for choice, note, code, where in (
        (OTHER_CHOICE[kind], "  ", "note_missing", "note"),
        (OTHER_CHOICE[kind], "长" * 201, "note_long", "note"),
        ("explode", "", "unknown_choice", None),
    ):
        with pytest.raises(DomainError) as caught:
            decide(bench, kind, item_id, choice, note)
        assert (caught.value.code, caught.value.field) == (code, where)
    assert waits(bench, kind, item_id)


@KINDS
def test_strangers_find_nothing_and_weak_roles_may_not(bench: Bench, kind: str) -> None:
    item_id = MAKERS[kind](bench)
    for verb in ("claim", "release", "take_over"):
        with pytest.raises(NotFoundError):
            act(bench, verb, kind, item_id, "one", Role.WORKER, region="autumn")
        with pytest.raises(ForbiddenError):
            act(bench, verb, kind, item_id, "one", Role.HEALTH_WORKER)
    with pytest.raises(ForbiddenError):
        decide(bench, kind, item_id, MAIN_CHOICE[kind], roles=(Role.GATEKEEPER,))
    assert waits(bench, kind, item_id)


def test_nobody_knows_of_other_kinds_and_items(bench: Bench) -> None:
    for kind, item_id in (("made.up", 1), (REGISTRATION, 999_999), (REFUSAL, 999_999)):
        with pytest.raises(NotFoundError):
            act(bench, "claim", kind, item_id)


def test_decisions_of_other_days_are_only_in_the_audit(bench: Bench) -> None:
    decide(bench, REFUSAL, bench.passage(), "fine")
    bench.forward(timedelta(days=2))
    kept = decide(bench, REFUSAL, bench.passage(pass_id="b" * 32), "fine")
    with bench.house.db.read() as session:
        assert [row.id for row in session.scalars(select(WorkDecision))] == [kept.id]


# --- claims ----------------------------------------------------------------------------------


def test_a_claim_keeps_others_away_until_it_is_over(bench: Bench) -> None:
    item_id = bench.registration()
    act(bench, "claim", REGISTRATION, item_id)
    assert holder(bench) == "one"
    with pytest.raises(ConflictError) as caught:
        act(bench, "claim", REGISTRATION, item_id, "two")
    assert caught.value.code == "claimed"
    with bench.app.test_request_context():
        assert "one" in str(caught.value.message)
    with pytest.raises(ConflictError):
        decide(bench, REGISTRATION, item_id, "approve", who="two")
    bench.forward(CLAIM_LIFE)
    assert holder(bench) is None
    act(bench, "claim", REGISTRATION, item_id, "two")
    assert holder(bench) == "two"


def test_a_claim_can_be_renewed_released_and_ends_with_the_decision(bench: Bench) -> None:
    item_id = bench.registration()
    act(bench, "claim", REGISTRATION, item_id)
    bench.forward(CLAIM_LIFE / 2)
    act(bench, "claim", REGISTRATION, item_id)
    bench.forward(CLAIM_LIFE / 2)
    assert holder(bench) == "one"
    act(bench, "release", REGISTRATION, item_id, "two")
    assert holder(bench) == "one"
    act(bench, "release", REGISTRATION, item_id)
    assert holder(bench) is None
    act(bench, "claim", REGISTRATION, item_id)
    decide(bench, REGISTRATION, item_id, "approve")
    with bench.house.db.read() as session:
        assert session.scalars(select(WorkClaim)).all() == []
    with pytest.raises(ConflictError):
        act(bench, "claim", REGISTRATION, item_id)


def test_of_many_who_claim_at_once_exactly_one_has_it(bench: Bench) -> None:
    item_id = bench.registration()
    outcomes = at_once(
        bench,
        *(
            lambda who=who: act(bench, "claim", REGISTRATION, item_id, who)  # type: ignore[misc]
            for who in ("one", "two", "three")
        ),
    )
    assert outcomes == ["claimed", "claimed", "ok"]


def test_supervisors_take_over_and_workers_do_not(bench: Bench) -> None:
    item_id = bench.passage()
    act(bench, "claim", REFUSAL, item_id)
    with pytest.raises(ForbiddenError):
        act(bench, "take_over", REFUSAL, item_id, "two")
    act(bench, "take_over", REFUSAL, item_id, "two", Role.SUPERVISOR)
    assert holder(bench) == "two"
    with pytest.raises(ConflictError):
        decide(bench, REFUSAL, item_id, "fine")


# --- taking back -----------------------------------------------------------------------------


@KINDS
def test_undo_ends_with_its_window(bench: Bench, kind: str) -> None:
    item_id = MAKERS[kind](bench)
    decision = decide(bench, kind, item_id, MAIN_CHOICE[kind])
    bench.forward(UNDO_WINDOW + timedelta(seconds=1))
    with pytest.raises(ConflictError) as caught:
        undo(bench, decision)
    assert caught.value.code == "undo_late"
    with bench.read() as session:
        assert queue.decided_just_now(session, bench.actor(), bench.now) == []


@KINDS
def test_only_whoever_decided_takes_it_back_and_only_once(bench: Bench, kind: str) -> None:
    item_id = MAKERS[kind](bench)
    decision = decide(bench, kind, item_id, MAIN_CHOICE[kind])
    with pytest.raises(NotFoundError):
        undo(bench, decision, "two")
    outcomes = at_once(bench, *(lambda: undo(bench, decision) for _ in range(3)))
    assert outcomes == ["ok", "undone", "undone"]


def test_undoing_an_approval_withdraws_the_pass_and_a_new_one_gives_a_new_pass(
    bench: Bench,
) -> None:
    item_id = bench.registration()

    def issued() -> str:
        with bench.house.db.write() as session:
            return issue_resident_pass(session, item_id, bench.house.dwellings["201"], bench.now).id

    decision = decide(bench, REGISTRATION, item_id, "approve")
    first = issued()
    undo(bench, decision)
    assert bench.pass_of(first).revoked_reason == "undone"
    with bench.house.db.read() as session:
        row = session.get_one(Resident, item_id)
        assert (row.state, row.decided_at, row.decided_by) == (ResidentState.PENDING, None, None)
    bench.forward(timedelta(minutes=1))
    decide(bench, REGISTRATION, item_id, "approve")
    assert issued() != first


def test_an_approval_whose_pass_was_used_is_not_taken_back(bench: Bench) -> None:
    item_id = bench.registration()
    bench.passage("ok", outcome=Outcome.ALLOW, resident="201")
    bench.forward(timedelta(minutes=1))
    decision = decide(bench, REGISTRATION, item_id, "approve")
    bench.forward(timedelta(minutes=1))
    bench.passage("expired", resident="201")
    bench.passage("ok", outcome=Outcome.ALLOW, resident="201")
    with pytest.raises(ConflictError) as caught:
        undo(bench, decision)
    assert caught.value.code == "used"
    with bench.house.db.read() as session:
        assert session.get_one(Resident, item_id).state == ResidentState.APPROVED
        assert session.get_one(WorkDecision, decision.id).undone_at is None


def test_undoing_an_invitation_withdraws_its_pass_unless_it_was_used(bench: Bench) -> None:
    item_id = bench.invitation()
    decision = decide(bench, INVITATION, item_id, "approve")
    with bench.house.db.read() as session:
        first = session.get_one(Invitation, item_id).pass_id
    undo(bench, decision)
    assert bench.pass_of(first).revoked_at == bench.now
    decision = decide(bench, INVITATION, item_id, "approve")
    with bench.house.db.write() as session:
        row = session.get_one(Invitation, item_id)
        assert row.pass_id not in (None, first)
        second = row.entry_pass
        assert second is not None
        second.uses = 1
    with pytest.raises(ConflictError) as caught:
        undo(bench, decision)
    assert caught.value.code == "used"
    with bench.house.db.read() as session:
        assert session.get_one(Invitation, item_id).state == InvitationState.APPROVED


def test_what_has_changed_since_is_not_taken_back(bench: Bench) -> None:
    registration, invitation = bench.registration(), bench.invitation()
    first = decide(bench, REGISTRATION, registration, "refuse", "不对")
    second = decide(bench, INVITATION, invitation, "refuse", "不对")
    with bench.house.db.write() as session:
        session.get_one(Resident, registration).decided_by = bench.users["two"]
        session.get_one(Invitation, invitation).state = InvitationState.CANCELLED
    for decision in (first, second):
        with pytest.raises(ConflictError) as caught:
            undo(bench, decision)
        assert caught.value.code == "changed"


def test_a_fault_that_came_again_stays_resolved_in_its_old_form(bench: Bench) -> None:
    item_id = fault(bench)
    decision = decide(bench, FAULT, item_id, "resolve")
    fault_again = fault(bench)
    with pytest.raises(ConflictError) as caught:
        undo(bench, decision)
    assert caught.value.code == "changed"
    assert waits(bench, FAULT, fault_again)


def test_only_the_device_ends_what_nobody_sees_by_eye(bench: Bench) -> None:
    item_id = fault(bench, FaultKind.OFFLINE)
    with pytest.raises(DomainError) as caught:
        decide(bench, FAULT, item_id, "resolve")
    assert caught.value.code == "unknown_choice"
    with pytest.raises(ConflictError), bench.write() as session:
        faults.decide(session, bench.actor(), item_id, faults.Verdict.RESOLVED, "", bench.now)
    decide(bench, FAULT, item_id, "acknowledge", "路由器重启")
    device = KnownDevice(1, "door_lock")
    with bench.write() as session:
        faults.note_status(session, [(device, True, bench.now)])
        assert session.get_one(DeviceFault, item_id).ended_at == bench.now


# --- what is written down --------------------------------------------------------------------


def test_everything_is_in_the_audit_without_personal_data(bench: Bench) -> None:
    item_id = bench.registration()
    act(bench, "claim", REGISTRATION, item_id)
    act(bench, "release", REGISTRATION, item_id)
    act(bench, "claim", REGISTRATION, item_id, "two", Role.WORKER)
    act(bench, "take_over", REGISTRATION, item_id, "one", Role.WORKER, Role.MANAGER)
    undo(bench, decide(bench, REGISTRATION, item_id, "refuse", "李小明的证件不清楚"))
    with bench.house.db.read() as session:
        entries = session.scalars(select(AuditEntry).order_by(AuditEntry.id)).all()
    mine = [e for e in entries if e.object_type in (REGISTRATION, "resident")]
    assert [e.action for e in mine] == [
        "work.claim",
        "work.release",
        "work.claim",
        "work.take_over",
        "resident.refuse",
        "work.decide",
        "resident.reopen",
        "work.undo",
    ]
    assert {e.region_path for e in mine} == {f"/{bench.house.communities['spring']}/"}
    assert "李小明" not in repr([(e.actor, e.detail) for e in mine])


def test_a_review_covers_what_had_happened_and_no_more(bench: Bench) -> None:
    first, second = bench.passage(), bench.passage("expired")
    decide(bench, REFUSAL, first, "follow_up", "打电话问问")
    with bench.house.db.read() as session:
        review = session.get_one(PassageReview, first)
        assert (review.last_passage_id, review.verdict) == (second, "follow_up")
    later = bench.passage()
    assert waits(bench, REFUSAL, later)
