"""Passages that a gate decided by itself while the network was gone (degraded path).

The door has moved already: nothing is refused here. The code's signature is checked as of the moment
of the scan, so that the passage names its pass; the gate's own outcome and reason stand.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import cast

from sqlalchemy import Table, bindparam, insert, update
from sqlalchemy.orm import Session

from mqtt.contract.codec import Fault
from portal.access.cache import Caches, KnownGate
from portal.access.decision import RULES, PassFacts, Rules
from portal.access.models import Outcome, Passage
from portal.access.scans import (
    Answer,
    EventKey,
    Holder,
    ReceivedOfflinePassage,
    ReplayKey,
    handled,
    passes,
    replays,
)
from portal.devices.operations import acknowledgement
from portal.passes.models import Pass
from portal.passes.operations import replayable
from portal.passes.verdict import Verdict, verify

_passages = cast(Table, Passage.__table__)

_COUNT_USE = (
    update(Pass)
    .where(Pass.id == bindparam("pass_id"), Pass.max_uses > 0, Pass.uses < Pass.max_uses)
    .values(uses=Pass.uses + 1)
    .execution_options(synchronize_session=False)
)


def record_offline_passages(
    session: Session,
    received: Sequence[ReceivedOfflinePassage],
    now: datetime,
    caches: Caches,
    *,
    rules: Rules = RULES,
    answer_seconds: int = 30,
) -> list[Answer]:
    """Write such passages down, each once, and take the uses they have cost.

    Returns:
        One answer for each, in order: an acknowledgement, or a fault when there is no such gate.
    """
    gates = caches.gates(session, (r.address for r in received))
    done: set[EventKey] = set(
        handled(
            session.connection(),
            {(gates[r.address].device_id, r.event.id) for r in received if r.address in gates},
            now,
        )
    )
    fresh: list[tuple[ReceivedOfflinePassage, KnownGate, Verdict]] = []
    answers: list[Answer] = []
    for item in received:
        gate = gates.get(item.address)
        if gate is None:
            answers.append(Answer(item.address, item.event.id, fault=Fault.DEVICE))
            continue
        key = (gate.device_id, item.event.id)
        outgoing = acknowledgement(
            item.address, [item.event.id], now, now + timedelta(seconds=answer_seconds)
        )
        answers.append(
            Answer(
                item.address,
                item.event.id,
                outgoing,
                Outcome(item.event.outcome),
                item.event.reason,
                repeated=key in done,
            )
        )
        if key not in done:
            done.add(key)
            verdict = verify(
                item.event.code,
                caches.keys(session),
                item.event.at,
                skew=rules.skew,
                issuer=gate.issuer,
            )
            fresh.append((item, gate, verdict))
    _write(session, fresh, now, rules)
    return answers


def _write(
    session: Session,
    fresh: Sequence[tuple[ReceivedOfflinePassage, KnownGate, Verdict]],
    now: datetime,
    rules: Rules,
) -> None:
    if not fresh:
        return
    rows = passes(session.connection(), {v.claims.pass_id.hex() for _, _, v in fresh if v.claims})
    spent = replays(
        session.connection(),
        {(g.facts.id, v.claims.code_id.hex()) for _, g, v in fresh if v.claims},
    )
    values = []
    counted: list[str] = []
    for item, gate, verdict in fresh:
        pass_id = verdict.claims.pass_id.hex() if verdict.claims else None
        held, holder = rows.get(pass_id or "", (None, Holder(None, None)))
        allowed = Outcome(item.event.outcome) is Outcome.ALLOW
        token_id = _token_id(gate, verdict, held, spent) if allowed else None
        if allowed and held is not None and held.max_uses:
            counted.append(held.id)
        values.append(
            {
                "event_id": item.event.id,
                "device_id": gate.device_id,
                "gate_id": gate.facts.id,
                "community_id": gate.facts.community_id,
                "pass_id": pass_id,
                "pass_kind": held.kind if held else None,
                "resident_id": holder.resident_id,
                "dwelling_id": holder.dwelling_id,
                "token_id": token_id,
                "direction": item.event.direction.value,
                "scanned_at": item.event.at,
                "decided_at": now,
                "outcome": item.event.outcome,
                "reason": item.event.reason,
                "rules": rules.version,
                "offline": True,
                "body_temperature": None,
                "transaction": None,
                "opened_at": item.event.at if allowed else None,
                "command_reason": "",
                "by_hand": None,
            }
        )
    for pass_id in sorted(counted):
        session.execute(_COUNT_USE, {"pass_id": pass_id})
    session.connection().execute(insert(_passages), values)


def _token_id(
    gate: KnownGate, verdict: Verdict, held: PassFacts | None, spent: set[ReplayKey]
) -> str | None:
    """The code's id, so that it opens this gate no second time; ``None`` when it has been used."""
    if verdict.claims is None or held is None or replayable(held.kind, held.max_uses):
        return None
    key = (gate.facts.id, verdict.claims.code_id.hex())
    if key in spent:
        return None
    spent.add(key)
    return key[1]
