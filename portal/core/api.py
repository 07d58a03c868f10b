"""What every API operation shares: bearer tokens, permissions, problem details, page size.

A machine sends ``Authorization: Bearer …``. Each operation is declared with :func:`allowed`, which says
its permission once: it guards the call and writes it into the OpenAPI document. How a token becomes an
actor is given by the accounts feature through :func:`install_authenticator`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Final, ParamSpec, TypeVar

import marshmallow as ma
from flask import Flask, current_app, g, request
from flask_smorest import Api, Blueprint

from portal.core.errors import DomainError
from portal.core.i18n import lazy
from portal.core.permissions import Actor, Permission
from portal.core.problems import MEDIA_TYPE, from_http_exception

Authenticator = Callable[[str], Actor | None]
P = ParamSpec("P")
R = TypeVar("R")

_EXTENSION: Final = "linli.authenticator"
PUBLIC: Final = "public"
MAX_PAGE: Final = 500


class UnauthorisedError(DomainError):
    """No token, or not a valid one (401)."""

    status = 401


class ProblemSchema(ma.Schema):
    """Problem details, RFC 9457."""

    type = ma.fields.String()
    title = ma.fields.String()
    status = ma.fields.Integer()
    code = ma.fields.String(metadata={"description": "Stable machine reason"})
    detail = ma.fields.String(metadata={"description": "Translated sentence"})
    errors = ma.fields.Dict()


class LinliApi(Api):  # type: ignore[misc]  # flask_smorest ships no types
    """flask-smorest's API whose errors are problem details; pages keep the application's handlers."""

    ERROR_SCHEMA = ProblemSchema

    def _register_error_handlers(self) -> None:
        """The application's own handlers answer, see :mod:`portal.core.problems`."""

    def _register_responses(self) -> None:
        """Errors are described with the media type they have."""
        self.DEFAULT_RESPONSE_CONTENT_TYPE = MEDIA_TYPE
        try:
            super()._register_responses()
        finally:
            del self.DEFAULT_RESPONSE_CONTENT_TYPE

    handle_http_exception = staticmethod(from_http_exception)


def install_authenticator(app: Flask, authenticator: Authenticator) -> None:
    """Tell the API how a token becomes an actor."""
    app.extensions[_EXTENSION] = authenticator


def machine() -> Actor:
    """The actor of this API request. Raises :class:`UnauthorisedError` outside :func:`allowed`."""
    actor: Actor | None = g.get("machine")
    if actor is None:
        raise _unauthorised()
    return actor


def _unauthorised() -> UnauthorisedError:
    return UnauthorisedError(
        "unauthorised", lazy("This needs a valid token: Authorization: Bearer …")
    )


def _authenticate() -> Actor:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    authenticator: Authenticator | None = current_app.extensions.get(_EXTENSION)
    if scheme.lower() != "bearer" or not token or authenticator is None:
        raise _unauthorised()
    actor = authenticator(token.strip())
    if actor is None:
        raise _unauthorised()
    return actor


def allowed(
    blueprint: Blueprint, permission: Permission | None
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Declare who may call an operation.

    Args:
        blueprint: the flask-smorest blueprint, for the document.
        permission: what the token must hold somewhere; the operation still checks where. ``None``
            makes the operation public.
    """

    def decorate(view: Callable[P, R]) -> Callable[P, R]:
        @wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
            if permission is not None:
                g.machine = _authenticate()
            return view(*args, **kwargs)

        rule = PUBLIC if permission is None else permission.value
        documented: Any = guarded
        if permission is None:
            documented = blueprint.doc(security=[])(guarded)
        else:
            documented = blueprint.doc(
                security=[{"bearer": []}], **{"x-permission": permission.value}
            )(guarded)
        documented.linli_rule = rule
        result: Callable[P, R] = documented
        return result

    return decorate


def init_api(app: Flask) -> LinliApi:
    """Mount the API under ``/api/v1``; blueprints are registered by the application."""
    app.config.update(
        API_TITLE="Linli",
        API_VERSION="v1",
        OPENAPI_VERSION="3.1.0",
        OPENAPI_URL_PREFIX="/api/v1",
        OPENAPI_JSON_PATH="openapi.json",
        API_SPEC_OPTIONS={
            "info": {
                "description": "What machines may ask of a residential community: devices, "
                "telemetry, passages, invitations, vehicles, parcels, notices, alarms, keys.",
                "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
            },
            "security": [{"bearer": []}],
        },
    )
    api = LinliApi(app)
    api.spec.components.security_scheme("bearer", {"type": "http", "scheme": "bearer"})
    return api
