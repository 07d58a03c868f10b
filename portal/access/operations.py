"""The hot path: a batch of scans becomes passages and commands in the one transaction it is given.

Reads are set-based, signatures are checked before anything is written, use counts are taken by a
conditional UPDATE (correct between several workers too), replays are stopped by the unique index on
gate and code. An event that has been handled before gets its answer again and never a second use.

A concurrent worker may be faster with the same event or code: then the transaction fails with
``IntegrityError``, and repeating it finds the other's passage.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final, cast

from sqlalchemy import Connection, Table, bindparam, insert, select, update
from sqlalchemy.orm import Session

from mqtt.contract.codec import Fault
from mqtt.contract.messages import Command, Refuse, Unlock
from portal.access.cache import Caches, KnownGate
from portal.access.decision import RULES, Decision, Facts, PassFacts, Reason, Rules, decide
from portal.access.models import Outcome, Passage
from portal.access.scans import (
    Answer,
    ByHand,
    EventKey,
    Handled,
    Holder,
    ReceivedScan,
    ReplayKey,
    handled,
    passes,
    replays,
)
from portal.core.outbox import OutboxMessage, Outgoing, new_transaction, row_values
from portal.devices.operations import acknowledgement
from portal.passes.models import Pass
from portal.passes.operations import replayable
from portal.passes.verdict import Reason as CodeReason
from portal.passes.verdict import Verdict, verify

_passages = cast(Table, Passage.__table__)
_outbox = cast(Table, OutboxMessage.__table__)
_passes = cast(Table, Pass.__table__)

# Statements are built once: building one costs more than running it.
_ADD_PASSAGES: Final = insert(_passages)
_ADD_COMMANDS: Final = insert(_outbox)
_TAKE_USE: Final = (
    update(_passes)
    .where(
        _passes.c.id == bindparam("pass_id"),
        _passes.c.uses < _passes.c.max_uses,
        _passes.c.revoked_at.is_(None),
    )
    .values(uses=_passes.c.uses + 1)
)
_REVOKED: Final = select(_passes.c.revoked_at).where(_passes.c.id == bindparam("pass_id"))
_UNDECIDED: Final = Decision(Outcome.REFUSE, Reason.MALFORMED)


@dataclass(slots=True)
class _Case:
    """One fresh scan on its way through the batch."""

    position: int
    received: ReceivedScan
    gate: KnownGate
    verdict: Verdict
    entry_pass: PassFacts | None = None
    holder: Holder | None = None
    decision: Decision = _UNDECIDED

    @property
    def by_hand(self) -> ByHand | None:
        """Whoever decides in place of the gate."""
        return self.received.by_hand

    @property
    def pass_id(self) -> str | None:
        """The pass the code names, when its signature holds."""
        return self.verdict.claims.pass_id.hex() if self.verdict.claims else None

    @property
    def replay_key(self) -> ReplayKey | None:
        """Gate and code, for codes that open a gate once."""
        return _replay_key(self.gate, self.verdict, self.entry_pass)


def decide_scans(
    session: Session,
    scans: Sequence[ReceivedScan],
    now: datetime,
    caches: Caches,
    *,
    rules: Rules = RULES,
    unlock_seconds: int = 10,
) -> list[Answer]:
    """Decide scans in order and write what follows from it.

    Args:
        session: a write transaction; nothing may leave before it is committed.
        now: the moment of the decision, for all of them.
        unlock_seconds: how long the commands may act.

    Returns:
        One answer for each scan, in the same order.

    Raises:
        IntegrityError: another worker was faster; roll back and repeat, one scan at a time.
    """
    gates = caches.gates(session, (s.address for s in scans))
    keys = [(gates[s.address].device_id, s.scan.id) for s in scans if s.address in gates]
    connection = session.connection()
    before = handled(connection, set(keys), now)
    answers: list[Answer | None] = [None] * len(scans)
    cases: list[_Case] = []
    seen: dict[EventKey, int] = {}
    doubles: list[tuple[int, int]] = []
    for position, received in enumerate(scans):
        gate = gates.get(received.address)
        if gate is None:
            answers[position] = Answer(received.address, received.scan.id, fault=Fault.DEVICE)
            continue
        key = (gate.device_id, received.scan.id)
        if key in before:
            answers[position] = _again(received, before[key], now, unlock_seconds)
        elif key in seen:
            doubles.append((position, seen[key]))
        else:
            seen[key] = position
            at = received.scan.at if received.by_hand else now
            verdict = _judge(session, received.scan.code, gate, at, caches, rules)
            cases.append(_Case(position, received, gate, verdict))
    _decide(connection, cases, now, rules)
    for case, answer in zip(
        cases, _write(connection, cases, now, rules, unlock_seconds), strict=True
    ):
        answers[case.position] = answer
    for position, first in doubles:
        original = answers[first]
        assert original is not None  # noqa: S101 - every fresh scan has its answer by now
        answers[position] = replace(original, outgoing=None, repeated=True)
    return [answer for answer in answers if answer is not None]


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What would be decided. Pass and holder are given only when the code's signature holds."""

    decision: Decision
    verdict: Verdict
    entry_pass: PassFacts | None
    holder: Holder | None


