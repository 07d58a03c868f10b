"""Error pages: a translated sentence, the next step and the request id. The log gets the cause."""

from __future__ import annotations

from typing import Any, Final

import structlog
from flask import Flask, Response, make_response, render_template
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException

from portal.core.errors import DomainError
from portal.core.i18n import lazy
from portal.core.problems import (
    from_domain_error,
    from_http_exception,
    problem,
    wants_problem,
)
from portal.web.requests import request_id

log = structlog.get_logger("portal.web")

PAGES: Final[dict[int, tuple[Any, Any]]] = {
    400: (
        lazy("That did not work"),
        lazy("The page was open for too long or was incomplete. Go back, reload it and try again."),
    ),
    403: (
        lazy("Not allowed"),
        lazy("Your role does not allow this. Ask your administrator."),
    ),
    404: (
        lazy("Not found"),
        lazy("This does not exist, or you may not see it."),
    ),
    405: (
        lazy("That did not work"),
        lazy("This page cannot be opened like that. Start from the start page."),
    ),
    409: (
        lazy("Somebody was faster"),
        lazy("This has changed in the meantime. Reload the page to see how it stands now."),
    ),
    413: (
        lazy("Too large"),
        lazy("What you sent is too large. Send a smaller file."),
    ),
    422: (
        lazy("Please check what you entered"),
        lazy("Something in the form is not right. Go back and correct it."),
    ),
    429: (
        lazy("Too many attempts"),
        lazy("That was too often. Wait a minute and try again."),
    ),
    500: (
        lazy("Something went wrong on our side"),
        lazy("It has been logged. Try again; if it stays, tell your community the request number."),
    ),
    503: (
        lazy("Not possible here at the moment"),
        lazy("This part of the portal is not available right now. Try again later."),
    ),
}


def page(status: int, *, title: Any = None, message: Any = None) -> Response:
    """An error page in the frame of the portal."""
    known = PAGES.get(status) or PAGES[500 if status >= 500 else 400]
    html = render_template(
        "errors/error.html",
        status=status,
        title=title or known[0],
        message=message or known[1],
        request_id=request_id(),
    )
    return make_response(html, status)


def install(app: Flask) -> None:
    """Answer refusals and failures: pages with a page, the API with problem details."""

    @app.errorhandler(DomainError)
    def refused(error: DomainError) -> Any:
        log.info("refused", code=error.code, status=error.status)
        if wants_problem():
            return from_domain_error(error)
        return page(error.status, message=error.message)

    @app.errorhandler(CSRFError)
    def forged(error: CSRFError) -> Any:
        log.warning("csrf", reason=str(error.description))
        return page(400)

    @app.errorhandler(HTTPException)
    def http(error: HTTPException) -> Any:
        status = error.code or 500
        if status < 400:
            return error
        if wants_problem():
            return from_http_exception(error)
        answer = page(status)
        for name, value in error.get_headers():
            if name.lower() in {"retry-after", "allow"}:
                answer.headers[name] = value
        return answer

    @app.errorhandler(Exception)
    def failed(error: Exception) -> Any:
        log.error("request failed", exc_info=error)
        if app.config.get("PROPAGATE_EXCEPTIONS"):
            raise error
        return problem(500, "internal_error") if wants_problem() else page(500)
