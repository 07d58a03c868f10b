"""Each request has an id, bound to every log line and answered in ``X-Request-ID``; one line says how it ended.

Log lines name the route, never the address as typed: addresses may carry link secrets.
"""

from __future__ import annotations

import re
import time
import uuid
from typing import Any, Final

import structlog
from flask import Flask, Response, g, request

log = structlog.get_logger("portal.web")
_GIVEN: Final = re.compile(r"[A-Za-z0-9-]{8,64}")


def request_id() -> str:
    """Id of the request at hand."""
    known: str | None = getattr(g, "request_id", None)
    if known is None:
        given = request.headers.get("X-Request-ID", "")
        known = given if _GIVEN.fullmatch(given) else uuid.uuid4().hex
        g.request_id = known
    return known


def install(app: Flask) -> None:
    """Bind the id, and log the end of each request."""

    @app.before_request
    def begin() -> None:
        g.begun = time.perf_counter()
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request_id())

    @app.after_request
    def end(response: Response) -> Response:
        response.headers["X-Request-ID"] = request_id()
        if request.endpoint != "static":
            fields: dict[str, Any] = {
                "method": request.method,
                "route": request.url_rule.rule if request.url_rule else "-",
                "status": response.status_code,
            }
            begun = getattr(g, "begun", None)
            if begun is not None:
                fields["ms"] = round((time.perf_counter() - begun) * 1000, 1)
            log.info("request", **fields)
        return response