def foresee(
    session: Session,
    code: str,
    gate: KnownGate,
    now: datetime,
    caches: Caches,
    *,
    rules: Rules = RULES,
) -> Foreseen:
    """What :func:`decide_scans` would decide about a code read now; nothing is written or used up."""
    verdict = _judge(session, code, gate, now, caches, rules)
    pass_id = verdict.claims.pass_id.hex() if verdict.claims else ""
    connection = session.connection()
    rows = passes(connection, {pass_id} if pass_id else ())
    held, holder = rows.get(pass_id, (None, None))
    key = _replay_key(gate, verdict, held)
    facts = Facts(
        now=now,
        scanned_at=now,
        gate=gate.facts,
        code=verdict.reason,
        entry_pass=held,
        replayed=key is not None and key in replays(connection, {key}),
    )
    return Foreseen(decide(facts, rules), verdict, held, holder)


def _judge(
    session: Session,
    code: str,
    gate: KnownGate,
    at: datetime,
    caches: Caches,
    rules: Rules,
) -> Verdict:
    verdict = verify(code, caches.keys(session), at, skew=rules.skew, issuer=gate.issuer)
    if verdict.reason is CodeReason.UNKNOWN_KEY:
        keys = caches.look_again(session)
        verdict = verify(code, keys, at, skew=rules.skew, issuer=gate.issuer)
    return verdict


def _replay_key(gate: KnownGate, verdict: Verdict, held: PassFacts | None) -> ReplayKey | None:
    if verdict.claims is None or held is None or replayable(held.kind, held.max_uses):
        return None
    return gate.facts.id, verdict.claims.code_id.hex()


def _decide(connection: Connection, cases: Sequence[_Case], now: datetime, rules: Rules) -> None:
    rows = passes(connection, {case.pass_id for case in cases if case.pass_id is not None})
    for case in cases:
        if case.pass_id in rows:
            case.entry_pass, case.holder = rows[case.pass_id]
    asked = {key for case in cases if (key := case.replay_key) is not None}
    used = replays(connection, asked)
    uses = {pass_id: facts.uses for pass_id, (facts, _) in rows.items()}
    counted: list[_Case] = []
    for case in cases:
        held = case.entry_pass
        if held is not None and held.max_uses:
            held = replace(held, uses=uses[held.id])
        case.decision = decide(
            Facts(
                now=now,
                scanned_at=case.received.scan.at,
                gate=case.gate.facts,
                code=case.verdict.reason,
                entry_pass=held,
                replayed=case.replay_key in used,
                turned_away=case.by_hand is not None and case.by_hand.turned_away,
            ),
            rules,
        )
        if case.decision.outcome is Outcome.ALLOW and held is not None:
            if case.replay_key is not None:
                used.add(case.replay_key)
            if held.max_uses:
                uses[held.id] += 1
                counted.append(case)
    _take_uses(connection, counted)


