"""Roles are given and ended by security administrators, on regions of their own subtree (S2).

The three administrators are separate: an account that holds one of their roles holds no other role at all.
So none of them sees residents, and nobody can both do something and judge or hide it. Nobody changes their
own roles.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.accounts.models import RoleGrant, User
from portal.core import audit
from portal.core.errors import ConflictError, DomainError, ForbiddenError
from portal.core.i18n import lazy
from portal.core.permissions import (
    ADMINISTRATORS,
    Actor,
    Permission,
    Role,
    found,
    not_found,
    require,
)
from portal.regions.models import Region

GRANTABLE: Final[dict[Role, frozenset[Role]]] = {Role.SECURITY_ADMIN: frozenset(Role)}
"""Which roles somebody with a role may give; whoever is not here gives none."""


def check_separate(roles: Iterable[Role]) -> None:
    """Refuse a set of roles that one person must not hold together.

    Raises:
        DomainError: ``not_separate``.
    """
    held = set(roles)
    if held & ADMINISTRATORS and len(held) > 1:
        raise DomainError(
            "not_separate",
            lazy(
                "System, security and audit administrators are separate people with no other role. "
                "End the other role first, or choose another person."
            ),
            field="role",
        )


def _may_grant(actor: Actor, role: Role, path: str) -> None:
    """Raises ForbiddenError, or NotFoundError where the region is none of the actor's."""
    require(actor, Permission.GRANT_MANAGE, path)
    if not any(
        path.startswith(grant.path) and role in GRANTABLE.get(grant.role, frozenset())
        for grant in actor.grants
        if grant.role is not None
    ):
        raise ForbiddenError("role_too_high", lazy("You may not give this role."))


def in_force(grant: RoleGrant, now: datetime) -> bool:
    """Whether a grant counts at this moment."""
    return (grant.valid_from is None or grant.valid_from <= now) and (
        grant.valid_until is None or now < grant.valid_until
    )


def _locked_user(session: Session, actor: Actor, user_id: int) -> User:
    """The account, kept from others who change its roles at the same time."""
    user = found(session.scalars(select(User).where(User.id == user_id).with_for_update()).first())
    if user.resident_id is not None:
        raise not_found()
    if user.id == actor.user_id:
        raise ForbiddenError(
            "own_roles", lazy("Nobody changes their own roles. Ask another administrator.")
        )
    return user


def grant(
    session: Session,
    actor: Actor,
    user_id: int,
    role: Role,
    region_id: int,
    now: datetime,
    *,
    valid_from: datetime | None = None,
    valid_until: datetime | None = None,
) -> RoleGrant:
    """Give a role on a region and all below; a role held before is given anew with these dates.

    Raises:
        NotFoundError: no such account of staff, or a region outside the actor's subtree.
        ForbiddenError: the actor gives no roles, not this one, or means themselves.
        DomainError: ``not_separate``, ``dates``; ConflictError: ``disabled``.
    """
    region = found(session.get(Region, region_id))
    _may_grant(actor, role, region.path)
    user = _locked_user(session, actor, user_id)
    if not user.active:
        raise ConflictError("disabled", lazy("This account is disabled. Enable it first."))
    if valid_until is not None and valid_until <= max(now, valid_from or now):
        raise DomainError(
            "dates", lazy("The end must lie after the start and after today."), field="valid_until"
        )
    rows = session.scalars(select(RoleGrant).where(RoleGrant.user_id == user_id)).all()
    held = [
        Role(row.role)
        for row in rows
        if row.role in set(Role) and (row.valid_until is None or row.valid_until > now)
    ]
    check_separate([*held, role])
    row = next((r for r in rows if (r.role, r.region_id) == (role.value, region_id)), None)
    if row is None:
        row = RoleGrant(user_id=user_id, role=role.value, region_id=region_id)
        session.add(row)
    row.valid_from, row.valid_until = valid_from, valid_until
    row.granted_by, row.granted_at = actor.user_id, now
    session.flush()
    audit.record(
        session,
        actor,
        "grant.give",
        ("account", user_id),
        path=region.path,
        role=role.value,
        valid_from=valid_from.isoformat() if valid_from else None,
        valid_until=valid_until.isoformat() if valid_until else None,
    )
    return row


def end_grant(session: Session, actor: Actor, grant_id: int, now: datetime) -> bool:
    """End a role at once; ``False`` when it had ended.

    Raises:
        NotFoundError, ForbiddenError: as :func:`grant`.
    """
    row = found(session.get(RoleGrant, grant_id))
    require(actor, Permission.GRANT_MANAGE, row.region.path)
    _locked_user(session, actor, row.user_id)
    session.refresh(row)
    if row.valid_until is not None and row.valid_until <= now:
        return False
    row.valid_until = now
    audit.record(
        session,
        actor,
        "grant.end",
        ("account", row.user_id),
        path=row.region.path,
        role=row.role,
    )
    return True
