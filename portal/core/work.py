"""What waits for staff, as the features say it: sources of work items for the workbench (C1).

A feature offers ``SOURCES``, a tuple of :class:`WorkSource`, in its module ``work``. The workbench
lists what all sources have for an actor, lets the actor claim an item, decide it and take the decision
back for a while; the rules of each stay in the feature's operations, which a source only calls.

::

    waiting ──claim──► claimed ──decide──► decided ──undo, within UNDO_WINDOW──► waiting
       ▲                  │ release, or CLAIM_LIFE passes
       └──────────────────┘
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final, Protocol

from sqlalchemy.orm import Session

from portal.core.permissions import Actor, Permission

UNDO_WINDOW: Final = timedelta(minutes=10)
"""How long a decision can be taken back, where nothing has come of it yet."""
CLAIM_LIFE: Final = timedelta(minutes=15)
"""How long an item stays with whoever claimed it."""


class Note(StrEnum):
    """Whether a choice takes a sentence from whoever decides."""

    NONE = "none"
    OPTIONAL = "optional"
    REQUIRED = "required"


@dataclass(frozen=True, slots=True)
class Choice:
    """One way to decide an item. ``tone`` is the kind of its button: ``main``, ``danger`` or empty."""

    value: str
    label: Any
    tone: str = ""
    note: Note = Note.NONE
    undoable: bool = True


@dataclass(frozen=True, slots=True)
class WorkItem:
    """One thing that waits. Title and about are masked: names in part, no numbers.

    Args:
        id: the object's id, unique within the source.
        region_id: the community that it belongs to.
        at: since when it waits (aware UTC).
        href: its own page, for everything that the pane does not show.
        urgent: a person may be in need; such items stand above all others.
    """

    kind: str
    id: int
    region_id: int
    title: Any
    about: Any
    at: datetime
    href: str
    urgent: bool = False


@dataclass(frozen=True, slots=True)
class WorkDetail:
    """What the pane beside the list shows: facts as (label, value), and what can be done.

    ``choices`` is empty where the actor may look but not decide.
    """

    item: WorkItem
    facts: Sequence[tuple[Any, Any]]
    choices: Sequence[Choice] = ()
    sentence: Any = None


class WorkSource(Protocol):
    """A kind of work. ``kind`` is ``feature.what``, stable, at most 32 characters, and part of addresses.

    A source that has ``together = False`` offers nothing that may be decided for several items at once.
    """

    kind: str
    label: Any
    icon: str
    permission: Permission
    """Who lists it; also how the workbench knows whether to ask."""

    def waiting(self, session: Session, actor: Actor, now: datetime, limit: int) -> list[WorkItem]:
        """What waits in the actor's regions, longest first."""

    def count(self, session: Session, actor: Actor, now: datetime) -> int:
        """How many wait there."""

    def detail(self, session: Session, actor: Actor, item_id: int, now: datetime) -> WorkDetail:
        """One item, waiting or decided.

        Raises:
            NotFoundError, ForbiddenError: see :func:`portal.core.permissions.require`.
        """

    def decide(
        self, session: Session, actor: Actor, item_id: int, choice: str, note: str, now: datetime
    ) -> None:
        """Carry a choice out by the feature's own operation.

        Raises:
            DomainError: the note is missing, the choice unknown; ConflictError: decided meanwhile.
        """

    def undo(self, session: Session, actor: Actor, item_id: int, now: datetime) -> None:
        """Take the decision back: the item waits again.

        Raises:
            ConflictError: too late, or something has come of it (a pass was used).
        """


class Consequence(Protocol):
    """What else must be taken back with a decision, said by a feature above the source.

    A feature offers ``CONSEQUENCES``, a mapping of kind to such a function, in its module ``work``; the
    workbench calls them all, in the order of the features from the top, before the source's own ``undo``.
    """

    def __call__(
        self, session: Session, actor: Actor, item_id: int, since: datetime, now: datetime
    ) -> None:
        """Take back what has come of a decision made at ``since``.

        Raises:
            ConflictError: too much has come of it.
        """
