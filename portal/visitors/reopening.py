"""A decision about an invitation is taken back: it waits again, and its pass opens nothing any more."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CursorResult, update
from sqlalchemy.orm import Session

from portal.core import audit
from portal.core.errors import ConflictError
from portal.core.i18n import lazy
from portal.core.permissions import Actor, Permission, found, require
from portal.core.work import UNDO_WINDOW
from portal.passes.models import Pass
from portal.passes.operations import revoke
from portal.visitors.models import Invitation, InvitationState


def reopen(session: Session, actor: Actor, invitation_id: int, now: datetime) -> Invitation:
    """Let an invitation that the actor has decided wait again; an issued pass is withdrawn.

    Raises:
        NotFoundError, ForbiddenError: see :func:`portal.core.permissions.require`.
        ConflictError: ``undo_late``; ``used``, the visitor has come in; ``changed`` since.
    """
    invitation = found(session.get(Invitation, invitation_id))
    require(actor, Permission.INVITATION_DECIDE, invitation.community.path)
    decided_at, pass_id = invitation.decided_at, invitation.pass_id
    if decided_at is None or now - decided_at > UNDO_WINDOW:
        raise ConflictError("undo_late", lazy("It is too late to take this back."))
    if pass_id is not None:
        # locked: a scan in this moment is counted before or after, never in between
        issued = session.get(Pass, pass_id, with_for_update=True, populate_existing=True)
        if issued is not None and issued.uses > 0:
            raise ConflictError(
                "used", lazy("The visitor has come in already. This cannot be taken back.")
            )
    changed = session.execute(
        update(Invitation)
        .where(
            Invitation.id == invitation_id,
            Invitation.state.in_([InvitationState.APPROVED.value, InvitationState.REFUSED.value]),
            Invitation.decided_at == decided_at,
            Invitation.decided_by == actor.user_id,
        )
        .values(
            state=InvitationState.PENDING.value,
            decided_at=None,
            decided_by=None,
            decision_note="",
            pass_id=None,
        )
        .execution_options(synchronize_session=False)
    )
    assert isinstance(changed, CursorResult)  # noqa: S101 - narrows the type for mypy
    if changed.rowcount != 1:
        raise ConflictError(
            "changed", lazy("This invitation has changed since. Nothing is to be taken back.")
        )
    if pass_id is not None:
        revoke(session, pass_id, now, "undone")
    session.refresh(invitation)
    audit.record(
        session,
        actor,
        "invitation.reopen",
        ("invitation", invitation.id),
        path=invitation.community.path,
    )
    return invitation
