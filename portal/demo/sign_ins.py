"""Who can sign in to the demo: staff of every role with two factors, and three residents.

Passwords and authenticator secrets are made anew for every installation.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy.orm import Session

from portal.accounts.operations import (
    create_resident_account,
    create_staff,
    new_totp_secret,
    random_password,
)
from portal.accounts.passwords import hash_password
from portal.core.permissions import Role
from portal.demo.people import Person
from portal.demo.places import Places
from portal.passes.operations import issue_resident_pass
from portal.regions.models import Level
from portal.residents.models import Relation, Resident


@dataclass(frozen=True, slots=True)
class SignIn:
    """One line of ``demo-accounts.json``. ``totp_secret`` is base 32, ``None`` where one factor does."""

    role: str
    username: str
    password: str
    totp_secret: str | None
    note: str


STAFF: Final = (
    (
        "worker",
        Role.WORKER,
        Level.COMMUNITY,
        "社区工作者：审核登记与访客 approves residents and visitors",
    ),
    (
        "gatekeeper",
        Role.GATEKEEPER,
        Level.COMMUNITY,
        "门岗：扫码放行，查看通行记录 scans passes, lets in, sees the passage log",
    ),
    ("manager", Role.MANAGER, Level.COMMUNITY, "物业经理：设备与图表 devices and charts"),
    ("health", Role.HEALTH_WORKER, Level.COMMUNITY, "卫生工作人员 health worker"),
    ("supervisor", Role.SUPERVISOR, Level.TOWNSHIP, "街道督导 supervises the township"),
    ("county", Role.SUPERVISOR, Level.COUNTY, "区级督导 supervises the county"),
    (
        "support",
        Role.SUPPORT,
        Level.PROVINCE,
        "技术支持：看设备，不看居民 sees devices, no residents",
    ),
    ("sysadmin", Role.SYSTEM_ADMIN, Level.PROVINCE, "系统管理员 system administrator"),
    ("secadmin", Role.SECURITY_ADMIN, Level.PROVINCE, "安全管理员 security administrator"),
    ("auditor", Role.AUDIT_ADMIN, Level.PROVINCE, "审计管理员 audit administrator"),
)
"""User name, role, where, what for."""


def open_staff(session: Session, places: Places, now: datetime) -> list[SignIn]:
    """An account for each role, at the level that fits."""
    found = []
    for username, role, level, note in STAFF:
        sign_in = SignIn(role.value, username, random_password(), new_totp_secret(), note)
        create_staff(
            session,
            username=username,
            password=sign_in.password,
            roles=[(role, places.regions[level].id)],
            now=now,
            totp_secret=sign_in.totp_secret,
        )
        found.append(sign_in)
    return found


def open_residents(
    session: Session,
    people: list[Person],
    residents: list[Resident],
    places: Places,
    now: datetime,
) -> list[SignIn]:
    """Accounts of an owner, a tenant and somebody who still waits; the first two have their pass."""
    found = []
    for wanted, pending, note in (
        (Relation.OWNER, False, "业主，已通过：出示通行码、邀请访客 owner, approved"),
        (Relation.TENANT, False, "租户，已通过 tenant, approved"),
        (None, True, "等待审核 waits for a decision"),
    ):
        position = next(
            n
            for n, person in enumerate(people)
            if person.pending is pending and wanted in (None, person.relation)
        )
        person, resident = people[position], residents[position]
        dwelling = places.dwellings[person.dwelling]
        sign_in = SignIn(
            "resident",
            person.phone,
            random_password(),
            None,
            f"{dwelling.label} {person.name}，{note}",
        )
        create_resident_account(
            session,
            resident_id=resident.id,
            phone=person.phone,
            password_hash=hash_password(sign_in.password),
            now=now,
        )
        if not pending:
            issue_resident_pass(session, resident.id, dwelling.id, now)
        found.append(sign_in)
    return found


def as_json(sign_ins: list[SignIn]) -> list[dict[str, Any]]:
    """The list that goes into the file."""
    return [asdict(one) for one in sign_ins]
