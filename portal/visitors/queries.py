"""Reading invitations: a resident's own, the queue of staff, one by its link."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from portal.core.i18n import lazy
from portal.core.permissions import Actor, Permission, found, not_found, require
from portal.regions.directory import within
from portal.regions.models import Dwelling, Region, Unit
from portal.residents.models import Resident, ResidentState
from portal.visitors.models import Invitation, InvitationState
from portal.visitors.operations import link_hash
from portal.visitors.settings import Limits, limits_in

PAGE: Final = 50
"""Rows on one page."""


class Shown(StrEnum):
    """The state a person sees: the stored one, or what pass and clock have made of it."""

    PENDING = "pending"
    APPROVED = "approved"
    USED = "used"
    EXPIRED = "expired"
    REFUSED = "refused"
    CANCELLED = "cancelled"


SHOWN_NAMES: Final[dict[Shown, Any]] = {
    Shown.PENDING: lazy("Waiting for approval"),
    Shown.APPROVED: lazy("Approved"),
    Shown.USED: lazy("Used"),
    Shown.EXPIRED: lazy("Expired"),
    Shown.REFUSED: lazy("Refused"),
    Shown.CANCELLED: lazy("Cancelled"),
}


def shown_state(invitation: Invitation, now: datetime) -> Shown:
    """The state to show. A pass that was used stays "used" whatever happened later.

    A pass revoked otherwise than by cancelling reads "cancelled": it opens nothing.
    """
    entry = invitation.entry_pass
    if entry is not None and entry.max_uses and entry.uses >= entry.max_uses:
        return Shown.USED
    if invitation.state in (InvitationState.REFUSED, InvitationState.CANCELLED):
        return Shown(invitation.state)
    if entry is not None and entry.revoked_at is not None:
        return Shown.CANCELLED
    if invitation.valid_until <= now:
        return Shown.EXPIRED
    return Shown(invitation.state)


def _loaded() -> Any:
    home = joinedload(Invitation.dwelling).joinedload(Dwelling.unit).joinedload(Unit.building)
    return (home, joinedload(Invitation.entry_pass), joinedload(Invitation.community))


@dataclass(frozen=True, slots=True)
class Home:
    """Where an approved resident lives, the time zone of that place, and what holds for invitations."""

    community: str
    dwelling: str
    timezone: str
    limits: Limits


def home_of(session: Session, actor: Actor) -> Home | None:
    """The home that this resident may invite to; ``None`` for whoever may not invite."""
    resident = session.get(Resident, actor.resident_id) if actor.resident_id else None
    if resident is None or resident.state != ResidentState.APPROVED or resident.residency is None:
        return None
    community = resident.community
    return Home(
        community.name,
        resident.residency.dwelling.label,
        community.timezone,
        limits_in(session, community),
    )


def own(session: Session, actor: Actor, limit: int = PAGE) -> Sequence[Invitation]:
    """The invitations of this resident, newest first."""
    statement = (
        select(Invitation)
        .options(*_loaded())
        .where(Invitation.resident_id == actor.resident_id)
        .order_by(Invitation.id.desc())
        .limit(limit)
    )
    return session.scalars(statement).all()


def awaited(session: Session, actor: Actor, now: datetime) -> Sequence[Invitation]:
    """Invitations of this resident that are still to be decided or used, the next first."""
    statement = (
        select(Invitation)
        .options(*_loaded())
        .where(
            Invitation.resident_id == actor.resident_id,
            Invitation.state.in_((InvitationState.PENDING, InvitationState.APPROVED)),
            Invitation.valid_until > now,
        )
        .order_by(Invitation.valid_from, Invitation.id)
        .limit(PAGE)
    )
    return session.scalars(statement).all()


def own_one(session: Session, actor: Actor, invitation_id: int) -> Invitation:
    """One invitation of this resident.

    Raises:
        NotFoundError: it is somebody else's, or does not exist.
    """
    invitation = found(session.get(Invitation, invitation_id, options=_loaded()))
    if actor.resident_id is None or invitation.resident_id != actor.resident_id:
        raise not_found()
    return invitation


def queue(
    session: Session, actor: Actor, now: datetime, *, decided: bool = False, before: int = 0
) -> Sequence[Invitation]:
    """What staff may see: waiting ones, oldest first; with ``decided``, all others, newest first.

    One row more than ``PAGE`` when there are more.

    Args:
        before: only invitations with a smaller id, for the next page of decided ones.
    """
    statement = (
        select(Invitation)
        .join(Region, Region.id == Invitation.community_id)
        .options(*_loaded())
        .where(within(actor.paths(Permission.INVITATION_LIST)))
        .limit(PAGE + 1)
    )
    waiting = (Invitation.state == InvitationState.PENDING) & (Invitation.valid_until > now)
    if not decided:
        return session.scalars(statement.where(waiting).order_by(Invitation.id)).all()
    if before:
        statement = statement.where(Invitation.id < before)
    return session.scalars(statement.where(~waiting).order_by(Invitation.id.desc())).all()


def one_for_staff(session: Session, actor: Actor, invitation_id: int) -> Invitation:
    """One invitation for staff.

    Raises:
        NotFoundError, ForbiddenError: see :func:`portal.core.permissions.require`.
    """
    invitation = found(session.get(Invitation, invitation_id, options=_loaded()))
    require(actor, Permission.INVITATION_LIST, invitation.community.path)
    return invitation


def by_link(session: Session, token: str) -> Invitation:
    """The invitation behind a link.

    Raises:
        NotFoundError: no link has this token.
    """
    statement = (
        select(Invitation).options(*_loaded()).where(Invitation.link_hash == link_hash(token))
    )
    return found(session.scalars(statement).one_or_none())
