"""The card that a look at a code ends in: verdict, kind, masked name, dwelling for who may see it.

Whoever scans sees a name only where they may scan, and a dwelling only where they may see the log of
passages. Of a pass from elsewhere the card says kind and community.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from portal.access.decision import Reason
from portal.access.models import Gate, Outcome
from portal.access.operations import Foreseen
from portal.access.reasons import sentence
from portal.core.i18n import lazy
from portal.core.identifiers.masking import mask_name
from portal.core.permissions import Actor, Permission
from portal.passes.models import Pass, PassKind
from portal.regions.models import Dwelling, Region, Unit
from portal.residents.models import Resident
from portal.visitors.models import Invitation

KINDS: Final[dict[PassKind, Any]] = {
    PassKind.RESIDENT: lazy("Resident"),
    PassKind.VISITOR: lazy("Visitor"),
    PassKind.STAFF: lazy("Staff"),
    PassKind.COURIER: lazy("Courier"),
    PassKind.CARD: lazy("Card"),
}
VERDICTS: Final[dict[Reason, Any]] = {
    Reason.OK: lazy("Valid"),
    Reason.STALE_SCAN: lazy("Too late"),
    Reason.NOT_A_PASS: lazy("Not a pass"),
    Reason.MALFORMED: lazy("Not readable"),
    Reason.UNKNOWN_KEY: lazy("Unknown"),
    Reason.KEY_NOT_VALID: lazy("Expired"),
    Reason.BAD_SIGNATURE: lazy("Forged"),
    Reason.NOT_YET_VALID: lazy("Not valid yet"),
    Reason.EXPIRED: lazy("Expired"),
    Reason.WRONG_COMMUNITY: lazy("Another community"),
    Reason.GATE_DISABLED: lazy("Gate out of use"),
    Reason.UNKNOWN_PASS: lazy("Unknown"),
    Reason.REVOKED: lazy("Withdrawn"),
    Reason.OUT_OF_SCOPE: lazy("Not for this gate"),
    Reason.WRONG_BUILDING: lazy("Another building"),
    Reason.USED_UP: lazy("Used up"),
    Reason.REPLAYED: lazy("Already used"),
    Reason.TURNED_AWAY: lazy("Turned away"),
}
_VALID: Final = lazy("The pass is valid.")


@dataclass(frozen=True, slots=True)
class Card:
    """What is shown. Empty texts and ``None`` where there is nothing, or nothing for this reader.

    ``resident_id`` is set for who may open the resident's record.
    """

    good: bool
    verdict: Any
    sentence: Any
    kind: Any = ""
    name: str = ""
    dwelling: str = ""
    community: str = ""
    valid_until: datetime | None = None
    uses_left: int | None = None
    resident_id: int | None = None


def gate_name(session: Session, gate_id: int | None) -> str:
    """Where the code was read, so that a wrong choice is seen; nothing away from a gate."""
    gate = session.get(Gate, gate_id) if gate_id is not None else None
    return gate.name if gate else ""


def card_of(session: Session, actor: Actor, seen: Foreseen) -> Card:
    """The card of a look."""
    reason = seen.decision.reason
    good = seen.decision.outcome is Outcome.ALLOW
    said = _VALID if good else sentence(reason)
    claims = seen.verdict.claims
    if claims is None:
        return Card(good, VERDICTS[reason], said)
    kind = KINDS[PassKind(claims.kind.word)]
    held = _pass(session, seen)
    if held is None:
        issuer = session.scalar(select(Region.name).where(Region.uscc == claims.issuer))
        return Card(good, VERDICTS[reason], said, kind, community=issuer or "")
    path = held.community.path
    mine = actor.may(Permission.PASS_SCAN, path)
    lasting = held.kind == PassKind.VISITOR
    return Card(
        good,
        VERDICTS[reason],
        said,
        kind,
        name=_name(session, held) if mine else "",
        dwelling=_dwelling(session, held) if actor.may(Permission.PASSAGE_LIST, path) else "",
        community=held.community.name,
        valid_until=held.not_after if mine and lasting else None,
        uses_left=held.max_uses - held.uses if mine and held.max_uses else None,
        resident_id=held.resident_id
        if held.kind == PassKind.RESIDENT and actor.may(Permission.RESIDENT_LIST, path)
        else None,
    )


def _pass(session: Session, seen: Foreseen) -> Pass | None:
    if seen.entry_pass is None:
        return None
    return session.get(Pass, seen.entry_pass.id, options=[joinedload(Pass.community)])


def _name(session: Session, held: Pass) -> str:
    """The visitor's name for a visitor's pass, the resident's for a resident's; masked."""
    if held.kind == PassKind.VISITOR:
        guest = session.scalar(select(Invitation.visitor_name).where(Invitation.pass_id == held.id))
        return mask_name(guest) if guest else ""
    resident = session.get(Resident, held.resident_id) if held.resident_id else None
    return mask_name(resident.name) if resident else ""


def _dwelling(session: Session, held: Pass) -> str:
    if held.dwelling_id is None:
        return ""
    home = joinedload(Dwelling.unit).joinedload(Unit.building)
    dwelling = session.get(Dwelling, held.dwelling_id, options=[home])
    return dwelling.label if dwelling else ""
