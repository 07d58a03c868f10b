"""Staff read a code with their own phone: look at it, then let in or turn away (A5, B1, B4, B5).

::

    code ──look_up──► what a gate would decide ──record──► passage with the member of staff at it
                      (audited, nothing used up)           (same decision, same transaction, same rules)

Recording goes through :func:`portal.access.operations.decide_scans`: use counts, replays and repeats are
judged as if the gate had read the code itself. The code counts as of the moment it was read, for a code
on a phone lapses while the guard looks at its holder; passes count as they stand when it is recorded.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from mqtt.contract.messages import Scan
from mqtt.contract.topics import DeviceAddress
from portal.access.cache import Caches, KnownGate
from portal.access.decision import BY_HAND, NO_GATE, GateFacts
from portal.access.models import Gate, Outcome, Passage
from portal.access.operations import Foreseen, decide_scans, foresee
from portal.access.scans import ByHand, ReceivedScan
from portal.core import audit
from portal.core.errors import ConflictError, DomainError
from portal.core.i18n import lazy
from portal.core.permissions import Actor, Permission, found, require
from portal.devices.models import Device
from portal.regions.directory import within
from portal.regions.models import Region
from portal.regions.queries import load_community

LONGEST_CODE: Final = 1024
_VISIT: Final = re.compile(r"[0-9A-Za-z-]{16,48}")


@dataclass(frozen=True, slots=True)
class Recorded:
    """What stands in the log now. ``repeated``: it stood there already, nothing was added."""

    passage_id: int
    outcome: Outcome
    reason: str
    repeated: bool


def gates(session: Session, actor: Actor) -> Sequence[Gate]:
    """Gates at which the actor may read codes, by community; those of the whole community come first."""
    return session.scalars(
        select(Gate)
        .join(Region, Gate.community_id == Region.id)
        .join(Device, Gate.device_id == Device.id)
        .options(joinedload(Gate.community))
        .where(within(actor.paths(Permission.PASS_SCAN)), Device.retired_at.is_(None))
        .order_by(Gate.community_id, Gate.kind.desc(), Gate.name)
    ).all()


def look_up(
    session: Session,
    actor: Actor,
    code: str,
    now: datetime,
    *,
    gate_id: int | None = None,
    community_id: int | None = None,
) -> Foreseen:
    """What a gate would decide about a code. Uses nothing up; the look is in the audit.

    Args:
        gate_id: where the actor stands; without it the pass is only checked, in ``community_id``.

    Raises:
        NotFoundError, ForbiddenError: the actor may not read codes there.
        DomainError: ``code_missing``, ``code_long``.
        ConflictError: ``gate_gone``.
    """
    if not code:
        raise DomainError("code_missing", lazy("Scan a code, or type one in."), field="code")
    if len(code) > LONGEST_CODE:
        raise DomainError("code_long", lazy("This is too long for a pass."), field="code")
    caches = Caches(max_age=0)
    if gate_id is not None:
        gate = _load(session, actor, Permission.PASS_SCAN, gate_id)
        community, known = gate.community, _known(session, gate, caches)
    else:
        community = load_community(session, actor, Permission.PASS_SCAN, community_id or 0)
        place = GateFacts(NO_GATE, community.id, building_id=None, enabled=True)
        known = KnownGate(place, device_id=0, issuer=community.uscc or "", pulse_ms=0)
    seen = foresee(session, code, known, now, caches, rules=BY_HAND)
    audit.record(
        session,
        actor,
        "pass.look_up",
        ("pass", seen.entry_pass.id if seen.entry_pass else "unknown"),
        path=community.path,
        result=seen.decision.outcome.value,
        reason=seen.decision.reason.value,
        gate=gate_id,
    )
    return seen


def record(
    session: Session,
    actor: Actor,
    code: str,
    *,
    gate_id: int,
    seen_at: datetime,
    visit: str,
    let_in: bool,
    now: datetime,
) -> Recorded:
    """Let somebody in at a gate, or turn them away.

    What is recorded may be a refusal although ``let_in`` is asked for: then the pass does not count.

    Args:
        seen_at: when the code was read, by the portal's own clock.
        visit: names this visit; the same one again changes nothing and gives the same answer.

    Raises:
        NotFoundError, ForbiddenError: the actor may not record passages there.
        DomainError: ``bad_visit``.
        ConflictError: ``gate_gone``.
        IntegrityError: a gate read the same code at the same moment; roll back and repeat.
    """
    gate = _load(session, actor, Permission.PASSAGE_RECORD, gate_id)
    if not _VISIT.fullmatch(visit) or actor.user_id is None:
        raise DomainError("bad_visit", lazy("This card is not valid. Scan the code again."))
    scan = Scan(id=f"hand-{visit}", at=seen_at, code=code)
    decider = ByHand(actor.user_id, turned_away=not let_in)
    [answer] = decide_scans(
        session,
        [ReceivedScan(_address(gate), scan, decider)],
        now,
        Caches(max_age=0),
        rules=BY_HAND,
    )
    if answer.fault is not None or answer.outcome is None:
        raise _gone()
    passage_id = session.scalars(
        select(Passage.id).where(Passage.device_id == gate.device_id, Passage.event_id == scan.id)
    ).one()
    if not answer.repeated:
        audit.record(
            session,
            actor,
            "passage.record",
            ("passage", passage_id),
            path=gate.community.path,
            result=answer.outcome.value,
            reason=str(answer.reason),
            gate=gate.id,
        )
    return Recorded(passage_id, answer.outcome, str(answer.reason), answer.repeated)


def _load(session: Session, actor: Actor, permission: Permission, gate_id: int) -> Gate:
    gate = found(
        session.get(Gate, gate_id, options=[joinedload(Gate.community), joinedload(Gate.device)])
    )
    require(actor, permission, gate.community.path)
    return gate


def _address(gate: Gate) -> DeviceAddress:
    return DeviceAddress(gate.community.key or "", gate.device.key)


def _known(session: Session, gate: Gate, caches: Caches) -> KnownGate:
    address = _address(gate)
    known = caches.gates(session, [address]).get(address)
    if known is None:
        raise _gone()
    return known


def _gone() -> ConflictError:
    return ConflictError(
        "gate_gone", lazy("This gate is no longer in service. Choose another one.")
    )
