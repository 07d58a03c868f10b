"""Files between the look and the "apply": kept for a day, found by a random token, applied once."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import delete, update
from sqlalchemy.orm import Session

from portal.core.errors import ConflictError
from portal.core.i18n import lazy
from portal.core.permissions import Actor, not_found
from portal.regions.models import RegionUpload

LIFE: Final = timedelta(days=1)


class UploadKind(StrEnum):
    """What a file holds."""

    REGIONS = "regions"
    DWELLINGS = "dwellings"


def keep(
    session: Session,
    actor: Actor,
    kind: UploadKind,
    content: bytes,
    now: datetime,
    community_id: int | None = None,
) -> RegionUpload:
    """Keep a file; those older than a day go."""
    session.execute(delete(RegionUpload).where(RegionUpload.created_at < now - LIFE))
    row = RegionUpload(
        token=secrets.token_urlsafe(32),
        kind=kind,
        community_id=community_id,
        user_id=actor.user_id or 0,
        content=content,
        created_at=now,
    )
    session.add(row)
    session.flush()
    return row


def load(session: Session, actor: Actor, token: str, now: datetime) -> RegionUpload:
    """A file that this person uploaded.

    Raises:
        NotFoundError: it is somebody else's, a day old, or was never there.
    """
    row = session.get(RegionUpload, token)
    if row is None or row.user_id != actor.user_id or row.created_at < now - LIFE:
        raise not_found()
    return row


def settle(session: Session, row: RegionUpload, result: dict[str, Any], now: datetime) -> None:
    """Mark a file as applied; of two at once one wins.

    Raises:
        ConflictError: it was applied before.
    """
    won = session.execute(
        update(RegionUpload)
        .where(RegionUpload.token == row.token, RegionUpload.applied_at.is_(None))
        .values(applied_at=now, result=result)
        .returning(RegionUpload.token)
        .execution_options(synchronize_session=False)
    ).all()
    if not won:
        raise ConflictError("applied", lazy("This file has been applied already."))
