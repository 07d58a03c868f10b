"""What becomes of passes when a decision is taken back: see :class:`portal.core.work.Consequence`."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from sqlalchemy.orm import Session

from portal.core.permissions import Actor
from portal.core.work import Consequence
from portal.passes.operations import revoke_of_resident


def withdraw(session: Session, actor: Actor, item_id: int, since: datetime, now: datetime) -> None:
    """A resident who waits again has no pass, nor have the visitors whom they have invited."""
    revoke_of_resident(session, item_id, now, "undone")


SOURCES: Final = ()
CONSEQUENCES: Final[dict[str, Consequence]] = {"residents.registration": withdraw}
