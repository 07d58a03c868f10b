"""Decisions about residents: who may, once only, the same twice, two at once."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import select, text

from portal.core.audit import AuditEntry
from portal.core.errors import ConflictError, DomainError, ForbiddenError, NotFoundError
from portal.residents.models import DocumentType, ResidentState
from portal.residents.operations import decide, document_hash, unmask
from tests.portal.cast import NOW, Town, resident_row


def verdict(town: Town, who: str, *, approve: bool = True, note: str = "", on: str = "waiting"):  # type: ignore[no-untyped-def]
    with town.db.write() as session:
        return decide(session, town.actor(who), town.ids[on], approve=approve, note=note, now=NOW)


def test_a_worker_approves(town: Town) -> None:
    verdict(town, "worker")
    row = resident_row(town, "waiting")
    assert row.state == ResidentState.APPROVED
    assert (row.decided_at, row.decided_by) == (NOW, town.ids["user:worker"])


def test_a_refusal_needs_a_reason_that_fits(town: Town) -> None:
    for note in ("", "   ", "x" * 201):
        with pytest.raises(DomainError) as refused:
            verdict(town, "worker", approve=False, note=note)
        assert refused.value.field == "note"
    verdict(town, "worker", approve=False, note=" 请补交租赁合同 ")
    row = resident_row(town, "waiting")
    assert (row.state, row.decision_note) == (ResidentState.REFUSED, "请补交租赁合同")


@pytest.mark.parametrize(
    ("who", "error"),
    [
        ("gatekeeper", ForbiddenError),
        ("manager", ForbiddenError),
        ("supervisor", ForbiddenError),
        ("auditor", ForbiddenError),
        ("distant", NotFoundError),
        ("resident", NotFoundError),
        ("neighbour", NotFoundError),
    ],
)
def test_nobody_else_decides_or_looks(town: Town, who: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        verdict(town, who)
    with pytest.raises(error), town.db.write() as session:
        unmask(session, town.actor(who), town.ids["waiting"])
    assert resident_row(town, "waiting").state == ResidentState.PENDING


def test_the_same_decision_twice_is_one(town: Town) -> None:
    verdict(town, "worker")
    town.clock.now = NOW
    verdict(town, "secure")
    assert resident_row(town, "waiting").decided_by == town.ids["user:worker"]
    with town.db.read() as session:
        acts = session.scalars(
            select(AuditEntry).where(
                AuditEntry.action == "resident.approve",
                AuditEntry.object_id == str(town.ids["waiting"]),
            )
        ).all()
    assert len(acts) == 1


def test_the_opposite_decision_comes_too_late(town: Town) -> None:
    verdict(town, "worker")
    with pytest.raises(ConflictError) as late:
        verdict(town, "secure", approve=False, note="no")
    assert late.value.code == "already_decided"
    assert resident_row(town, "waiting").state == ResidentState.APPROVED


def test_of_two_workers_at_once_one_decides(town: Town) -> None:
    actors = {approve: town.actor("worker") for approve in (True, False)}
    results: list[str] = []
    start = threading.Barrier(2)

    def act(approve: bool) -> None:
        start.wait()
        try:
            with town.db.write() as session:
                decide(
                    session,
                    actors[approve],
                    town.ids["waiting"],
                    approve=approve,
                    note="no",
                    now=NOW,
                )
            results.append("decided")
        except ConflictError:
            results.append("late")

    threads = [threading.Thread(target=act, args=(approve,)) for approve in (True, False)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(results) == ["decided", "late"]


def test_a_look_at_full_values_is_written_down_without_them(town: Town) -> None:
    with town.db.write() as session:
        shown = unmask(session, town.actor("worker"), town.ids["waiting"])
        assert shown.phone == "13800138002"
    with town.db.read() as session:
        entry = session.scalars(
            select(AuditEntry).where(AuditEntry.action == "resident.unmask")
        ).one()
        everything = repr(session.execute(text("select * from audit_entries")).all())
    assert entry.user_id == town.ids["user:worker"]
    assert entry.object_id == str(town.ids["waiting"])
    for secret in ("13800138002", "李秀英", shown.document_number):
        assert secret not in everything


def test_personal_values_are_not_readable_in_the_database(town: Town) -> None:
    with town.db.read() as session:
        rows = repr(session.execute(text("select * from residents")).all())
    for secret in ("张伟", "13800138001", "110105199003071"):
        assert secret not in rows
        assert secret.encode().hex() not in rows


def test_the_same_number_of_another_type_is_another_document(town: Town) -> None:
    assert document_hash(DocumentType.PASSPORT, "E12345678") != document_hash(
        DocumentType.TAIWAN, "E12345678"
    )
