"""How often an address or an account may try something.

Counted in Redis where ``LINLI_REDIS_URL`` names one, so that several web processes count together; in the
process otherwise, and while Redis is away: then N processes allow N times as much.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final, TypeVar, cast

from flask import Flask, Response, request
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from redis.backoff import NoBackoff
from redis.retry import Retry

SIGN_IN_ADDRESS: Final = "60 per minute; 600 per hour"
"""Generous: a whole building may come through one address."""
SIGN_IN_ACCOUNT: Final = "10 per 15 minutes"
CODE_ACCOUNT: Final = "5 per 5 minutes"
PHONE_CODE_ADDRESS: Final = "10 per 10 minutes; 60 per day"
REGISTRATION_ADDRESS: Final = "30 per minute; 300 per hour"
SCAN_ACCOUNT: Final = "60 per minute; 1200 per hour"
"""A guard at a busy gate reads a code every few seconds; nobody reads through a whole community."""
SEARCH_ACCOUNT: Final = "60 per minute; 900 per hour; 4000 per day"
"""Counts suggestions too: a number typed in one go asks two or three times."""

REDIS_SECONDS: Final = 1.0

V = TypeVar("V", bound=Callable[..., Any])

limiter = Limiter(
    key_func=get_remote_address,
    strategy="moving-window",
    headers_enabled=True,
    default_limits=[],
    in_memory_fallback_enabled=True,
)


def not_posted() -> bool:
    """Whether the request at hand does not count (anything but a POST)."""
    return request.method != "POST"


def failed(response: Response) -> bool:
    """Whether the answer says that the attempt failed."""
    return response.status_code == 422


def limited(
    rule: str,
    *,
    exempt_when: Callable[[], bool] = not_posted,
    key: Callable[[], str] = get_remote_address,
    only_failed: bool = False,
    shared: str | None = None,
) -> Callable[[V], V]:
    """Limit a view; by default POSTs, by address.

    Args:
        key: what is counted separately.
        only_failed: count only answers of 422.
        shared: name of a budget that several views draw on; by default each view counts alone.
    """
    limit = limiter.limit if shared is None else partial(limiter.shared_limit, scope=shared)
    decorate = limit(
        rule,
        key_func=key,
        exempt_when=exempt_when,
        deduct_when=failed if only_failed else None,
    )
    return cast(Callable[[V], V], decorate)


def install(app: Flask, redis_url: str = "") -> None:
    """Count for this application."""
    app.config["RATELIMIT_STORAGE_URI"] = redis_url or "memory://"
    if redis_url:
        # Nobody waits for a Redis that is away: the next one to ask counts in the process.
        app.config["RATELIMIT_STORAGE_OPTIONS"] = {
            "socket_connect_timeout": REDIS_SECONDS,
            "socket_timeout": REDIS_SECONDS,
            "retry": Retry(NoBackoff(), 0),
        }
    limiter.init_app(app)
