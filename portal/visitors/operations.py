"""Invitations: a resident asks a visitor in, a worker decides, the visitor gets a one-time pass (B5).

States as drawn in :mod:`portal.visitors.models`. Every change of state is one conditional UPDATE, so
that of two who decide at once exactly one succeeds; the other gets :class:`ConflictError`.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from portal.core import audit
from portal.core.db import won
from portal.core.errors import ConflictError, DomainError, ForbiddenError, TooManyError
from portal.core.i18n import lazy
from portal.core.identifiers.messages import sentence
from portal.core.identifiers.phone import check_phone
from portal.core.permissions import SYSTEM, Actor, Permission, found, not_found, require
from portal.core.protected import find_hash
from portal.passes.models import Pass
from portal.passes.operations import issue_visitor_pass, revoke
from portal.residents.models import Resident, ResidentState
from portal.visitors.models import Invitation, InvitationState
from portal.visitors.settings import Limits, limits_in

TOKEN_BYTES: Final = 32
"""Random bytes in a link: 256 bits."""
GRACE: Final = timedelta(minutes=15)
"""How long ago a start may lie: a person takes a while to fill in the form."""
NAME_LENGTH: Final = 40
NOTE_LENGTH: Final = 200


class Purpose(StrEnum):
    """Why a visitor comes."""

    FAMILY = "family"
    FRIENDS = "friends"
    REPAIR = "repair"
    DELIVERY = "delivery"
    CARE = "care"
    BUSINESS = "business"
    OTHER = "other"


PURPOSE_NAMES: Final[dict[Purpose, Any]] = {
    Purpose.FAMILY: lazy("Family visit"),
    Purpose.FRIENDS: lazy("Visit of friends"),
    Purpose.REPAIR: lazy("Repair or installation"),
    Purpose.DELIVERY: lazy("Delivery or removal"),
    Purpose.CARE: lazy("Care or household help"),
    Purpose.BUSINESS: lazy("Business"),
    Purpose.OTHER: lazy("Something else"),
}


@dataclass(frozen=True, slots=True)
class Draft:
    """What a resident asks for. Times are aware; the pass is good for one passage."""

    visitor_name: str
    visitor_phone: str
    purpose: str
    valid_from: datetime
    valid_until: datetime


def faults(draft: Draft, now: datetime, limits: Limits) -> list[DomainError]:
    """Everything that is wrong with a draft, each with the field it belongs to; empty when good."""
    return [*_person_faults(draft), *_window_faults(draft, now, limits)]


def _person_faults(draft: Draft) -> list[DomainError]:
    wrong: list[DomainError] = []
    name = draft.visitor_name.strip()
    if not name:
        wrong.append(
            DomainError("name_missing", lazy("Enter the visitor's name."), field="visitor_name")
        )
    elif len(name) > NAME_LENGTH or not all(c.isprintable() for c in name):
        wrong.append(
            DomainError(
                "name_malformed",
                lazy("A name has at most 40 characters, on one line."),
                field="visitor_name",
            )
        )
    elif not any(c.isalpha() for c in name):
        wrong.append(
            DomainError(
                "name_malformed", lazy("A name is written in letters."), field="visitor_name"
            )
        )
    phone = check_phone(draft.visitor_phone)
    if not phone.valid:
        wrong.append(DomainError("phone_malformed", sentence(phone), field="visitor_phone"))
    if draft.purpose not in set(Purpose):
        wrong.append(
            DomainError("purpose_unknown", lazy("Choose a purpose from the list."), field="purpose")
        )
    return wrong


def _window_faults(draft: Draft, now: datetime, limits: Limits) -> list[DomainError]:
    start, end = draft.valid_from, draft.valid_until
    wrong: list[DomainError] = []
    if start < now - GRACE:
        wrong.append(
            DomainError(
                "start_past",
                lazy("The start lies in the past. Choose now or later."),
                field="valid_from",
            )
        )
    elif start > now + limits.furthest_start:
        wrong.append(
            DomainError(
                "start_far",
                lazy(
                    "The start may be at most %(days)s days ahead.", days=limits.furthest_start.days
                ),
                field="valid_from",
            )
        )
    if end <= start:
        wrong.append(
            DomainError(
                "end_before_start", lazy("The end must be after the start."), field="valid_until"
            )
        )
    elif end <= now:
        wrong.append(
            DomainError("end_past", lazy("The end lies in the past."), field="valid_until")
        )
    elif end - start > limits.longest_stay:
        wrong.append(
            DomainError(
                "stay_long",
                lazy(
                    "The longest stay here, in days: %(days)s. Choose an earlier end.",
                    days=limits.longest_stay.days,
                ),
                field="valid_until",
            )
        )
    return wrong


def invite(session: Session, actor: Actor, draft: Draft, now: datetime) -> Invitation:
    """Ask a visitor in. Where the community approves at once, the pass is issued with it.

    Raises:
        ForbiddenError: the actor is no approved resident living here.
        TooManyError: too many invitations are open.
        DomainError: the draft is at fault; the first of :func:`faults`.
    """
    resident = session.get(Resident, actor.resident_id) if actor.resident_id else None
    home = resident.residency if resident else None
    if resident is None or resident.state != ResidentState.APPROVED or home is None:
        raise ForbiddenError(
            "not_approved",
            lazy("You can invite visitors once your registration has been approved."),
        )
    limits = limits_in(session, resident.community)
    for fault in faults(draft, now, limits):
        raise fault
    if _open_count(session, resident.id, now) >= limits.most_open:
        raise TooManyError(
            "too_many_open",
            lazy(
                "You have %(number)s open invitations, the most there may be. "
                "Cancel one, or wait until one has been used.",
                number=limits.most_open,
            ),
        )
    token = secrets.token_urlsafe(TOKEN_BYTES)
    invitation = Invitation(
        community_id=resident.community_id,
        resident_id=resident.id,
        dwelling_id=home.dwelling_id,
        visitor_name=draft.visitor_name.strip(),
        visitor_phone=check_phone(draft.visitor_phone).value,
        purpose=draft.purpose,
        valid_from=draft.valid_from,
        valid_until=draft.valid_until,
        state=InvitationState.PENDING,
        link_token=token,
        link_hash=link_hash(token),
        created_at=now,
    )
    session.add(invitation)
    session.flush()
    audit.record(
        session,
        actor,
        "invitation.create",
        ("invitation", invitation.id),
        path=resident.community.path,
        purpose=draft.purpose,
    )
    if limits.automatic:
        _let_in(session, SYSTEM, invitation, "", now)
    return invitation


def _open_count(session: Session, resident_id: int, now: datetime) -> int:
    statement = (
        select(func.count())
        .select_from(Invitation)
        .outerjoin(Pass, Pass.id == Invitation.pass_id)
        .where(
            Invitation.resident_id == resident_id,
            Invitation.state.in_([InvitationState.PENDING, InvitationState.APPROVED]),
            Invitation.valid_until > now,
            (Pass.id.is_(None)) | (Pass.uses < Pass.max_uses),
        )
    )
    return session.scalar(statement) or 0


def link_hash(token: str) -> str:
    """Keyed hash by which a link is found; the token itself cannot be searched for."""
    return find_hash(token, "invitation_link")


def approve(
    session: Session, actor: Actor, invitation_id: int, note: str, now: datetime
) -> Invitation:
    """Let the visitor come: decide and issue the one-time pass in the same transaction.

    Raises:
        NotFoundError, ForbiddenError: see :func:`portal.core.permissions.require`.
        ConflictError: decided or cancelled already, past its end, or the resident may not invite now.
    """
    invitation = _to_decide(session, actor, invitation_id, note)
    resident = invitation.resident
    if resident.state != ResidentState.APPROVED or resident.residency is None:
        raise ConflictError(
            "resident_not_approved",
            lazy("The resident does not live here any more. Refuse this invitation."),
        )
    if invitation.valid_until <= now:
        raise ConflictError("expired", lazy("The time of this invitation is over."))
    _let_in(session, actor, invitation, note, now)
    return invitation


def _let_in(
    session: Session, actor: Actor, invitation: Invitation, note: str, now: datetime
) -> None:
    _decide(session, actor, invitation, InvitationState.APPROVED, note, now)
    issued = issue_visitor_pass(
        session,
        resident_id=invitation.resident_id,
        dwelling_id=invitation.dwelling_id,
        valid_from=invitation.valid_from,
        valid_until=invitation.valid_until,
        now=now,
    )
    invitation.pass_id = issued.id
    session.flush()


def refuse(
    session: Session, actor: Actor, invitation_id: int, note: str, now: datetime
) -> Invitation:
    """Say no; the note tells the resident why.

    Raises:
        DomainError: the note is missing or too long.
        NotFoundError, ForbiddenError, ConflictError: as for :func:`approve`.
    """
    invitation = _to_decide(session, actor, invitation_id, note)
    if not note.strip():
        raise DomainError(
            "note_missing", lazy("Write one sentence that tells the resident why."), field="note"
        )
    _decide(session, actor, invitation, InvitationState.REFUSED, note, now)
    session.flush()
    return invitation


def _to_decide(session: Session, actor: Actor, invitation_id: int, note: str) -> Invitation:
    invitation = found(session.get(Invitation, invitation_id))
    require(actor, Permission.INVITATION_DECIDE, invitation.community.path)
    if len(note.strip()) > NOTE_LENGTH:
        raise DomainError("note_long", lazy("A note has at most 200 characters."), field="note")
    return invitation


def _decide(
    session: Session,
    actor: Actor,
    invitation: Invitation,
    state: InvitationState,
    note: str,
    now: datetime,
) -> None:
    decided = _move(
        session,
        invitation.id,
        (InvitationState.PENDING,),
        state=state,
        decided_at=now,
        decided_by=actor.user_id,
        decision_note=note.strip(),
    )
    if not decided:
        raise ConflictError(
            "already_decided",
            lazy("This invitation has been decided or cancelled in the meantime."),
        )
    session.refresh(invitation)
    audit.record(
        session,
        actor,
        "invitation.approve" if state is InvitationState.APPROVED else "invitation.refuse",
        ("invitation", invitation.id),
        path=invitation.community.path,
    )


def _move(
    session: Session, invitation_id: int, sources: tuple[InvitationState, ...], **values: object
) -> bool:
    return won(
        session,
        update(Invitation)
        .where(Invitation.id == invitation_id, Invitation.state.in_(sources))
        .values(**values),
    )


def cancel(session: Session, actor: Actor, invitation_id: int, now: datetime) -> Invitation:
    """Take an invitation back, by the resident who made it; an issued pass is revoked with it.

    Raises:
        NotFoundError: it is not this resident's.
        ConflictError: it has been used, is over, or was refused or cancelled before.
    """
    invitation = found(session.get(Invitation, invitation_id))
    if actor.resident_id is None or invitation.resident_id != actor.resident_id:
        raise not_found()
    if invitation.pass_id is not None:
        # locked: a scan in this moment is counted before or after, never in between
        issued = session.get(Pass, invitation.pass_id, with_for_update=True, populate_existing=True)
        if issued is not None and issued.max_uses and issued.uses >= issued.max_uses:
            raise ConflictError(
                "used", lazy("The visitor has already come in with this invitation.")
            )
    sources = (InvitationState.PENDING, InvitationState.APPROVED)
    if invitation.valid_until <= now or not _move(
        session, invitation.id, sources, state=InvitationState.CANCELLED
    ):
        raise ConflictError("closed", lazy("This invitation is closed already."))
    session.refresh(invitation)
    if invitation.pass_id is not None:
        revoke(session, invitation.pass_id, now, "cancelled")
    audit.record(
        session,
        actor,
        "invitation.cancel",
        ("invitation", invitation.id),
        path=invitation.community.path,
    )
    return invitation
