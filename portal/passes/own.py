"""A resident's own pass: why there is one or not, and the code for the screen (A4)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload, selectinload

from portal.core.errors import ConflictError
from portal.core.i18n import lazy
from portal.core.identifiers.masking import mask_name
from portal.core.permissions import Actor, found
from portal.passes.models import Pass, PassKind
from portal.passes.operations import ShownCode, issue_resident_pass, show_code
from portal.regions.models import Dwelling
from portal.residents.models import Residency, Resident, ResidentState


class Standing(StrEnum):
    """Whether a resident has a pass, and if not, why."""

    VALID = "valid"
    PENDING = "pending"
    REFUSED = "refused"
    MOVED_OUT = "moved_out"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class Holder:
    """What the page says about the resident. ``note`` is the worker's sentence on a refusal."""

    standing: Standing
    community: str
    building: str
    name: str
    note: str
    pass_id: str | None
    dwelling_id: int | None


class NotIssuedError(ConflictError):
    """The resident may have a pass, but none has been issued yet: call :func:`obtain` first."""

    def __init__(self) -> None:
        super().__init__("not_issued", lazy("The pass has not been issued yet."))


def holder(session: Session, actor: Actor, now: datetime) -> Holder:
    """The resident's standing. The name is masked: a pass is held up in public.

    Raises:
        NotFoundError: the actor is no resident.
    """
    resident = _resident(session, actor)
    home = resident.residency
    issued = _latest_pass(session, resident, home, now) if home else None
    return Holder(
        standing=_standing(resident, home, issued),
        community=resident.community.name,
        building=home.dwelling.unit.building.name if home else "",
        name=mask_name(resident.name),
        note=resident.decision_note,
        pass_id=issued.id if issued and issued.revoked_at is None else None,
        dwelling_id=home.dwelling_id if home else None,
    )


def code(
    session: Session, actor: Actor, now: datetime, seconds: int, *, offline: bool = False
) -> ShownCode:
    """A code for the resident's screen, valid for ``seconds``. Only reads.

    Args:
        offline: it is to be kept by the phone for when there is no network.

    Raises:
        NotIssuedError: there is no pass yet, though the resident may have one.
        ConflictError: the resident has no pass and may have none.
    """
    mine = _valid_holder(session, actor, now)
    if mine.pass_id is None:
        raise NotIssuedError
    return show_code(session, mine.pass_id, now, seconds, offline=offline)


def obtain(session: Session, actor: Actor, now: datetime) -> Pass:
    """Issue the resident's pass; one that is there is kept.

    Raises:
        ConflictError: the resident may have none.
    """
    mine = _valid_holder(session, actor, now)
    if actor.resident_id is None or mine.dwelling_id is None:
        raise NotIssuedError
    return issue_resident_pass(session, actor.resident_id, mine.dwelling_id, now)


def _valid_holder(session: Session, actor: Actor, now: datetime) -> Holder:
    mine = holder(session, actor, now)
    if mine.standing is not Standing.VALID:
        raise ConflictError(
            f"no_pass_{mine.standing}",
            lazy("You have no pass at the moment. Reload the page to see why."),
        )
    return mine


def _resident(session: Session, actor: Actor) -> Resident:
    home = selectinload(Resident.residencies).joinedload(Residency.dwelling)
    statement = (
        select(Resident)
        .options(joinedload(Resident.community), home.joinedload(Dwelling.unit))
        .where(Resident.id == actor.resident_id)
    )
    return found(session.scalars(statement).one_or_none() if actor.resident_id else None)


def _latest_pass(
    session: Session, resident: Resident, home: Residency, now: datetime
) -> Pass | None:
    return session.scalars(
        select(Pass)
        .where(
            Pass.resident_id == resident.id,
            Pass.dwelling_id == home.dwelling_id,
            Pass.kind == PassKind.RESIDENT,
            Pass.not_after > now,
        )
        .order_by(Pass.revoked_at.is_not(None), Pass.created_at.desc())
        .limit(1)
    ).first()


def _standing(resident: Resident, home: Residency | None, issued: Pass | None) -> Standing:
    """A pass withdrawn before the last approval does not count: that approval gave a new right."""
    if resident.state == ResidentState.PENDING:
        return Standing.PENDING
    if resident.state != ResidentState.APPROVED:
        return Standing.REFUSED
    if home is None:
        return Standing.MOVED_OUT
    if issued is not None and issued.revoked_at is not None:
        approved_at = resident.decided_at or resident.registered_at
        if issued.revoked_at >= approved_at:
            return Standing.WITHDRAWN
    return Standing.VALID
