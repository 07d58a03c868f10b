"""Registering and deciding in one line."""

from __future__ import annotations

from dataclasses import replace

from portal.core.permissions import Actor, Permission, Role
from portal.residents.models import Resident, ResidentState
from portal.vehicles import operations, queries
from portal.vehicles.models import Vehicle
from portal.vehicles.operations import Draft
from tests.portal.world import World

GOOD = Draft(plate="京A·12345", kind="car", belongs="own", brand="大众", colour="white")
MANUAL = "WJ京0123X"


def registered(world: World, plate: str = GOOD.plate, who: str = "resident") -> int:
    """A vehicle that waits."""
    with world.db.write() as session:
        draft = replace(GOOD, plate=plate)
        return operations.register(session, world.resident(who), draft, world.clock()).id


def decide(world: World, vehicle_id: int, verb: str, actor: Actor | None = None) -> None:
    """By a worker, when nobody else is named."""
    with world.db.write() as session:
        act = getattr(operations, verb)
        act(session, actor or world.staff(Role.WORKER), vehicle_id, "不符", world.clock())


def verified(world: World, plate: str = GOOD.plate, who: str = "resident") -> int:
    """A vehicle that a worker has verified."""
    vehicle_id = registered(world, plate, who)
    decide(world, vehicle_id, "verify")
    return vehicle_id


def undo(world: World, vehicle_id: int, actor: Actor | None = None) -> None:
    """Take the decision back."""
    with world.db.write() as session:
        operations.undo(session, actor or world.staff(Role.WORKER), vehicle_id, world.clock())


def remove(world: World, vehicle_id: int, who: str = "resident") -> None:
    """By the resident."""
    with world.db.write() as session:
        operations.remove(session, world.resident(who), vehicle_id, world.clock())


def stored(world: World, vehicle_id: int) -> Vehicle:
    """The row as it stands."""
    with world.db.read() as session:
        return queries.load_vehicle(
            session, world.staff(Role.WORKER, "county"), Permission.VEHICLE_LIST, vehicle_id
        )


def approve(world: World, who: str) -> None:
    """Make somebody of the cast an approved resident."""
    with world.db.write() as session:
        session.get_one(Resident, world.residents[who]).state = ResidentState.APPROVED
