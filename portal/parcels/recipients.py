"""Who a parcel is for: found by dwelling and the last four digits of the phone number, shown masked.

Both must fit, and no answer says which of them did not: nobody can list who lives where.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload, selectinload

from portal.core.errors import DomainError
from portal.core.i18n import lazy
from portal.core.identifiers.masking import mask_name
from portal.core.identifiers.typed_text import compact
from portal.core.protected import find_hash
from portal.regions.models import Building, Dwelling, Unit
from portal.residents.models import Residency, Resident, ResidentState

TAIL: Final = 4
MOST_DWELLINGS: Final = 4
"""A number stands on at most so many doors of one building (one a unit) that are looked at."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What was typed: a building's id, a unit's name or nothing, the door's number, the phone's tail."""

    building_id: int
    number: str
    tail: str


@dataclass(frozen=True, slots=True)
class Recipient:
    """One who fits. ``key`` names the choice to this asker only; it is worth nothing to another."""

    resident_id: int
    dwelling_id: int
    key: str
    name: str
    dwelling: str


def buildings(session: Session, community_id: int) -> list[Building]:
    """The community's buildings in their order."""
    return list(
        session.scalars(
            select(Building)
            .where(Building.community_id == community_id)
            .order_by(Building.position, Building.id)
        )
    )


def faults(asked: Asked) -> list[DomainError]:
    """What is wrong with the form of the question."""
    wrong = []
    if not compact(asked.number) or len(asked.number) > 16:
        wrong.append(
            DomainError(
                "number_missing", lazy("Enter the number on the door, such as 301."), field="number"
            )
        )
    tail = compact(asked.tail)
    if len(tail) != TAIL or not (tail.isascii() and tail.isdigit()):
        wrong.append(
            DomainError(
                "tail_malformed",
                lazy("Enter the last four digits of the phone number on the label."),
                field="tail",
            )
        )
    return wrong


def match(session: Session, community_id: int, asked: Asked, asker: str) -> list[Recipient]:
    """Approved residents of such a dwelling whose number ends so.

    Args:
        asker: who asks, such as ``courier:3``; bound into the keys.

    Raises:
        DomainError: the question is malformed, or nobody fits.
    """
    for fault in faults(asked):
        raise fault
    number, tail = compact(asked.number).upper(), compact(asked.tail)
    dwellings = session.scalars(
        select(Dwelling)
        .join(Unit, Dwelling.unit_id == Unit.id)
        .options(joinedload(Dwelling.unit).joinedload(Unit.building))
        .where(
            Dwelling.community_id == community_id,
            Unit.building_id == asked.building_id,
            func.upper(Dwelling.number) == number,
        )
        .order_by(Unit.position, Dwelling.id)
        .limit(MOST_DWELLINGS)
    ).all()
    places = {dwelling.id: dwelling for dwelling in dwellings}
    people = session.execute(
        select(Resident, Residency.dwelling_id)
        .join(Residency, Residency.resident_id == Resident.id)
        .options(selectinload(Resident.residencies))
        .where(
            Residency.dwelling_id.in_(places),
            Residency.until.is_(None),
            Resident.state == ResidentState.APPROVED,
        )
        .order_by(Resident.id)
    ).all()
    fitting = [
        Recipient(
            resident.id,
            dwelling_id,
            find_hash(f"{asker}/{resident.id}", "parcel_recipient")[:24],
            mask_name(resident.name),
            places[dwelling_id].label,
        )
        for resident, dwelling_id in people
        if resident.phone.endswith(tail)
    ]
    if not fitting:
        raise DomainError(
            "nobody_fits",
            lazy(
                "Nobody fits this dwelling and these digits. Compare both with the label; "
                "otherwise take the parcel to the property office."
            ),
            field="tail",
        )
    return fitting


def choose(fitting: list[Recipient], key: str) -> Recipient | None:
    """The one that was chosen; the only one may be taken without a choice once it was shown."""
    return next((one for one in fitting if one.key == key), None)
