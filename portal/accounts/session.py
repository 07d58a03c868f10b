"""Who is acting in this request, and what a page asks of them. For views; operations get the actor."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from flask import current_app, g, has_request_context
from flask_login import current_user

from portal.accounts.models import User
from portal.core.errors import ForbiddenError
from portal.core.i18n import lazy
from portal.core.permissions import ROLE_PERMISSIONS, Actor, Grant, Role

NOBODY = Actor(label="anonymous")
V = TypeVar("V", bound=Callable[..., Any])


def actor_of(user: User) -> Actor:
    """The actor that an account is; ``role_grants`` and their regions must be loaded.

    A role this version does not know grants nothing.
    """
    grants = []
    for row in user.role_grants:
        if row.role in set(Role):
            role = Role(row.role)
            grants.append(
                Grant(path=row.region.path, permissions=ROLE_PERMISSIONS[role], role=role)
            )
    label = f"user:{user.id}" if user.resident_id is None else f"resident:{user.resident_id}"
    return Actor(label=label, user_id=user.id, resident_id=user.resident_id, grants=tuple(grants))


def current_actor() -> Actor:
    """Whoever is signed in, or an actor without any right."""
    if not has_request_context():
        return NOBODY
    known: Actor | None = getattr(g, "actor", None)
    if known is None:
        user = cast(Any, current_user)
        known = actor_of(user) if user.is_authenticated else NOBODY
        g.actor = known
    return known


def _sign_in() -> Any:
    return current_app.login_manager.unauthorized()  # type: ignore[attr-defined]


def signed_in_required(view: V) -> V:
    """Let only signed-in people in; others are led to the sign-in page and back."""

    @wraps(view)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        if current_actor().user_id is None:
            return _sign_in()
        return view(*args, **kwargs)

    return cast(V, guarded)


def staff_required(view: V) -> V:
    """Let only people with a role in; which permission it takes is asked by the view."""

    @wraps(view)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        actor = current_actor()
        if actor.user_id is None:
            return _sign_in()
        if not actor.is_staff:
            raise ForbiddenError("staff_only", lazy("This page is for staff of the community."))
        return view(*args, **kwargs)

    return cast(V, guarded)


def resident_required(view: V) -> V:
    """Let only accounts of residents in."""

    @wraps(view)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        actor = current_actor()
        if actor.user_id is None:
            return _sign_in()
        if actor.resident_id is None:
            raise ForbiddenError("residents_only", lazy("This page is for residents."))
        return view(*args, **kwargs)

    return cast(V, guarded)
