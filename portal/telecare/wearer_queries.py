"""Reading wearers: the list of staff, one with contacts, whom a resident cares for, their own profile."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload, selectinload

from portal.core.paging import Page, paginate
from portal.core.permissions import Actor, Permission, found, require
from portal.regions.directory import within
from portal.regions.models import Dwelling, Region, Unit
from portal.residents.models import Residency, Resident
from portal.telecare.models import Contact, Wearer


def wearers(session: Session, actor: Actor, page: int) -> Page[Wearer]:
    """Wearers in the actor's regions, newest first."""
    return paginate(
        session,
        select(Wearer)
        .join(Region, Region.id == Wearer.community_id)
        .options(*_wearer_loaded())
        .where(within(actor.paths(Permission.TELECARE_LIST)), Wearer.ended_at.is_(None))
        .order_by(Wearer.community_id, Wearer.id),
        page,
    )


def wearer(session: Session, actor: Actor, wearer_id: int) -> Wearer:
    """One wearer with contacts.

    Raises:
        NotFoundError, ForbiddenError: see :func:`portal.core.permissions.require`.
    """
    row = found(
        session.scalars(
            select(Wearer)
            .options(*_wearer_loaded())
            .where(Wearer.id == wearer_id, Wearer.ended_at.is_(None))
        )
        .unique()
        .one_or_none()
    )
    require(actor, Permission.TELECARE_LIST, row.community.path)
    return row


def _wearer_loaded() -> tuple[Any, ...]:
    return (
        joinedload(Wearer.community),
        joinedload(Wearer.device),
        selectinload(Wearer.contacts).joinedload(Contact.resident),
        joinedload(Wearer.resident)
        .selectinload(Resident.residencies)
        .joinedload(Residency.dwelling)
        .joinedload(Dwelling.unit)
        .joinedload(Unit.building),
    )


def caring_for(session: Session, actor: Actor) -> Sequence[Wearer]:
    """Whom this resident has agreed to help."""
    if actor.resident_id is None:
        return []
    return (
        session.scalars(
            select(Wearer)
            .join(Contact, Contact.wearer_id == Wearer.id)
            .options(*_wearer_loaded())
            .where(
                Contact.resident_id == actor.resident_id,
                Contact.removed_at.is_(None),
                Contact.consent_at.is_not(None),
                Wearer.ended_at.is_(None),
            )
            .order_by(Wearer.id)
        )
        .unique()
        .all()
    )


def own_profile(session: Session, actor: Actor) -> Wearer | None:
    """The resident's own profile, if they wear a button."""
    if actor.resident_id is None:
        return None
    return (
        session.scalars(
            select(Wearer)
            .options(*_wearer_loaded())
            .where(Wearer.resident_id == actor.resident_id, Wearer.ended_at.is_(None))
        )
        .unique()
        .one_or_none()
    )
