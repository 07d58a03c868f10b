"""How often an address may ask: look-ups by secret link, sign-in.

Counted in the process; several web processes count apart, which makes a limit at most so many times wider.
"""

from __future__ import annotations

from typing import Final

from flask import Flask
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address

limiter: Final = Limiter(
    get_remote_address, storage_uri="memory://", strategy="fixed-window", headers_enabled=False
)
"""Use as ``@limiter.limit("60/minute")``; too many answer 429."""


def install(app: Flask) -> None:
    """Make the limits count in this application; a second call changes nothing."""
    if "limiter" not in app.extensions:
        limiter.init_app(app)
