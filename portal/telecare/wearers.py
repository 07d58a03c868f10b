"""Keeping wearers: who has which button, and what helpers need to know of them.

A wearer is a resident found by phone number and name, so that nobody leafs through a list of people.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from mqtt.contract.telemetry import DeviceKind
from portal.core import audit
from portal.core.errors import ConflictError, DomainError
from portal.core.i18n import lazy
from portal.core.identifiers.messages import sentence
from portal.core.identifiers.phone import check_phone
from portal.core.permissions import Actor, Permission, found, require
from portal.devices.models import Device
from portal.regions.queries import load_community
from portal.residents.models import Resident, ResidentState
from portal.residents.operations import phone_hash
from portal.telecare.models import Hearing, Language, Wearer

NOTE_LENGTH: Final = 1000


@dataclass(frozen=True, slots=True)
class Profile:
    """What is kept of a wearer; ``device_id`` is ``None`` while there is no button."""

    device_id: int | None
    hearing: str
    language: str
    health_notes: str
    entry_note: str


def profile_faults(profile: Profile) -> list[DomainError]:
    """Everything that is wrong with a profile, each with its field; the device is looked at when saved."""
    wrong = []
    if profile.hearing not in set(Hearing):
        wrong.append(_choose("hearing"))
    if profile.language not in set(Language):
        wrong.append(_choose("language"))
    for name in ("health_notes", "entry_note"):
        if len(getattr(profile, name).strip()) > NOTE_LENGTH:
            wrong.append(
                DomainError("note_long", lazy("A note has at most 1,000 characters."), field=name)
            )
    return wrong


def _choose(field: str) -> DomainError:
    return DomainError("unknown_choice", lazy("Choose one of the list."), field=field)


def find_resident(session: Session, community_id: int, name: str, phone: str) -> Resident:
    """The approved resident with this phone number and name.

    Raises:
        DomainError: the number is malformed, or nobody fits; with the field.
    """
    checked = check_phone(phone)
    if not checked.valid:
        raise DomainError("phone_malformed", sentence(checked), field="phone")
    resident = resident_named(session, community_id, name, checked.value)
    if resident is None:
        raise DomainError(
            "resident_unknown",
            lazy("No approved resident of this community has this name and number."),
            field="name",
        )
    return resident


def resident_named(session: Session, community_id: int, name: str, phone: str) -> Resident | None:
    """Likewise for a checked number; ``None`` for nobody. Families share numbers, so the name decides."""
    rows = session.scalars(
        select(Resident).where(
            Resident.community_id == community_id,
            Resident.phone_hash == phone_hash(phone),
            Resident.state == ResidentState.APPROVED,
        )
    )
    return next((row for row in rows if row.name == name.strip()), None)


def free_buttons(session: Session, community_id: int, besides: int | None = None) -> list[Device]:
    """Alarm buttons of a community that nobody wears; ``besides`` is one that may be worn."""
    worn = select(Wearer.device_id).where(Wearer.device_id.is_not(None))
    rows = session.scalars(
        select(Device)
        .where(
            Device.community_id == community_id,
            Device.kind == DeviceKind.ALARM_BUTTON,
            Device.retired_at.is_(None),
            (Device.id.not_in(worn)) | (Device.id == besides),
        )
        .order_by(Device.title, Device.id)
    )
    return list(rows)


def register(
    session: Session,
    actor: Actor,
    community_id: int,
    name: str,
    phone: str,
    profile: Profile,
    now: datetime,
) -> Wearer:
    """Make a resident a wearer; somebody whose profile was ended begins anew.

    Raises:
        DomainError: see :func:`find_resident` and :func:`profile_faults`.
        ConflictError: the resident wears a button already, or somebody else wears this one.
        NotFoundError, ForbiddenError: see :func:`portal.core.permissions.require`.
    """
    community = load_community(session, actor, Permission.TELECARE_MANAGE, community_id)
    resident = find_resident(session, community_id, name, phone)
    wearer = session.scalars(select(Wearer).where(Wearer.resident_id == resident.id)).one_or_none()
    if wearer is not None and wearer.ended_at is None:
        raise ConflictError(
            "wears_already", lazy("This resident is registered here already."), field="name"
        )
    _check(session, community_id, profile, None)
    if wearer is None:
        wearer = Wearer(
            community_id=community_id, resident_id=resident.id, health_notes="", entry_note=""
        )
        session.add(wearer)
    wearer.created_at, wearer.ended_at, wearer.proven_at = now, None, None
    _fill(wearer, profile)
    session.flush()
    audit.record(session, actor, "wearer.register", ("wearer", wearer.id), path=community.path)
    return wearer


def load_wearer(session: Session, actor: Actor, wearer_id: int, permission: Permission) -> Wearer:
    """One wearer who has not been ended.

    Raises:
        NotFoundError, ForbiddenError: see :func:`portal.core.permissions.require`.
    """
    wearer = found(session.get(Wearer, wearer_id))
    require(actor, permission, wearer.community.path)
    return found(wearer if wearer.ended_at is None else None)


def open_notes(session: Session, actor: Actor, wearer_id: int) -> Wearer:
    """A wearer with the notes to be read outside an alarm, which the audit keeps.

    Raises:
        NotFoundError, ForbiddenError: see :func:`portal.core.permissions.require`.
    """
    wearer = load_wearer(session, actor, wearer_id, Permission.TELECARE_MANAGE)
    audit.record(
        session, actor, "wearer.open_notes", ("wearer", wearer.id), path=wearer.community.path
    )
    return wearer


def change(session: Session, actor: Actor, wearer_id: int, profile: Profile) -> Wearer:
    """Change what is kept.

    Raises:
        DomainError, ConflictError, NotFoundError, ForbiddenError: as for :func:`register`.
    """
    wearer = load_wearer(session, actor, wearer_id, Permission.TELECARE_MANAGE)
    _check(session, wearer.community_id, profile, wearer.device_id)
    if profile.device_id != wearer.device_id:
        wearer.battery = wearer.battery_at = wearer.proven_at = None
    _fill(wearer, profile)
    session.flush()
    audit.record(session, actor, "wearer.change", ("wearer", wearer.id), path=wearer.community.path)
    return wearer


def end(session: Session, actor: Actor, wearer_id: int, now: datetime) -> None:
    """The button is given back: notes and contacts are wiped, past alarms stay without them.

    Raises:
        NotFoundError, ForbiddenError: see :func:`portal.core.permissions.require`.
    """
    wearer = load_wearer(session, actor, wearer_id, Permission.TELECARE_MANAGE)
    wearer.ended_at, wearer.device_id = now, None
    wearer.health_notes = wearer.entry_note = ""
    for contact in wearer.contacts:
        if contact.removed_at is None:
            contact.removed_at = now
            contact.name = contact.phone = ""
    audit.record(session, actor, "wearer.end", ("wearer", wearer.id), path=wearer.community.path)


def _check(session: Session, community_id: int, profile: Profile, worn: int | None) -> None:
    for fault in profile_faults(profile):
        raise fault
    if profile.device_id is None:
        return
    if profile.device_id not in {d.id for d in free_buttons(session, community_id, worn)}:
        raise ConflictError(
            "button_taken",
            lazy("This button is worn by somebody else, or is not in use. Choose another."),
            field="device_id",
        )


def _fill(wearer: Wearer, profile: Profile) -> None:
    wearer.device_id = profile.device_id
    wearer.hearing, wearer.language = profile.hearing, profile.language
    wearer.health_notes = profile.health_notes.strip()
    wearer.entry_note = profile.entry_note.strip()
