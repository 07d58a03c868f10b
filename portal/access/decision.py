"""The decision at a gate: one pure function from facts to an outcome and its reason.

It reads no clock, no database and no network, so that the whole table of cases can be tested. What
must be atomic (use counts, replays) is done where the passage is written, :mod:`portal.access.operations`;
those reasons are decided here too, from what is known beforehand.

The first rule that fails is the reason::

    scan too old ─ code (prefix, structure, key, signature, time, community) ─ gate enabled ─ pass known,
    of this community, not withdrawn, in its time ─ scope ─ building ─ uses left ─ not shown before ─
    not turned away by whoever stands there
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from portal.access.models import Outcome
from portal.passes.verdict import Reason as CodeReason


class Reason(StrEnum):
    """Why a scan was allowed or refused; stable, also sent to devices (``[a-z_]{1,32}``)."""

    OK = "ok"
    STALE_SCAN = "stale_scan"
    NOT_A_PASS = "not_a_pass"  # noqa: S105 - a reason, not a password
    MALFORMED = "malformed"
    UNKNOWN_KEY = "unknown_key"
    KEY_NOT_VALID = "key_not_valid"
    BAD_SIGNATURE = "bad_signature"
    NOT_YET_VALID = "not_yet_valid"
    EXPIRED = "expired"
    WRONG_COMMUNITY = "wrong_community"
    GATE_DISABLED = "gate_disabled"
    UNKNOWN_PASS = "unknown_pass"  # noqa: S105 - a reason, not a password
    REVOKED = "revoked"
    OUT_OF_SCOPE = "out_of_scope"
    WRONG_BUILDING = "wrong_building"
    USED_UP = "used_up"
    REPLAYED = "replayed"
    TURNED_AWAY = "turned_away"


@dataclass(frozen=True, slots=True)
class Rules:
    """Limits of a decision; ``version`` is written beside every passage."""

    version: int = 1
    stale_after: timedelta = timedelta(seconds=15)
    """A door must not open for a scan older than this: nobody stands there any more."""
    skew: timedelta = timedelta(seconds=30)
    """How far the clocks of signer, device and portal may be apart."""


RULES: Final = Rules()
BY_HAND: Final = Rules(stale_after=timedelta(minutes=3))
"""For decisions by staff, who look at a person before they decide."""

NO_GATE: Final = 0
"""In place of a gate's id when a pass is looked at away from any gate: only the pass itself counts."""


@dataclass(frozen=True, slots=True)
class GateFacts:
    """What a decision needs to know of a gate. ``building_id`` is set for gates of a building."""

    id: int
    community_id: int
    building_id: int | None
    enabled: bool


@dataclass(frozen=True, slots=True)
class PassFacts:
    """What a decision needs to know of a pass row. ``scope`` lists gate ids; empty means any."""

    id: str
    community_id: int
    kind: str
    building_id: int | None
    scope: tuple[int, ...]
    not_before: datetime
    not_after: datetime
    max_uses: int
    uses: int
    revoked: bool


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything one decision rests on.

    Attributes:
        code: the verdict on the signed text alone.
        entry_pass: the row its claims name, ``None`` when there is none.
        replayed: this very code has opened this gate before.
        turned_away: somebody of the staff does not let this person in, whatever the pass says.
        scanned_at: the device's clock; ``now`` is the portal's.
    """

    now: datetime
    scanned_at: datetime
    gate: GateFacts
    code: CodeReason
    entry_pass: PassFacts | None = None
    replayed: bool = False
    turned_away: bool = False


@dataclass(frozen=True, slots=True)
class Decision:
    """What happens to the door, and why."""

    outcome: Outcome
    reason: Reason


def decide(facts: Facts, rules: Rules = RULES) -> Decision:
    """Decide one scan."""
    reason = _reason(facts, rules)
    return Decision(Outcome.ALLOW if reason is Reason.OK else Outcome.REFUSE, reason)


def _reason(facts: Facts, rules: Rules) -> Reason:
    if facts.now - facts.scanned_at > rules.stale_after:
        return Reason.STALE_SCAN
    if facts.code is not CodeReason.OK:
        return Reason(facts.code.value)
    if not facts.gate.enabled:
        return Reason.GATE_DISABLED
    if facts.entry_pass is None:
        return Reason.UNKNOWN_PASS
    return _of_pass(facts.entry_pass, facts, rules)


def _of_pass(held: PassFacts, facts: Facts, rules: Rules) -> Reason:
    gate = facts.gate
    if held.community_id != gate.community_id:
        return Reason.WRONG_COMMUNITY
    if held.revoked:
        return Reason.REVOKED
    if facts.now + rules.skew < held.not_before:
        return Reason.NOT_YET_VALID
    if facts.now >= held.not_after:
        return Reason.EXPIRED
    if held.scope and gate.id not in (NO_GATE, *held.scope):
        return Reason.OUT_OF_SCOPE
    if not held.scope and gate.building_id not in (None, held.building_id):
        return Reason.WRONG_BUILDING
    if held.max_uses and held.uses >= held.max_uses:
        return Reason.USED_UP
    if facts.replayed:
        return Reason.REPLAYED
    return Reason.TURNED_AWAY if facts.turned_away else Reason.OK
