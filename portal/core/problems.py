"""Errors of the API as problem details (RFC 9457), with a stable ``code`` beside the translated text."""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

from flask import Response, request
from werkzeug.exceptions import HTTPException

from portal.core.errors import DomainError

API_ROOT: Final = "/api/"
MEDIA_TYPE: Final = "application/problem+json"


def wants_problem() -> bool:
    """Whether the request at hand is one of the API's."""
    return request.path.startswith(API_ROOT)


def problem(
    status: int,
    code: str,
    detail: str = "",
    *,
    errors: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """A problem details response.

    Args:
        status: HTTP status.
        code: machine reason, ``snake_case``.
        detail: translated sentence for a person.
        errors: field name → list of sentences, for a body or query that does not fit.
    """
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "code": code,
    }
    if detail:
        body["detail"] = detail
    if errors:
        body["errors"] = errors
    text = json.dumps(body, ensure_ascii=False)
    return Response(text, status=status, headers=headers, content_type=MEDIA_TYPE)


def from_domain_error(error: DomainError) -> Response:
    """A refused rule as a problem."""
    errors = {error.field: [str(error.message)]} if error.field else None
    return problem(error.status, error.code, str(error.message), errors=errors)


def from_http_exception(error: HTTPException) -> Response:
    """Werkzeug's and webargs' errors as problems."""
    if error.response is not None and error.code is None:
        return error.response  # type: ignore[return-value]  # a redirect raised as an exception
    status = error.code or 500
    data = getattr(error, "data", None) or {}
    errors = data.get("messages") or data.get("errors")
    headers = dict(data.get("headers") or {})
    if (retry := getattr(error, "retry_after", None)) is not None:
        headers["Retry-After"] = str(retry)
    if valid := getattr(error, "valid_methods", None):
        headers["Allow"] = ", ".join(valid)
    code = "invalid_request" if errors else HTTPStatus(status).phrase.lower().replace(" ", "_")
    return problem(status, code, error.description or "", errors=errors, headers=headers)
