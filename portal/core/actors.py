"""Who is acting in this request, and what a page asks of them. For views; operations get the actor.

How an account becomes an actor is given by the accounts feature through :func:`install_actor_loader`,
so that every feature's pages may ask without knowing accounts.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Final, TypeVar, cast

from flask import Flask, current_app, g, has_request_context

from portal.core.errors import ForbiddenError
from portal.core.i18n import lazy
from portal.core.permissions import Actor

NOBODY: Final = Actor(label="anonymous")
_EXTENSION: Final = "linli.actor"
V = TypeVar("V", bound=Callable[..., Any])


def install_actor_loader(app: Flask, loader: Callable[[], Actor]) -> None:
    """Tell pages how to find out who is signed in; the loader answers ``NOBODY`` for a stranger."""
    app.extensions[_EXTENSION] = loader


def current_actor() -> Actor:
    """Whoever is signed in, or an actor without any right."""
    if not has_request_context():
        return NOBODY
    known: Actor | None = getattr(g, "actor", None)
    if known is None:
        known = cast(Actor, current_app.extensions[_EXTENSION]())
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
