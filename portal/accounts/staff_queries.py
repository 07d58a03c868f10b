"""Accounts and invitations of staff as administrators find them: those of their own subtrees."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session, joinedload, selectinload

from portal.accounts.models import Invitation, RoleGrant, User
from portal.accounts.staff import reaches
from portal.core.permissions import Actor, Permission, found
from portal.regions.directory import within
from portal.regions.models import Region


def visible(session: Session, actor: Actor) -> Select[Any]:
    """The accounts of staff that belong to the actor's subtrees, by user name."""
    paths = actor.paths(Permission.ACCOUNT_LIST)
    here = select(Region.id).where(within(paths))
    return (
        select(User)
        .where(
            User.resident_id.is_(None),
            or_(
                User.region_id.in_(here),
                User.id.in_(select(RoleGrant.user_id).where(RoleGrant.region_id.in_(here))),
            ),
        )
        .options(selectinload(User.role_grants).selectinload(RoleGrant.region))
        .order_by(User.username)
    )


def one(session: Session, actor: Actor, user_id: int) -> User:
    """One of them. Raises NotFoundError, or ForbiddenError for a role that lists no accounts."""
    user = found(
        session.scalars(
            select(User)
            .where(User.id == user_id, User.resident_id.is_(None))
            .options(selectinload(User.role_grants).selectinload(RoleGrant.region))
        ).first()
    )
    reaches(actor, Permission.ACCOUNT_LIST, user, session)
    return user


def open_invitations(session: Session, actor: Actor, now: datetime) -> list[Invitation]:
    """Invitations of the actor's subtrees that can still be used, newest first."""
    rows = session.scalars(
        select(Invitation)
        .join(Region, Region.id == Invitation.region_id)
        .where(
            Invitation.accepted_at.is_(None),
            Invitation.revoked_at.is_(None),
            Invitation.expires_at > now,
            within(actor.paths(Permission.ACCOUNT_LIST)),
        )
        .options(joinedload(Invitation.region))
        .order_by(Invitation.id.desc())
        .limit(100)
    )
    return list(rows)


def regions_of(session: Session, actor: Actor, permission: Permission) -> list[Region]:
    """Regions where the permission holds, for choosing one; at most a thousand, by code."""
    paths = actor.paths(permission)
    return list(
        session.scalars(select(Region).where(within(paths)).order_by(Region.path).limit(1000))
    )
