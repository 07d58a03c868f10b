"""Ask every feature for what was typed, and write down that somebody looked for a person.

The audit names the kinds of identifier and how many were found, never what was typed. A search that no
identifier could be in (a dwelling, a device) is nobody's business and leaves no entry.
"""

from __future__ import annotations

import os.path
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from portal.core import audit
from portal.core.permissions import Actor
from portal.core.search import Hit, Query
from portal.features import parts


@dataclass(frozen=True, slots=True)
class Group:
    """Hits of one kind, exact ones first."""

    kind: Any
    hits: Sequence[Hit]


def find(session: Session, actor: Actor, query: Query) -> list[Group]:
    """Everything that fits and that the actor may list: groups with exact hits first.

    Writes an audit entry ``search.find`` when the text may identify a person; the session must be one
    that is committed.
    """
    hits = [hit for part in parts("search") for hit in part.find(session, actor, query)]
    if query.keys:
        audit.record(
            session,
            actor,
            "search.find",
            ("search", "person"),
            path=_common(actor),
            keys=[key.value for key in query.keys],
            hits=len(hits),
        )
    return grouped(hits)


def grouped(hits: Sequence[Hit]) -> list[Group]:
    """Hits by kind. Kinds with an exact hit come first, else in the order of the features."""
    kinds: dict[str, list[Hit]] = {}
    for hit in hits:
        kinds.setdefault(str(hit.kind), []).append(hit)
    groups = [
        Group(some[0].kind, sorted(some, key=lambda hit: not hit.exact)) for some in kinds.values()
    ]
    return sorted(groups, key=lambda group: not group.hits[0].exact)


def _common(actor: Actor) -> str:
    """The region that holds all that the actor can have looked through."""
    paths = [grant.path for grant in actor.grants]
    return os.path.commonpath(paths).rstrip("/") + "/" if paths else ""
