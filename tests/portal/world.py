"""A small world for tests: two communities in one county, people of each kind, gates and devices.

::

    county ── community "spring" (building 1: 101, 102; building 2: 201) ── gate main, gate of building 1
         └─── community "autumn"
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from sqlalchemy.orm import Session

from portal.access.models import Gate, GateKind
from portal.accounts.factors import new_totp_secret, totp_uri
from portal.accounts.models import RoleGrant, User
from portal.core import protected
from portal.core.crypto.envelope import (
    FieldCipher,
    KeyedHash,
    KeyRing,
    KeyUse,
    new_data_key,
)
from portal.core.crypto.master_key import MasterKey
from portal.core.db import Database
from portal.core.permissions import ROLE_PERMISSIONS, Actor, Grant, Role
from portal.devices.models import Device
from portal.regions.models import Building, Dwelling, Level, Region, Unit
from portal.residents.models import Residency, Resident, ResidentState

START = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
SPRING_USCC = "51110105MJ0100123C"
AUTUMN_USCC = "51110105MJ0200456A"


@dataclass
class Ticking:
    """A clock that stands until a test moves it."""

    now: datetime = START

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **delta: float) -> None:
        self.now += timedelta(**delta)


@dataclass
class World:
    """Ids of everything that was laid out, and how to make more of it."""

    db: Database
    clock: Ticking
    regions: dict[str, int] = field(default_factory=dict)
    paths: dict[str, str] = field(default_factory=dict)
    buildings: dict[str, int] = field(default_factory=dict)
    dwellings: dict[str, int] = field(default_factory=dict)
    gates: dict[str, int] = field(default_factory=dict)
    devices: dict[str, int] = field(default_factory=dict)
    residents: dict[str, int] = field(default_factory=dict)
    users: dict[str, int] = field(default_factory=dict)

    def resident(self, name: str) -> Actor:
        """A resident acting for themselves."""
        return Actor(
            label=f"resident:{self.residents[name]}",
            user_id=self.users.get(name),
            resident_id=self.residents[name],
        )

    def staff(self, role: Role, region: str = "spring") -> Actor:
        """A member of staff with one role on one region."""
        grant = Grant(self.paths[region], ROLE_PERMISSIONS[role], role)
        return Actor(label=f"user:{role}", user_id=self.users.get(str(role)), grants=(grant,))


def new_keys() -> KeyRing:
    """Throw-away keys for personal columns."""
    master = MasterKey.generate()
    return KeyRing(
        master,
        [new_data_key(master, 1, KeyUse.FIELD), new_data_key(master, 2, KeyUse.HASH)],
    )


def install(ring: KeyRing) -> None:
    """Make personal columns readable under these keys."""
    protected.install(FieldCipher(ring), KeyedHash(ring))


def lay_out(db: Database, clock: Ticking) -> World:
    """Fill an empty, migrated database."""
    world = World(db, clock)
    with db.write() as session:
        _regions(session, world)
        _buildings(session, world)
        _gates(session, world)
        _people(session, world)
    return world


def _regions(session: Session, world: World) -> None:
    rows: list[tuple[str, str | None, Level, str, str | None, str | None]] = [
        ("county", None, Level.COUNTY, "110105000000", None, None),
        ("spring", "county", Level.COMMUNITY, "110105001001", SPRING_USCC, "spring"),
        ("autumn", "county", Level.COMMUNITY, "110105001002", AUTUMN_USCC, "autumn"),
    ]
    names = {"county": "朝阳区", "spring": "春晓社区", "autumn": "秋实社区"}
    for name, parent, level, code, uscc, key in rows:
        region = Region(
            parent_id=world.regions.get(parent or ""),
            level=level,
            code=code,
            name=names[name],
            path="",
            uscc=uscc,
            key=key,
            timezone="Asia/Shanghai",
        )
        session.add(region)
        session.flush()
        region.path = f"{world.paths.get(parent or '', '/')}{region.id}/"
        world.regions[name], world.paths[name] = region.id, region.path


def _buildings(session: Session, world: World) -> None:
    plan = {"spring": {"1号楼": ["101", "102"], "2号楼": ["201"]}, "autumn": {"1号楼": ["301"]}}
    for community, buildings in plan.items():
        for title, numbers in buildings.items():
            building = Building(community_id=world.regions[community], name=title)
            session.add(building)
            session.flush()
            unit = Unit(building_id=building.id, name="1单元")
            session.add(unit)
            session.flush()
            world.buildings[f"{community} {title}"] = building.id
            for number in numbers:
                dwelling = Dwelling(
                    community_id=world.regions[community], unit_id=unit.id, floor=1, number=number
                )
                session.add(dwelling)
                session.flush()
                world.dwellings[number] = dwelling.id


def _gates(session: Session, world: World) -> None:
    plan: list[tuple[str, str, str, str, str | None]] = [
        ("main", "spring", "door_lock", "南门门锁", None),
        ("building", "spring", "door_lock", "1号楼门锁", "spring 1号楼"),
        ("far", "autumn", "door_lock", "北门门锁", None),
        ("thermometer", "spring", "thermometer", "南门测温", None),
        ("button", "spring", "alarm_button", "101 报警按钮", "spring 1号楼"),
    ]
    for key, community, kind, title, building in plan:
        device = Device(
            community_id=world.regions[community],
            building_id=world.buildings[building] if building else None,
            key=f"{key}-1",
            kind=kind,
            title=title,
            mqtt_username=f"{community}/{key}-1",
            mqtt_password="x",
            details={},
            online=key != "button",
            status_at=world.clock(),
            firmware="1.0.0",
            enrolled_at=world.clock(),
        )
        session.add(device)
        session.flush()
        world.devices[key] = device.id
        if kind != "door_lock":
            continue
        gate = Gate(
            community_id=device.community_id,
            device_id=device.id,
            building_id=device.building_id,
            kind=GateKind.BUILDING if building else GateKind.COMMUNITY,
            name=title.removesuffix("门锁"),
        )
        session.add(gate)
        session.flush()
        world.gates[key] = gate.id


def _people(session: Session, world: World) -> None:
    plan = [
        ("resident", "spring", "101", "李小明", ResidentState.APPROVED),
        ("neighbour", "spring", "201", "王芳", ResidentState.APPROVED),
        ("pending", "spring", "102", "赵强", ResidentState.PENDING),
        ("refused", "spring", "102", "钱进", ResidentState.REFUSED),
        ("outsider", "autumn", "301", "孙悦", ResidentState.APPROVED),
    ]
    for position, (who, community, number, name, state) in enumerate(plan):
        resident = Resident(
            community_id=world.regions[community],
            state=state,
            name=name,
            phone=f"1380000000{position}",
            phone_hash=protected.find_hash(f"1380000000{position}", "phone"),
            document_type="passport",
            document_number=f"E1234567{position}",
            document_hash=protected.find_hash(f"passport:E1234567{position}", "document"),
            registered_at=world.clock(),
            decision_note="资料与房本不符" if state == ResidentState.REFUSED else "",
        )
        session.add(resident)
        session.flush()
        world.residents[who] = resident.id
        session.add(
            Residency(
                resident_id=resident.id,
                dwelling_id=world.dwellings[number],
                relation="owner",
                since=date(2026, 1, 1),
            )
        )
        world.users[who] = _user(session, who, resident_id=resident.id)
    for role in Role:
        world.users[str(role)] = _user(session, str(role), grant=(role, world.regions["spring"]))
    world.users["far_worker"] = _user(
        session, "far_worker", grant=(Role.WORKER, world.regions["autumn"])
    )


def _user(
    session: Session,
    name: str,
    *,
    resident_id: int | None = None,
    grant: tuple[Role, int] | None = None,
) -> int:
    user = User(
        username=name if grant else None,
        sign_in_hash=protected.find_hash(name, "sign_in"),
        email=None,
        password="!",
        active=True,
        fs_uniquifier=secrets.token_hex(32),
        resident_id=resident_id,
        created_at=START,
        # Who signs in with one factor only is asked for the other before any page opens.
        tf_primary_method="authenticator" if grant else None,
        tf_totp_secret=totp_uri(new_totp_secret(), name) if grant else None,
    )
    session.add(user)
    session.flush()
    if grant:
        session.add(RoleGrant(user_id=user.id, role=grant[0], region_id=grant[1]))
    return user.id
