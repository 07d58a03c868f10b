"""Templates compiled once a test run: each test has an application of its own, all from the same templates."""

from __future__ import annotations

from flask import Flask
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket


class _Kept(BytecodeCache):
    """In memory; a bucket's key and checksum name template and source."""

    def __init__(self) -> None:
        self._code: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if bucket.key in self._code:
            bucket.bytecode_from_string(self._code[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._code[bucket.key] = bucket.bytecode_to_string()


_KEPT = _Kept()


def keep_templates(app: Flask) -> Flask:
    """Let an application use what an earlier one compiled."""
    app.jinja_env.bytecode_cache = _KEPT
    return app
