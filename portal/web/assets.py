"""Addresses of static files, with a part that changes when the file does, so that browsers may keep them."""

from __future__ import annotations

import hashlib
from pathlib import Path

from flask import Flask, url_for


def install(app: Flask) -> None:
    """Offer ``asset("css/base.css")`` to templates."""
    folder = Path(app.static_folder or "")
    known: dict[str, str] = {}

    def asset(name: str) -> str:
        if name not in known:
            known[name] = hashlib.sha256((folder / name).read_bytes()).hexdigest()[:12]
        return url_for("static", filename=name, v=known[name])

    app.jinja_env.globals["asset"] = asset
