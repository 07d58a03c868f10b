"""What waits for staff, counted over what each may see. Reads across features, so it lives above them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.core.permissions import Actor, Permission
from portal.devices.models import Device
from portal.regions.directory import within
from portal.regions.models import Region
from portal.residents.models import Resident, ResidentState
from portal.vehicles.models import Vehicle, VehicleState
from portal.visitors.models import Invitation, InvitationState


@dataclass(frozen=True, slots=True)
class Waiting:
    """Counts; ``None`` where the actor may not know."""

    registrations: int | None
    invitations: int | None
    vehicles: int | None
    devices_offline: int | None


def _count(
    session: Session, actor: Actor, permission: Permission, model: Any, *conditions: Any
) -> int | None:
    paths = actor.paths(permission)
    if not paths:
        return None
    return session.scalar(
        select(func.count(model.id))
        .join(Region, model.community_id == Region.id)
        .where(within(paths), *conditions)
    )


def waiting(session: Session, actor: Actor) -> Waiting:
    """Registrations, invitations and vehicles to decide, devices that are not heard of."""
    return Waiting(
        registrations=_count(
            session,
            actor,
            Permission.RESIDENT_LIST,
            Resident,
            Resident.state == ResidentState.PENDING.value,
        ),
        invitations=_count(
            session,
            actor,
            Permission.INVITATION_LIST,
            Invitation,
            Invitation.state == InvitationState.PENDING.value,
        ),
        vehicles=_count(
            session,
            actor,
            Permission.VEHICLE_LIST,
            Vehicle,
            Vehicle.state == VehicleState.PENDING.value,
        ),
        devices_offline=_count(
            session,
            actor,
            Permission.DEVICE_LIST,
            Device,
            Device.online.is_(False),
            Device.retired_at.is_(None),
        ),
    )
