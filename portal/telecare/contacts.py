"""Keeping the contacts of a wearer: whom to ask, in which order, at which hours, with their consent."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy.orm import Session

from portal.core import audit
from portal.core.errors import DomainError, TooManyError
from portal.core.i18n import lazy
from portal.core.identifiers.messages import sentence
from portal.core.identifiers.phone import check_phone
from portal.core.permissions import Actor, Permission, found
from portal.telecare.models import Consent, Contact, Tie, Wearer
from portal.telecare.wearers import load_wearer, resident_named

MOST: Final = 10
NAME_LENGTH: Final = 40
DAY: Final = 24 * 60


@dataclass(frozen=True, slots=True)
class Draft:
    """What is entered for a contact; minutes of the community's day, ``consent_how`` empty for none."""

    name: str
    phone: str
    tie: str
    from_minute: int
    until_minute: int
    consent_how: str


def faults(draft: Draft) -> list[DomainError]:
    """Everything that is wrong with a draft, each with its field."""
    wrong = []
    name = draft.name.strip()
    if not name or len(name) > NAME_LENGTH or not name.isprintable():
        wrong.append(
            DomainError(
                "name_malformed", lazy("Enter a name of at most 40 characters."), field="name"
            )
        )
    phone = check_phone(draft.phone)
    if not phone.valid:
        wrong.append(DomainError("phone_malformed", sentence(phone), field="phone"))
    if draft.tie not in set(Tie):
        wrong.append(DomainError("unknown_choice", lazy("Choose one of the list."), field="tie"))
    for field in ("from_minute", "until_minute"):
        if not 0 <= getattr(draft, field) < DAY:
            wrong.append(
                DomainError("hour_malformed", lazy("Enter a time, for example 08:30."), field=field)
            )
    if draft.consent_how not in {"", *Consent}:
        wrong.append(
            DomainError("unknown_choice", lazy("Choose one of the list."), field="consent_how")
        )
    return wrong


def add(session: Session, actor: Actor, wearer_id: int, draft: Draft, now: datetime) -> Contact:
    """One more contact, at the end of the order.

    Somebody who is an approved resident with this name and number is told on their own pages too.

    Raises:
        DomainError: the first of :func:`faults`; TooManyError: there are ten.
        NotFoundError, ForbiddenError: see :func:`portal.core.permissions.require`.
    """
    wearer = load_wearer(session, actor, wearer_id, Permission.TELECARE_MANAGE)
    for fault in faults(draft):
        raise fault
    present = standing(wearer)
    if len(present) >= MOST:
        raise TooManyError(
            "too_many_contacts", lazy("There are ten contacts. Remove one before adding another.")
        )
    contact = Contact(
        wearer_id=wearer.id,
        position=max((c.position for c in wearer.contacts), default=0) + 1,
        created_at=now,
        name="",
        phone="",
    )
    _fill(session, actor, wearer, contact, draft, now)
    session.add(contact)
    session.flush()
    _audit(session, actor, wearer, contact, "contact.add")
    return contact


def change(
    session: Session, actor: Actor, wearer_id: int, contact_id: int, draft: Draft, now: datetime
) -> Contact:
    """Change a contact. Another name or number is another person: their consent is asked anew.

    Raises:
        DomainError, NotFoundError, ForbiddenError: as for :func:`add`.
    """
    wearer, contact = load_contact(session, actor, wearer_id, contact_id)
    for fault in faults(draft):
        raise fault
    _fill(session, actor, wearer, contact, draft, now)
    session.flush()
    _audit(session, actor, wearer, contact, "contact.change")
    return contact


def move_up(session: Session, actor: Actor, wearer_id: int, contact_id: int) -> None:
    """Ask this contact before the one that stood above; the first one stays.

    Raises:
        NotFoundError, ForbiddenError: see :func:`portal.core.permissions.require`.
    """
    wearer, contact = load_contact(session, actor, wearer_id, contact_id)
    present = standing(wearer)
    place = present.index(contact)
    if place > 0:
        above = present[place - 1]
        above.position, contact.position = contact.position, above.position
        _audit(session, actor, wearer, contact, "contact.move_up")


def remove(session: Session, actor: Actor, wearer_id: int, contact_id: int, now: datetime) -> None:
    """Ask this contact no more; name and number are wiped.

    Raises:
        NotFoundError, ForbiddenError: see :func:`portal.core.permissions.require`.
    """
    wearer, contact = load_contact(session, actor, wearer_id, contact_id)
    contact.removed_at = now
    contact.name = contact.phone = ""
    _audit(session, actor, wearer, contact, "contact.remove")


def standing(wearer: Wearer) -> list[Contact]:
    """The contacts that are asked, in order."""
    present = [c for c in wearer.contacts if c.removed_at is None]
    return sorted(present, key=lambda c: (c.position, c.id))


def load_contact(
    session: Session, actor: Actor, wearer_id: int, contact_id: int
) -> tuple[Wearer, Contact]:
    """A contact of this wearer, to be changed.

    Raises:
        NotFoundError, ForbiddenError: see :func:`portal.core.permissions.require`.
    """
    wearer = load_wearer(session, actor, wearer_id, Permission.TELECARE_MANAGE)
    contact = found(session.get(Contact, contact_id))
    mine = contact.wearer_id == wearer.id and contact.removed_at is None
    return wearer, found(contact if mine else None)


def contact_name(contact: Contact) -> str:
    """A contact's name; a resident's is read where it is kept."""
    if contact.removed_at is None and contact.resident is not None:
        return contact.resident.name
    return contact.name


def contact_phone(contact: Contact) -> str:
    """A contact's number, likewise."""
    if contact.removed_at is None and contact.resident is not None:
        return contact.resident.phone
    return contact.phone


def _fill(
    session: Session, actor: Actor, wearer: Wearer, contact: Contact, draft: Draft, now: datetime
) -> None:
    name, phone = draft.name.strip(), check_phone(draft.phone).value
    same = (name, phone) == (contact_name(contact), contact_phone(contact))
    resident = resident_named(session, wearer.community_id, name, phone)
    contact.resident_id = resident.id if resident else None
    contact.name, contact.phone = ("", "") if resident else (name, phone)
    contact.tie = draft.tie
    contact.from_minute, contact.until_minute = draft.from_minute, draft.until_minute
    if draft.consent_how and (not same or contact.consent_how != draft.consent_how):
        contact.consent_at, contact.consent_by = now, actor.user_id
    elif not draft.consent_how:
        contact.consent_at = contact.consent_by = None
    contact.consent_how = draft.consent_how


def _audit(session: Session, actor: Actor, wearer: Wearer, contact: Contact, action: str) -> None:
    audit.record(session, actor, action, ("contact", contact.id), path=wearer.community.path)
