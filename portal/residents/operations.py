"""A resident registers, a worker decides.

::

    register ──► pending ──decide──► approved | refused ──register──► pending

A decision is one conditional UPDATE: of two workers, one decides; the same decision twice changes
nothing; the opposite one is told that somebody was faster.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from portal.accounts.identity import sign_in_hash
from portal.accounts.models import User
from portal.accounts.operations import account_of_phone, create_resident_account
from portal.core import audit
from portal.core.errors import ConflictError, DomainError
from portal.core.i18n import lazy
from portal.core.permissions import Actor, Permission, found
from portal.core.protected import find_hash
from portal.privacy.operations import record_consent
from portal.regions.models import Region
from portal.regions.queries import dwelling as find_dwelling
from portal.residents.models import (
    DocumentType,
    Relation,
    Residency,
    Resident,
    ResidentState,
)
from portal.residents.queries import load_resident, own_record

LONGEST_NOTE: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """What a person enters, checked and normalised.

    ``phone`` as :func:`portal.core.identifiers.check_phone` gives it, ``document_number`` as
    :func:`portal.residents.documents.check_document` gives it, ``password_hash`` argon2id.
    """

    name: str
    phone: str
    document_type: DocumentType
    document_number: str
    password_hash: str
    dwelling_id: int
    relation: Relation
    consent_text_id: int
    consent_at: datetime
    channel: str = "web"
    language: str = ""


def phone_hash(phone: str) -> str:
    """What ``residents.phone_hash`` holds."""
    return find_hash(phone, "phone")


def document_hash(kind: DocumentType, number: str) -> str:
    """What ``residents.document_hash`` holds; the same number of another type is another document."""
    return find_hash(f"{kind.value}:{number}", "document")


def _phone_taken() -> ConflictError:
    return ConflictError(
        "phone_registered",
        lazy("This phone number is already registered. Sign in with it, or ask your community."),
        field="phone",
    )


def check_phone(session: Session, community_id: int, phone: str) -> None:
    """Whether a phone can still register here, as far as that is known without the document.

    Raises:
        ConflictError: ``phone_registered``.
    """
    standing = session.scalar(
        select(Resident.id)
        .where(
            Resident.community_id == community_id,
            Resident.phone_hash == phone_hash(phone),
            Resident.state != ResidentState.REFUSED.value,
        )
        .limit(1)
    )
    account = account_of_phone(session, phone)
    holder = session.get(Resident, account.resident_id) if account and account.resident_id else None
    held = account is not None and (holder is None or holder.state != ResidentState.REFUSED)
    if standing is not None or held:
        raise _phone_taken()


def check_free(
    session: Session, community_id: int, phone: str, kind: DocumentType, number: str
) -> Resident | None:
    """Whether phone and document may register here.

    Returns:
        The refused registration that a new one takes the place of, if there is one.

    Raises:
        ConflictError: ``phone_registered`` or ``document_registered``.
    """
    by_phone, by_document = phone_hash(phone), document_hash(kind, number)
    known = session.scalars(
        select(Resident)
        .where(
            Resident.community_id == community_id,
            or_(Resident.phone_hash == by_phone, Resident.document_hash == by_document),
        )
        .order_by(Resident.id)
    ).all()
    standing = [r for r in known if r.state != ResidentState.REFUSED]
    if any(r.phone_hash == by_phone for r in standing):
        raise _phone_taken()
    if standing:
        raise ConflictError(
            "document_registered",
            lazy("This document is already registered here. Sign in, or ask your community."),
            field="document_number",
        )
    again = next((r for r in known if r.phone_hash == by_phone), known[0] if known else None)
    account = account_of_phone(session, phone)
    if account is not None and (again is None or account.resident_id != again.id):
        holder = session.get(Resident, account.resident_id) if account.resident_id else None
        if holder is None or holder.state != ResidentState.REFUSED or _has_account(session, again):
            raise _phone_taken()
    return again


def register(session: Session, community_id: int, entered: Registration, now: datetime) -> Resident:
    """Register a person as pending, with dwelling, consent and account.

    Registrations of one community queue behind each other, so that two at once cannot both be first.

    Raises:
        ConflictError: phone or document is already registered.
        DomainError: ``bad_dwelling``.
        NotFoundError: no such community.
    """
    community = found(session.get(Region, community_id, with_for_update=True))
    home = find_dwelling(session, community_id, entered.dwelling_id)
    if home is None:
        raise DomainError(
            "bad_dwelling", lazy("Choose your dwelling from the list."), field="dwelling"
        )
    resident = check_free(
        session, community_id, entered.phone, entered.document_type, entered.document_number
    )
    again = resident is not None
    if resident is None:
        resident = Resident(community_id=community_id)
        session.add(resident)
    resident.state = ResidentState.PENDING
    resident.name = entered.name
    resident.phone = entered.phone
    resident.phone_hash = phone_hash(entered.phone)
    resident.document_type = entered.document_type
    resident.document_number = entered.document_number
    resident.document_hash = document_hash(entered.document_type, entered.document_number)
    resident.registered_at = now
    resident.decided_at = None
    resident.decided_by = None
    resident.decision_note = ""
    session.flush()
    today = now.astimezone(ZoneInfo(community.timezone)).date()
    _move_in(session, resident.id, home.id, entered.relation, today)
    record_consent(
        session,
        resident_id=resident.id,
        text_id=entered.consent_text_id,
        channel=entered.channel,
        given_at=entered.consent_at,
    )
    _open_account(session, resident.id, entered, now)
    audit.record(
        session,
        Actor(label=f"resident:{resident.id}", resident_id=resident.id),
        "resident.register",
        ("resident", resident.id),
        path=community.path,
        again=again,
        channel=entered.channel,
    )
    session.flush()
    session.expire(resident, ["residencies"])
    return resident


def _move_in(
    session: Session, resident_id: int, home: int, relation: Relation, today: date
) -> None:
    session.execute(
        update(Residency)
        .where(Residency.resident_id == resident_id, Residency.until.is_(None))
        .values(until=today)
    )
    session.add(
        Residency(resident_id=resident_id, dwelling_id=home, relation=relation, since=today)
    )


def _has_account(session: Session, resident: Resident | None) -> bool:
    if resident is None:
        return False
    return session.scalar(select(User.id).where(User.resident_id == resident.id)) is not None


def _open_account(session: Session, resident_id: int, entered: Registration, now: datetime) -> None:
    """Make the account, or take over that of the refused registration; its sessions end."""
    account = (
        account_of_phone(session, entered.phone)
        or session.scalars(select(User).where(User.resident_id == resident_id)).one_or_none()
    )
    if account is not None:
        account.resident_id = resident_id
        account.sign_in_hash = sign_in_hash(entered.phone)
        account.password = entered.password_hash
        account.fs_uniquifier = uuid.uuid4().hex
        account.active = True
        session.flush()
        return
    try:
        create_resident_account(
            session,
            resident_id=resident_id,
            phone=entered.phone,
            password_hash=entered.password_hash,
            now=now,
            language=entered.language,
        )
    except ConflictError:
        raise _phone_taken() from None


def decide(
    session: Session,
    actor: Actor,
    resident_id: int,
    *,
    approve: bool,
    note: str,
    now: datetime,
) -> Resident:
    """Approve or refuse a pending registration.

    Args:
        note: what the resident reads; needed for a refusal, at most 200 characters.

    Raises:
        NotFoundError, ForbiddenError: see :func:`portal.residents.queries.load_resident`.
        DomainError: ``note_missing``, ``note_long``.
        ConflictError: ``already_decided``, the other way.
    """
    resident = load_resident(session, actor, Permission.RESIDENT_DECIDE, resident_id)
    note = note.strip()
    if len(note) > LONGEST_NOTE:
        raise DomainError(
            "note_long",
            lazy("Use at most %(number)s characters.", number=LONGEST_NOTE),
            field="note",
        )
    if not approve and not note:
        raise DomainError("note_missing", lazy("Say why: the resident will read it."), field="note")
    wanted = ResidentState.APPROVED if approve else ResidentState.REFUSED
    changed = session.execute(
        update(Resident)
        .where(Resident.id == resident_id, Resident.state == ResidentState.PENDING.value)
        .values(state=wanted.value, decided_at=now, decided_by=actor.user_id, decision_note=note)
        .execution_options(synchronize_session=False)
    )
    session.refresh(resident)
    if changed.rowcount == 1:  # type: ignore[attr-defined]  # a cursor result
        audit.record(
            session,
            actor,
            "resident.approve" if approve else "resident.refuse",
            ("resident", resident_id),
            path=resident.community.path,
        )
    elif resident.state != wanted:
        raise ConflictError(
            "already_decided",
            lazy("This registration has already been decided. Reload the page to see how."),
        )
    return resident


def unmask(session: Session, actor: Actor, resident_id: int) -> Resident:
    """Show a resident's full values to somebody who decides about them; the look is audited.

    Raises:
        NotFoundError, ForbiddenError: see :func:`portal.residents.queries.load_resident`.
    """
    resident = load_resident(session, actor, Permission.RESIDENT_DECIDE, resident_id)
    audit.record(
        session,
        actor,
        "resident.unmask",
        ("resident", resident_id),
        path=resident.community.path,
    )
    return resident


def unmask_own(session: Session, actor: Actor) -> Resident:
    """Show a resident their own full values; the look is audited like any other.

    Raises:
        NotFoundError: the actor is no resident, or the record is gone.
    """
    resident = own_record(session, actor.resident_id or 0)
    audit.record(
        session,
        actor,
        "resident.unmask_own",
        ("resident", resident.id),
        path=resident.community.path,
    )
    return resident
