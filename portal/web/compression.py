"""Static files leave compressed (zstd, Brotli or gzip, as the browser likes best).

Pages do not: what somebody else can make a page repeat, beside a secret in the same page, can be guessed
from the length of its compressed form over TLS (the BREACH attack, CVE-2013-3587). They are small.
"""

from __future__ import annotations

from typing import Final

from flask import Flask, Response, request
from flask_compress import Compress

STATIC_TYPES: Final = (
    "text/css",
    "text/javascript",
    "application/javascript",
    "application/manifest+json",
    "application/wasm",
    "image/svg+xml",
)


def install(app: Flask) -> None:
    """Compress static files of these types."""
    app.config.update(COMPRESS_MIMETYPES=list(STATIC_TYPES), COMPRESS_REGISTER=False)
    compress = Compress(app)

    @app.after_request
    def smaller(response: Response) -> Response:
        if request.endpoint != "static" or response.mimetype not in STATIC_TYPES:
            return response
        # Read whole, so that the file is closed and the length is known.
        response.direct_passthrough = False
        response.make_sequence()
        answer: Response = compress.after_request(response)
        return answer
