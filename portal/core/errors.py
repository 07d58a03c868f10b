"""What an operation may refuse with. A person sees the translated sentence, a machine the code."""

from __future__ import annotations

from typing import Any


class DomainError(Exception):
    """A rule said no.

    Attributes:
        code: machine reason, ``snake_case``; stable.
        message: translated (lazy) sentence with the next step.
        field: the form field it belongs to, or ``None`` for the whole.
        status: HTTP status that fits.
    """

    status = 422

    def __init__(self, code: str, message: Any, *, field: str | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.message = message
        self.field = field


class NotFoundError(DomainError):
    """It is not there, or it is not yours to know about: both look the same (404)."""

    status = 404


class ForbiddenError(DomainError):
    """You may see it, but not do this (403)."""

    status = 403


class ConflictError(DomainError):
    """Somebody was faster, or the state does not allow it any more (409)."""

    status = 409


class TooManyError(DomainError):
    """Too often; try later (429)."""

    status = 429


class UnavailableError(DomainError):
    """This installation cannot do it at the moment; another way is named (503)."""

    status = 503
