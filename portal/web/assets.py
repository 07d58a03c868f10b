"""Addresses of static files, with a part that changes when the file does, so that browsers may keep them,
and with the sum of the file (SRI), so that browsers refuse one that was changed on the way.

The portal's own sheets and scripts are built from ``portal/web/front`` into ``static/built`` by
``make assets``; ``static/vendor`` holds those of npm packages.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from pathlib import Path

from flask import Flask, url_for
from markupsafe import Markup


@dataclass(frozen=True, slots=True)
class Asset:
    """A file as pages name it: where it lies under ``static``, its version and its integrity."""

    name: str
    version: str
    integrity: str


def find(folder: Path, name: str) -> Asset:
    """The built file of that name (``css/app.css``), else the one that is not built (``img/…``, ``vendor/…``).

    Raises:
        FileNotFoundError: there is neither; a page that names such a file is wrong.
    """
    own = f"built/{name}"
    shown = own if (folder / own).is_file() else name
    content = (folder / shown).read_bytes()
    return Asset(
        name=shown,
        version=hashlib.sha256(content).hexdigest()[:12],
        integrity="sha384-" + base64.b64encode(hashlib.sha384(content).digest()).decode(),
    )


def install(app: Flask) -> None:
    """Offer ``asset("img/linli.svg")``, ``stylesheet("css/app.css")`` and ``script("js/linli.js")`` to templates."""
    folder = Path(app.static_folder or "")
    known: dict[str, tuple[int, Asset]] = {}

    def look_up(name: str) -> Asset:
        # A file that is built anew, or replaced by an upgrade, must not be named with its old sum:
        # browsers would refuse it.
        held = known.get(name)
        if held is None or (folder / held[1].name).stat().st_mtime_ns != held[0]:
            found = find(folder, name)
            held = known[name] = ((folder / found.name).stat().st_mtime_ns, found)
        return held[1]

    def asset(name: str) -> str:
        found = look_up(name)
        return url_for("static", filename=found.name, v=found.version)

    def stylesheet(name: str) -> Markup:
        tag = Markup('<link rel="stylesheet" href="{}" integrity="{}">')
        return tag.format(asset(name), look_up(name).integrity)

    def script(name: str) -> Markup:
        tag = Markup('<script src="{}" integrity="{}" defer></script>')
        return tag.format(asset(name), look_up(name).integrity)

    app.jinja_env.globals.update(asset=asset, stylesheet=stylesheet, script=script)
