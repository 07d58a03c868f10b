"""What a page may load (Content-Security-Policy): nothing inline, nothing from elsewhere, no framing."""

from __future__ import annotations

from typing import Final

HEADER: Final = "Content-Security-Policy"


def content_policy(*, webassembly: bool = False) -> str:
    """The value of the header.

    Args:
        webassembly: let the page compile WebAssembly of our own origin; scripts as text stay forbidden.
    """
    scripts = "'self' 'wasm-unsafe-eval'" if webassembly else "'self'"
    return "; ".join(
        (
            "default-src 'self'",
            f"script-src {scripts}",
            "style-src 'self'",
            "img-src 'self' data: blob:",
            "connect-src 'self'",
            "font-src 'self'",
            "object-src 'none'",
            "base-uri 'none'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        )
    )
