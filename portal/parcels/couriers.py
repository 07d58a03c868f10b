"""A courier's way in: staff issue a code that ends, the courier signs in with it (G7).

The code names a company and a community, no person. It is shown once; the database keeps its hash.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from portal.core import audit
from portal.core.errors import DomainError
from portal.core.i18n import lazy
from portal.core.permissions import Actor, Permission, found, require
from portal.parcels.codes import access_hash, new_access_code
from portal.parcels.models import CourierAccess
from portal.parcels.times import ACCESS_LIFE, LONGEST_ACCESS
from portal.regions.directory import within
from portal.regions.models import Region
from portal.regions.queries import load_community


class Company(StrEnum):
    """Whom a courier comes from."""

    SF = "sf"
    JD = "jd"
    EMS = "ems"
    ZTO = "zto"
    YTO = "yto"
    STO = "sto"
    YUNDA = "yunda"
    CAINIAO = "cainiao"
    MEALS = "meals"
    OTHER = "other"


COMPANY_NAMES: Final[dict[Company, Any]] = {
    Company.SF: lazy("SF Express"),
    Company.JD: lazy("JD Logistics"),
    Company.EMS: lazy("EMS and China Post"),
    Company.ZTO: lazy("ZTO Express"),
    Company.YTO: lazy("YTO Express"),
    Company.STO: lazy("STO Express"),
    Company.YUNDA: lazy("Yunda Express"),
    Company.CAINIAO: lazy("Cainiao"),
    Company.MEALS: lazy("Take-away meals"),
    Company.OTHER: lazy("Another company"),
}


@dataclass(frozen=True, slots=True)
class Courier:
    """A courier who has signed in, as plain values."""

    id: int
    community_id: int
    community: str
    path: str
    company: str

    @property
    def actor(self) -> Actor:
        """For the audit."""
        return Actor(label=f"courier:{self.id}")


@dataclass(frozen=True, slots=True)
class Issued:
    """A new access, and its code, which is nowhere else."""

    access: CourierAccess
    code: str


def issue(
    session: Session,
    actor: Actor,
    community_id: int,
    company: str,
    now: datetime,
    life: timedelta = ACCESS_LIFE,
) -> Issued:
    """Give a courier a code.

    Raises:
        NotFoundError, ForbiddenError: see :func:`portal.core.permissions.require`.
        DomainError: the company is unknown, or the code would live too short or too long.
    """
    community = load_community(session, actor, Permission.PARCEL_HANDLE, community_id)
    if company not in set(Company):
        raise DomainError("company_unknown", lazy("Choose a company."), field="company")
    if not timedelta(0) < life <= LONGEST_ACCESS:
        raise DomainError("life", lazy("A code lasts from 1 hour to 30 days."), field="hours")
    return _issue(session, actor, community, company, now, life)


def issue_unasked(
    session: Session, actor: Actor, community: Region, company: str, now: datetime, life: timedelta
) -> Issued:
    """The same for the system itself, which holds no grant."""
    return _issue(session, actor, community, company, now, life)


def _issue(
    session: Session,
    actor: Actor,
    community: Region,
    company: str,
    now: datetime,
    life: timedelta,
) -> Issued:
    code = new_access_code()
    access = CourierAccess(
        community_id=community.id,
        company=company,
        code_hash=access_hash(code) or "",
        created_at=now,
        created_by=actor.user_id,
        expires_at=now + life,
    )
    session.add(access)
    session.flush()
    audit.record(
        session,
        actor,
        "courier.issue",
        ("courier", access.id),
        path=community.path,
        company=company,
    )
    return Issued(access, code)


def revoke(session: Session, actor: Actor, access_id: int, now: datetime) -> None:
    """End a courier's access now.

    Raises:
        NotFoundError, ForbiddenError: see :func:`portal.core.permissions.require`.
    """
    access = found(
        session.get(CourierAccess, access_id, options=[joinedload(CourierAccess.community)])
    )
    require(actor, Permission.PARCEL_HANDLE, access.community.path)
    if access.revoked_at is None:
        access.revoked_at = now
        audit.record(
            session, actor, "courier.revoke", ("courier", access.id), path=access.community.path
        )


def listed(session: Session, actor: Actor, limit: int = 50) -> list[CourierAccess]:
    """Accesses in the actor's regions, newest first."""
    return list(
        session.scalars(
            select(CourierAccess)
            .join(Region, CourierAccess.community_id == Region.id)
            .options(joinedload(CourierAccess.community))
            .where(within(actor.paths(Permission.PARCEL_HANDLE)))
            .order_by(CourierAccess.id.desc())
            .limit(limit)
        )
    )


def sign_in(session: Session, code: str, now: datetime) -> Courier:
    """The courier whose code this is.

    Raises:
        DomainError: no code that counts now; one sentence for every reason.
    """
    hashed = access_hash(code)
    access = None
    if hashed is not None:
        access = session.scalars(
            select(CourierAccess)
            .options(joinedload(CourierAccess.community))
            .where(CourierAccess.code_hash == hashed)
        ).one_or_none()
    courier = _valid(access, now)
    if courier is None:
        raise DomainError(
            "code_wrong",
            lazy("This code does not count, or not any more. Ask at the property office."),
            field="code",
        )
    return courier


def by_id(session: Session, access_id: int, now: datetime) -> Courier | None:
    """A courier who signed in before, unless the access has ended."""
    access = session.get(CourierAccess, access_id, options=[joinedload(CourierAccess.community)])
    return _valid(access, now)


def _valid(access: CourierAccess | None, now: datetime) -> Courier | None:
    if access is None or access.revoked_at is not None or access.expires_at <= now:
        return None
    return Courier(
        access.id,
        access.community_id,
        access.community.name,
        access.community.path,
        access.company,
    )
