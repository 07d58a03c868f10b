"""Headers of every answer: what the browser may load, keep and tell others.

No inline script or style anywhere, nothing from elsewhere, no framing.
"""

from __future__ import annotations

from typing import Final

from flask import Flask, Response, request

from portal.core.content_policy import HEADER, content_policy

YEAR: Final = 31_536_000


def install(app: Flask, *, https: bool) -> None:
    """Set the headers on every answer; HSTS only where people come by HTTPS."""
    policy = content_policy()

    @app.after_request
    def set_headers(response: Response) -> Response:
        headers = response.headers
        headers.setdefault(HEADER, policy)
        headers.setdefault("X-Content-Type-Options", "nosniff")
        headers.setdefault("X-Frame-Options", "DENY")
        headers.setdefault("Referrer-Policy", "same-origin")
        headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
        headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        headers.setdefault(
            "Permissions-Policy", "camera=(self), geolocation=(), microphone=(), payment=()"
        )
        if https:
            headers.setdefault("Strict-Transport-Security", f"max-age={YEAR}")
        if request.endpoint == "static":
            if "v" in request.args:
                headers["Cache-Control"] = f"public, max-age={YEAR}, immutable"
        else:
            headers.setdefault("Cache-Control", "no-store")
        return response
