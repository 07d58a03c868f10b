"""A dozen vehicles of the demo's residents, two of them waiting.

Nobody's can be meant: no issuing office has the sign 藏Z.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy.orm import Session

from portal.core.identifiers import check_plate
from portal.core.identifiers.plate import plate_class
from portal.demo.people import Person
from portal.residents.models import Relation, Resident
from portal.vehicles.models import Belongs, Vehicle, VehicleKind, VehicleState
from portal.vehicles.operations import plate_hash
from portal.vehicles.words import Colour

_CAR, _VAN, _OWN, _HOUSEHOLD = VehicleKind.CAR, VehicleKind.VAN, Belongs.OWN, Belongs.HOUSEHOLD
_WAITS, _GOOD, _REFUSED = VehicleState.PENDING, VehicleState.VERIFIED, VehicleState.REFUSED
NOTE: Final = "车牌与行驶证不符，请核对后重新登记。"

VEHICLES: Final = (
    ("藏Z12045", _CAR, "大众", Colour.WHITE, _OWN, _GOOD),
    ("藏ZD10386", _CAR, "比亚迪", Colour.BLUE, _OWN, _GOOD),
    ("藏Z30519", _CAR, "丰田", Colour.BLACK, _HOUSEHOLD, _GOOD),
    ("藏Z7K218", _VAN, "五菱", Colour.GREY, _OWN, _GOOD),
    ("藏ZF00917", _CAR, "蔚来", Colour.GREEN, _OWN, _WAITS),
    ("藏Z61177", _CAR, "吉利", Colour.RED, _OWN, _GOOD),
    ("藏Z2B940", VehicleKind.MOTORCYCLE, "", Colour.BLACK, _OWN, _GOOD),
    ("藏Z88231", _CAR, "红旗", Colour.BLACK, _HOUSEHOLD, _WAITS),
    ("藏Z0119应急", _VAN, "", Colour.RED, _OWN, _GOOD),
    ("藏ZA55820", _CAR, "理想", Colour.WHITE, _HOUSEHOLD, _GOOD),
    ("藏Z43D06", VehicleKind.LORRY, "福田", Colour.BLUE, _OWN, _REFUSED),
    ("藏Z90562", _CAR, "", Colour.OTHER, _OWN, _GOOD),
)
"""Plate, kind, brand, colour, whose, state."""


def park(
    session: Session, people: list[Person], residents: list[Resident], now: datetime
) -> list[Vehicle]:
    """Give a vehicle each to the first approved owners and tenants of different dwellings."""
    holders: dict[int, Resident] = {}
    for person, resident in zip(people, residents, strict=True):
        if not person.pending and person.relation in (Relation.OWNER, Relation.TENANT):
            holders.setdefault(person.dwelling, resident)
    rows = []
    for n, (entry, holder) in enumerate(zip(VEHICLES, holders.values(), strict=False)):
        plate, kind, brand, colour, belongs, state = entry
        waits = state is _WAITS
        registered = now - (timedelta(hours=2 + n) if waits else timedelta(days=20 + n))
        home = holder.residency
        if home is None:
            raise RuntimeError("an approved resident of the demo lives nowhere")
        rows.append(
            Vehicle(
                community_id=holder.community_id,
                dwelling_id=home.dwelling_id,
                resident_id=holder.id,
                plate=plate,
                plate_hash=plate_hash(plate),
                plate_class=plate_class(check_plate(plate)),
                kind=kind,
                brand=brand,
                colour=colour,
                belongs=belongs,
                state=state,
                registered_at=registered,
                decided_at=None if waits else registered + timedelta(hours=5),
                decision_note=NOTE if state is _REFUSED else "",
            )
        )
    session.add_all(rows)
    session.flush()
    return rows
