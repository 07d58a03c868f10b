"""The communities that the gate bench measures in: residents and passes written in bulk."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final, cast
from uuid import uuid4

from sqlalchemy import Table, insert
from sqlalchemy.orm import Session

from mqtt.contract.telemetry import DeviceKind
from mqtt.contract.topics import DeviceAddress
from portal.access.models import Gate, GateKind
from portal.core import migrate
from portal.core.clock import utc_now
from portal.core.db import Database
from portal.core.permissions import SYSTEM
from portal.core.protected import find_hash
from portal.devices.enrolment import enrol_device
from portal.passes.claims import PassClaims, PassKind
from portal.passes.models import Pass
from portal.passes.signing import ensure_key, signing_key
from portal.passes.token import issue
from portal.regions.models import Building, Dwelling, Level, Region, Unit
from portal.residents.models import Residency, Resident

USCC: Final = "51110105MJ0100123C"
GATES: Final = 50
_PEOPLE_IN_A_DWELLING: Final = 3
_DWELLINGS_IN_A_BUILDING: Final = 120
_CHUNK: Final = 5_000


@dataclass(frozen=True, slots=True)
class World:
    """What scans are made from."""

    gates: tuple[DeviceAddress, ...]
    passes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PreparedScan:
    """A code ready to be shown at a gate, and the id of the event that will carry it."""

    event_id: str
    gate: DeviceAddress
    code: str


def lay_out(database: Database, residents: int) -> World:
    """Migrate and fill an empty database: one community, 50 gates, so many residents with passes.

    The keys for personal columns must be installed.
    """
    migrate.upgrade(database)
    with database.write() as session:
        now = utc_now()
        ensure_key(session, now)
        community = _community(session)
        gates = tuple(_gate(session, community, number, now) for number in range(GATES))
        community_id = community.id
        dwellings = _dwellings(session, community_id, residents)
    passes: list[str] = []
    for start in range(0, residents, _CHUNK):
        numbers = range(start, min(start + _CHUNK, residents))
        with database.write() as session:
            passes += _people(session, community_id, dwellings, numbers)
    return World(gates, tuple(passes))


def prepare_scans(database: Database, world: World, count: int) -> list[PreparedScan]:
    """Sign a code of its own for each scan, of residents and gates in turn."""
    now = utc_now()
    until = now + timedelta(hours=1)
    with database.read() as session:
        key = signing_key(session, now, until)
    scans = []
    for number in range(count):
        claims = PassClaims(
            issuer=USCC,
            pass_id=bytes.fromhex(secrets.choice(world.passes)),
            kind=PassKind.RESIDENT,
            issued_at=now,
            not_before=now,
            expires_at=until,
        )
        scans.append(
            PreparedScan(uuid4().hex, world.gates[number % len(world.gates)], issue(claims, key))
        )
    return scans


def _community(session: Session) -> Region:
    region = Region(
        level=Level.COMMUNITY, code="110105001001", name="Bench", path="", uscc=USCC, key="bench"
    )
    session.add(region)
    session.flush()
    region.path = f"/{region.id}/"
    session.flush()
    return region


def _gate(session: Session, community: Region, number: int, now: datetime) -> DeviceAddress:
    key = f"gate-{number}"
    enrolled = enrol_device(
        session,
        SYSTEM,
        community,
        key=key,
        kind=DeviceKind.DOOR_LOCK,
        title=key,
        now=now,
    )
    session.add(
        Gate(
            community_id=community.id,
            device_id=enrolled.device.id,
            kind=GateKind.COMMUNITY,
            name=key,
        )
    )
    return DeviceAddress("bench", key)


def _dwellings(session: Session, community_id: int, residents: int) -> list[tuple[int, int]]:
    """Dwelling and building of each household."""
    count = -(-residents // _PEOPLE_IN_A_DWELLING)
    found: list[tuple[int, int]] = []
    for start in range(0, count, _DWELLINGS_IN_A_BUILDING):
        building = Building(community_id=community_id, name=str(start))
        session.add(building)
        session.flush()
        unit = Unit(building_id=building.id, name="1")
        session.add(unit)
        session.flush()
        numbers = range(start, min(start + _DWELLINGS_IN_A_BUILDING, count))
        rows = [
            Dwelling(community_id=community_id, unit_id=unit.id, floor=n % 30 + 1, number=str(n))
            for n in numbers
        ]
        session.add_all(rows)
        session.flush()
        found += [(row.id, building.id) for row in rows]
    return found


def _people(
    session: Session, community_id: int, dwellings: list[tuple[int, int]], numbers: range
) -> list[str]:
    now = datetime.now(UTC)
    residents: list[dict[str, Any]] = []
    residencies: list[dict[str, Any]] = []
    passes: list[dict[str, Any]] = []
    for number in numbers:
        dwelling_id, building_id = dwellings[number // _PEOPLE_IN_A_DWELLING]
        phone, document = f"139{number:08}", f"E{number:08}"
        residents.append(
            {
                "id": number + 1,
                "community_id": community_id,
                "state": "approved",
                "name": f"居民{number}",
                "phone": phone,
                "phone_hash": find_hash(phone, "phone"),
                "document_type": "passport",
                "document_number": document,
                "document_hash": find_hash(document, "document"),
                "registered_at": now,
                "decided_at": now,
                "decision_note": "",
            }
        )
        residencies.append(
            {
                "resident_id": number + 1,
                "dwelling_id": dwelling_id,
                "relation": "owner",
                "since": date(2020, 1, 1),
            }
        )
        passes.append(
            {
                "id": secrets.token_hex(16),
                "community_id": community_id,
                "kind": "resident",
                "resident_id": number + 1,
                "dwelling_id": dwelling_id,
                "building_id": building_id,
                "scope": [],
                "not_before": now - timedelta(days=1),
                "not_after": now + timedelta(days=3650),
                "max_uses": 0,
                "uses": 0,
                "created_at": now,
                "revoked_reason": "",
            }
        )
    connection = session.connection()
    connection.execute(insert(cast(Table, Resident.__table__)), residents)
    connection.execute(insert(cast(Table, Residency.__table__)), residencies)
    connection.execute(insert(cast(Table, Pass.__table__)), passes)
    return [row["id"] for row in passes]
