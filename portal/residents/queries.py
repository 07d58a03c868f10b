"""Lists of residents for staff, and one resident for staff or for themselves."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session, joinedload, selectinload

from portal.core.paging import Page, paginate
from portal.core.permissions import Actor, Permission, found, require
from portal.regions.models import Dwelling, Region, Unit
from portal.regions.queries import below
from portal.residents.models import Residency, Resident, ResidentState


def _with_dwelling() -> Select[Any]:
    return select(Resident).options(
        joinedload(Resident.community),
        selectinload(Resident.residencies)
        .joinedload(Residency.dwelling)
        .joinedload(Dwelling.unit)
        .joinedload(Unit.building),
    )


def list_residents(
    session: Session, actor: Actor, state: ResidentState, page: int
) -> Page[Resident]:
    """Residents in a state that the actor may list; those who wait longest first, the decided newest first."""
    waiting = state is ResidentState.PENDING
    order = (Resident.registered_at, Resident.id)
    statement = (
        _with_dwelling()
        .join(Region, Resident.community_id == Region.id)
        .where(Resident.state == state.value, below(actor.paths(Permission.RESIDENT_LIST)))
        .order_by(*(order if waiting else (c.desc() for c in order)))
    )
    return paginate(session, statement, page)


def count_by_state(session: Session, actor: Actor) -> dict[ResidentState, int]:
    """How many residents stand in each state, over what the actor may list."""
    rows = session.execute(
        select(Resident.state, func.count())
        .join(Region, Resident.community_id == Region.id)
        .where(below(actor.paths(Permission.RESIDENT_LIST)))
        .group_by(Resident.state)
    )
    counts = {row[0]: int(row[1]) for row in rows}
    return {state: counts.get(state.value, 0) for state in ResidentState}


def load_resident(
    session: Session, actor: Actor, permission: Permission, resident_id: int
) -> Resident:
    """One resident, for somebody who holds the permission where they live.

    Raises:
        NotFoundError: not there or not the actor's; ForbiddenError: the role is too weak.
    """
    resident = own_record(session, resident_id)
    require(actor, permission, resident.community.path)
    return resident


def own_record(session: Session, resident_id: int) -> Resident:
    """A resident's own record, for the resident.

    Raises:
        NotFoundError: it is gone.
    """
    resident: Resident | None = session.scalars(
        _with_dwelling().where(Resident.id == resident_id)
    ).one_or_none()
    return found(resident)
