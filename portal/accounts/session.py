"""From a signed-in account to an actor."""

from __future__ import annotations

from typing import Any, cast

from flask_login import current_user

from portal.accounts.models import User
from portal.core.actors import NOBODY
from portal.core.permissions import Actor, Grant, Role, permissions_of


def actor_of(user: User) -> Actor:
    """The actor that an account is; ``role_grants`` and their regions must be loaded.

    A role this version does not know grants nothing.
    """
    grants = []
    for row in user.role_grants:
        if row.role in set(Role):
            role = Role(row.role)
            held = permissions_of(role, row.region.level)
            grants.append(Grant(path=row.region.path, permissions=held, role=role))
    label = f"user:{user.id}" if user.resident_id is None else f"resident:{user.resident_id}"
    return Actor(label=label, user_id=user.id, resident_id=user.resident_id, grants=tuple(grants))


def load_actor() -> Actor:
    """The actor behind this request's session; ``NOBODY`` when nobody is signed in."""
    user = cast(Any, current_user)
    return actor_of(user) if user.is_authenticated else NOBODY
