"""A decision about a registration is taken back: it waits again (the arrow back in the models' drawing).

What has come of it – passes issued, gates gone through – is taken back by the features that know of it,
see :class:`portal.core.work.Consequence`.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CursorResult, update
from sqlalchemy.orm import Session

from portal.core import audit
from portal.core.errors import ConflictError
from portal.core.i18n import lazy
from portal.core.permissions import Actor, Permission
from portal.core.work import UNDO_WINDOW
from portal.residents.models import Resident, ResidentState
from portal.residents.queries import load_resident


def reopen(session: Session, actor: Actor, resident_id: int, now: datetime) -> Resident:
    """Let a registration that the actor has decided wait again.

    Raises:
        NotFoundError, ForbiddenError: see :func:`portal.residents.queries.load_resident`.
        ConflictError: ``undo_late``; ``changed`` when somebody else has decided or it was sent anew.
    """
    resident = load_resident(session, actor, Permission.RESIDENT_DECIDE, resident_id)
    decided_at = resident.decided_at
    if decided_at is None or now - decided_at > UNDO_WINDOW:
        raise ConflictError("undo_late", lazy("It is too late to take this back."))
    changed = session.execute(
        update(Resident)
        .where(
            Resident.id == resident_id,
            Resident.state.in_([ResidentState.APPROVED.value, ResidentState.REFUSED.value]),
            Resident.decided_at == decided_at,
            Resident.decided_by == actor.user_id,
        )
        .values(
            state=ResidentState.PENDING.value, decided_at=None, decided_by=None, decision_note=""
        )
        .execution_options(synchronize_session=False)
    )
    assert isinstance(changed, CursorResult)  # noqa: S101 - narrows the type for mypy
    if changed.rowcount != 1:
        raise ConflictError(
            "changed", lazy("This registration has changed since. Nothing is to be taken back.")
        )
    session.refresh(resident)
    audit.record(
        session,
        actor,
        "resident.reopen",
        ("resident", resident_id),
        path=resident.community.path,
    )
    return resident
