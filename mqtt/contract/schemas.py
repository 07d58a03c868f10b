"""JSON Schema 2020-12 of every message, one self-contained file each.

Additional properties are allowed on purpose: the contract grows by addition and a reader ignores what
it does not know.
"""

from __future__ import annotations

import json
from typing import Any, Final

import msgspec

from mqtt.contract.messages import COMMANDS, EVENTS, Message, Result

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
KINDS: Final[dict[str, type[Message]]] = {
    **{f"event-{name}": kind for name, kind in EVENTS.items()},
    **{f"command-{name}": kind for name, kind in COMMANDS.items()},
    "result": Result,
}
"""Every JSON message by file stem: ``event-scan``, ``command-unlock``, ``result``."""


def components(ref_template: str) -> dict[str, dict[str, Any]]:
    """All schemas by type name, references written with ``ref_template`` (``{name}`` is filled in)."""
    _, found = msgspec.json.schema_components(list(KINDS.values()), ref_template=ref_template)
    for kind in KINDS.values():
        found[kind.__name__]["title"] = kind.TITLE
    return dict(sorted(found.items()))


def schema(stem: str) -> dict[str, Any]:
    """The self-contained schema of one message; ``stem`` is a key of ``KINDS``."""
    kind = KINDS[stem]
    _, found = msgspec.json.schema_components([kind], ref_template="#/$defs/{name}")
    own = found.pop(kind.__name__)
    own["title"] = kind.TITLE
    document = {"$schema": DIALECT, "$id": f"urn:linli:v1:{stem}", **own}
    if found:
        document["$defs"] = dict(sorted(found.items()))
    return document


def artefacts() -> dict[str, bytes]:
    """File name → bytes of every schema."""
    return {
        f"{stem}.json": (json.dumps(schema(stem), indent=2, ensure_ascii=False) + "\n").encode()
        for stem in KINDS
    }
