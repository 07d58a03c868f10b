"""Each request has an id, bound to every log line and answered in ``X-Request-ID``; one line says how it ended, and it is counted.

Log lines name the route, never the address as typed: addresses may carry link secrets.
"""

from __future__ import annotations

import re
import time
import uuid
from typing import Any, Final

import structlog
from flask import Flask, Response, g, request
from prometheus_client import Counter, Histogram

log = structlog.get_logger("portal.web")
REQUESTS: Final = Counter(
    "linli_http_requests_total", "Requests answered", ["method", "route", "status"]
)
SECONDS: Final = Histogram(
    "linli_http_request_seconds",
    "Time to answer",
    ["route"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
)
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
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
            route = request.url_rule.rule if request.url_rule else "-"
            method = request.method if request.method in _METHODS else "other"
            fields: dict[str, Any] = {
                "method": method,
                "route": route,
                "status": response.status_code,
            }
            REQUESTS.labels(method, route, str(response.status_code)).inc()
            begun = getattr(g, "begun", None)
            if begun is not None:
                seconds = time.perf_counter() - begun
                SECONDS.labels(route).observe(seconds)
                fields["ms"] = round(seconds * 1000, 1)
            log.info("request", **fields)
        return response