def _take_uses(connection: Connection, counted: list[_Case]) -> None:
    """Take one use for each of these, always in the order of pass ids so that workers cannot deadlock."""
    for case in sorted(counted, key=lambda c: (c.pass_id or "", c.position)):
        result = connection.execute(_TAKE_USE, {"pass_id": case.pass_id})
        if result.rowcount == 0:
            revoked = connection.scalar(_REVOKED, {"pass_id": case.pass_id})
            reason = Reason.USED_UP if revoked is None else Reason.REVOKED
            case.decision = Decision(Outcome.REFUSE, reason)


def _again(received: ReceivedScan, known: Handled, now: datetime, unlock_seconds: int) -> Answer:
    outgoing = known.outgoing
    if outgoing is None and received.by_hand is None:
        outgoing = acknowledgement(
            received.address, [received.scan.id], now, now + timedelta(seconds=unlock_seconds)
        )
    return Answer(
        received.address,
        received.scan.id,
        outgoing,
        known.outcome,
        known.reason,
        repeated=True,
    )


def _write(
    connection: Connection, cases: Sequence[_Case], now: datetime, rules: Rules, unlock_seconds: int
) -> list[Answer]:
    if not cases:
        return []
    expires_at = now + timedelta(seconds=unlock_seconds)
    answers: list[Answer] = []
    passage_rows: list[Mapping[str, Any]] = []
    outbox_rows: list[Mapping[str, Any]] = []
    for case in cases:
        address = case.received.address
        if case.by_hand is not None:  # whoever decided opens the door
            passage_rows.append(_passage_row(case, None, now, rules))
            answers.append(
                Answer(
                    address,
                    case.received.scan.id,
                    outcome=case.decision.outcome,
                    reason=case.decision.reason,
                )
            )
            continue
        command = _command(case, now, expires_at)
        row = row_values(address, command, now)
        outbox_rows.append(row)
        passage_rows.append(_passage_row(case, command.transaction, now, rules))
        payload = cast(bytes, row["payload"])
        outgoing = Outgoing(command.transaction, address.command(command.NAME), payload, expires_at)
        answers.append(
            Answer(
                address,
                case.received.scan.id,
                outgoing,
                case.decision.outcome,
                case.decision.reason,
            )
        )
    connection.execute(_ADD_PASSAGES, passage_rows)
    if outbox_rows:
        connection.execute(_ADD_COMMANDS, outbox_rows)
    return answers


def _command(case: _Case, now: datetime, expires_at: datetime) -> Command:
    if case.decision.outcome is Outcome.ALLOW:
        return Unlock(
            transaction=new_transaction(),
            at=now,
            expires_at=expires_at,
            pulse_ms=case.gate.pulse_ms,
            event=case.received.scan.id,
        )
    return Refuse(
        transaction=new_transaction(),
        at=now,
        expires_at=expires_at,
        event=case.received.scan.id,
        reason=case.decision.reason,
    )


def _passage_row(
    case: _Case, transaction: str | None, now: datetime, rules: Rules
) -> Mapping[str, Any]:
    scan, held, holder = case.received.scan, case.entry_pass, case.holder
    allowed = case.decision.outcome is Outcome.ALLOW
    return {
        "event_id": scan.id,
        "device_id": case.gate.device_id,
        "gate_id": case.gate.facts.id,
        "community_id": case.gate.facts.community_id,
        "pass_id": case.pass_id,
        "pass_kind": held.kind if held else None,
        "resident_id": holder.resident_id if holder else None,
        "dwelling_id": holder.dwelling_id if holder else None,
        "token_id": case.replay_key[1] if allowed and case.replay_key else None,
        "direction": scan.direction.value,
        "scanned_at": scan.at,
        "decided_at": now,
        "outcome": case.decision.outcome.value,
        "reason": case.decision.reason.value,
        "rules": rules.version,
        "offline": False,
        "body_temperature": scan.body_temperature,
        "transaction": transaction,
        "opened_at": None,
        "command_reason": "",
        "by_hand": case.by_hand.user_id if case.by_hand else None,
    }
