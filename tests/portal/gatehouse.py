"""A community with gates and passes on a real database, for tests of the hot path.

::

    spring: gates "main" (community) and "east" (building 1), dwellings 101 (building 1), 201 (building 2)
    autumn: gate "far", dwelling 301
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from mqtt.contract.messages import Scan
from mqtt.contract.telemetry import DeviceKind
from mqtt.contract.topics import DeviceAddress
from portal import models
from portal.access.cache import Caches
from portal.access.models import Gate, GateKind, Outcome, Passage
from portal.access.operations import decide_scans
from portal.access.scans import Answer, ReceivedScan
from portal.config import Config
from portal.core import migrate
from portal.core.db import Database
from portal.core.keys import install_keys
from portal.core.permissions import SYSTEM
from portal.devices.enrolment import enrol_device
from portal.passes.models import Pass
from portal.passes.operations import issue_resident_pass, issue_visitor_pass, show_code
from portal.regions.models import Building, Dwelling, Level, Region, Unit
from portal.residents.models import Resident, ResidentState

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
SPRING = "51110105MJ0100123C"
AUTUMN = "51110105MJ0200456A"
MAIN = DeviceAddress("spring", "gate-main")
EAST = DeviceAddress("spring", "gate-east")
FAR = DeviceAddress("autumn", "gate-far")


@dataclass
class Gatehouse:
    """What was laid out, and short ways to do things with it. ``now`` stands until it is moved."""

    db: Database
    now: datetime = NOW
    communities: dict[str, int] = field(default_factory=dict)
    dwellings: dict[str, int] = field(default_factory=dict)
    residents: dict[str, int] = field(default_factory=dict)
    gates: dict[DeviceAddress, int] = field(default_factory=dict)
    passwords: dict[DeviceAddress, str] = field(default_factory=dict)
    caches: Caches = field(default_factory=lambda: Caches(max_age=0))

    def resident_pass(self, number: str = "101") -> str:
        with self.db.write() as session:
            return issue_resident_pass(
                session, self.residents[number], self.dwellings[number], self.now
            ).id

    def visitor_pass(
        self, number: str = "101", *, uses: int = 1, hours: float = 4, scope: tuple[int, ...] = ()
    ) -> str:
        with self.db.write() as session:
            return issue_visitor_pass(
                session,
                resident_id=self.residents[number],
                dwelling_id=self.dwellings[number],
                valid_from=self.now,
                valid_until=self.now + timedelta(hours=hours),
                now=self.now,
                max_uses=uses,
                scope=scope,
            ).id

    def code(self, pass_id: str, seconds: int = 60, *, offline: bool = False) -> str:
        with self.db.read() as session:
            return show_code(session, pass_id, self.now, seconds, offline=offline).token

    def scan(self, code: str, **fields: object) -> Scan:
        values = {"id": uuid4().hex, "at": self.now, "code": code} | fields
        return Scan(**values)

    def decide(self, *scans: tuple[DeviceAddress, Scan]) -> list[Answer]:
        """Decide them as one batch."""
        with self.db.write() as session:
            return decide_scans(
                session, [ReceivedScan(a, s) for a, s in scans], self.now, self.caches
            )

    def show(self, code: str, gate: DeviceAddress = MAIN, **fields: object) -> Answer:
        """Decide one scan of a code at a gate."""
        return self.decide((gate, self.scan(code, **fields)))[0]

    def change_pass(self, pass_id: str, **values: object) -> None:
        with self.db.write() as session:
            row = session.get_one(Pass, pass_id)
            for name, value in values.items():
                setattr(row, name, value)

    def uses(self, pass_id: str) -> int:
        with self.db.read() as session:
            return session.get_one(Pass, pass_id).uses

    def passages(self) -> list[Passage]:
        with self.db.read() as session:
            return list(session.scalars(select(Passage).order_by(Passage.id)))

    def count(self, table: type[models.Base], *where: object) -> int:
        with self.db.read() as session:
            return session.scalar(select(func.count()).select_from(table).where(*where)) or 0

    def allowed(self) -> int:
        return self.count(Passage, Passage.outcome == Outcome.ALLOW)


@contextmanager
def gatehouse(url: str, folder: Path) -> Iterator[Gatehouse]:
    """Migrate an empty database and fill it."""
    database = Database(url)
    try:
        migrate.upgrade(database)
        install_keys(Config(data_dir=folder), database)
        house = Gatehouse(database)
        with database.write() as session:
            _lay_out(session, house)
        yield house
    finally:
        database.close()


def _lay_out(session: Session, house: Gatehouse) -> None:
    for position, (key, uscc) in enumerate([("spring", SPRING), ("autumn", AUTUMN)]):
        region = Region(
            level=Level.COMMUNITY,
            code=f"11010500100{position}",
            name=key,
            path="",
            uscc=uscc,
            key=key,
            timezone="Asia/Shanghai",
        )
        session.add(region)
        session.flush()
        region.path = f"/{region.id}/"
        house.communities[key] = region.id
    buildings: dict[str, int] = {}
    for community, title, number in [
        ("spring", "1", "101"),
        ("spring", "2", "201"),
        ("autumn", "1", "301"),
    ]:
        building = Building(community_id=house.communities[community], name=title)
        session.add(building)
        session.flush()
        unit = Unit(building_id=building.id, name="1")
        session.add(unit)
        session.flush()
        dwelling = Dwelling(
            community_id=house.communities[community], unit_id=unit.id, floor=1, number=number
        )
        resident = Resident(
            community_id=house.communities[community],
            state=ResidentState.APPROVED,
            name="李小明",
            phone="13800000000",
            phone_hash="0" * 64,
            document_type="passport",
            document_number="E12345678",
            document_hash=number.zfill(64),
            registered_at=NOW,
            decided_at=NOW,
        )
        session.add_all([dwelling, resident])
        session.flush()
        buildings[f"{community} {title}"] = building.id
        house.dwellings[number], house.residents[number] = dwelling.id, resident.id
    for address, building_name in [(MAIN, None), (EAST, "spring 1"), (FAR, None)]:
        community = session.get_one(Region, house.communities[address.community])
        enrolled = enrol_device(
            session,
            SYSTEM,
            community,
            key=address.device,
            kind=DeviceKind.DOOR_LOCK,
            title=address.device,
            now=NOW,
        )
        gate = Gate(
            community_id=community.id,
            device_id=enrolled.device.id,
            building_id=buildings[building_name] if building_name else None,
            kind=GateKind.BUILDING if building_name else GateKind.COMMUNITY,
            name=address.device,
            pulse_ms=2500,
        )
        session.add(gate)
        session.flush()
        house.gates[address] = gate.id
        house.passwords[address] = enrolled.password
