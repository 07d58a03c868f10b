"""The sources of work that the features of this installation offer."""

from __future__ import annotations

from collections.abc import Iterator

from portal.core.permissions import Actor, not_found
from portal.core.work import Consequence, WorkSource
from portal.features import FEATURES, parts


def sources() -> tuple[WorkSource, ...]:
    """All of them, in the order of the features."""
    return tuple(source for module in parts("work") for source in module.SOURCES)


def of_actor(actor: Actor) -> tuple[WorkSource, ...]:
    """Those whose items the actor lists somewhere."""
    return tuple(source for source in sources() if actor.paths(source.permission))


def source_of(kind: str) -> WorkSource:
    """The source of a kind.

    Raises:
        NotFoundError: no feature of this installation has such items.
    """
    for source in sources():
        if source.kind == kind:
            return source
    raise not_found()


def consequences(kind: str) -> Iterator[Consequence]:
    """What has to be taken back with a decision of this kind; features that build on others come first."""
    modules = {module.__name__: module for module in parts("work")}
    for feature in reversed(FEATURES):
        module = modules.get(f"portal.{feature}.work")
        found = getattr(module, "CONSEQUENCES", {}).get(kind)
        if found is not None:
            yield found
