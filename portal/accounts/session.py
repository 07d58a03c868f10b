"""From a signed-in account to an actor."""

from __future__ import annotations

from datetime import datetime
from typing import Any, cast

from flask_login import current_user

from portal.accounts.models import User
from portal.accounts.roles import in_force
from portal.core.actors import NOBODY
from portal.core.clock import utc_now
from portal.core.permissions import ADMINISTRATORS, Actor, Grant, Role, permissions_of
from portal.services import current_services


def actor_of(user: User, now: datetime | None = None) -> Actor:
    """The actor that an account is; ``role_grants`` and their regions must be loaded.

    A role this version does not know grants nothing, nor does one outside its dates. Should an account hold
    an administrator's role beside another role, whichever way that came about, all of them grant nothing.
    """
    now = now or utc_now()
    held = [
        (Role(row.role), row.region)
        for row in user.role_grants
        if row.role in set(Role) and in_force(row, now)
    ]
    roles = {role for role, _ in held}
    if roles & ADMINISTRATORS and len(roles) > 1:
        held = []
    grants = [
        Grant(path=region.path, permissions=permissions_of(role, region.level), role=role)
        for role, region in held
    ]
    label = f"user:{user.id}" if user.resident_id is None else f"resident:{user.resident_id}"
    return Actor(label=label, user_id=user.id, resident_id=user.resident_id, grants=tuple(grants))


def load_actor() -> Actor:
    """The actor behind this request's session; ``NOBODY`` when nobody is signed in."""
    user = cast(Any, current_user)
    return actor_of(user, current_services().clock()) if user.is_authenticated else NOBODY
