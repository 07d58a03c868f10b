"""Invitations to decide, in the workbench: see :mod:`portal.core.work`."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from flask import url_for
from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session, joinedload

from portal.core import formats
from portal.core.errors import DomainError
from portal.core.i18n import lazy
from portal.core.identifiers.masking import mask_name, mask_phone
from portal.core.permissions import Actor, Permission, found, require
from portal.core.work import Choice, Note, WorkDetail, WorkItem
from portal.regions.directory import within
from portal.regions.models import Dwelling, Region, Unit
from portal.visitors import operations
from portal.visitors.models import Invitation, InvitationState
from portal.visitors.operations import PURPOSE_NAMES, Purpose
from portal.visitors.queries import Shown, shown_state
from portal.visitors.reopening import reopen

_CHOICES: Final = (
    Choice("approve", lazy("Approve"), "main", Note.OPTIONAL),
    Choice("refuse", lazy("Refuse"), "danger", Note.REQUIRED),
)
_SAYS: Final[dict[Shown, Any]] = {
    Shown.APPROVED: lazy("This invitation is approved."),
    Shown.USED: lazy("The visitor has come in."),
    Shown.EXPIRED: lazy("The time of this invitation is over."),
    Shown.REFUSED: lazy("This invitation is refused."),
    Shown.CANCELLED: lazy("The resident has taken this invitation back."),
}


class InvitationSource:
    """Invitations that wait for a decision and are not over yet."""

    kind = "visitors.invitation"
    label = lazy("Invitations")
    icon = "visitor"
    permission = Permission.INVITATION_DECIDE

    def waiting(self, session: Session, actor: Actor, now: datetime, limit: int) -> list[WorkItem]:
        """Longest first."""
        home = joinedload(Invitation.dwelling).joinedload(Dwelling.unit).joinedload(Unit.building)
        statement = self._waiting(actor, now, Invitation).options(home)
        rows = session.scalars(
            statement.order_by(Invitation.created_at, Invitation.id).limit(limit)
        )
        return [self._item(row) for row in rows]

    def count(self, session: Session, actor: Actor, now: datetime) -> int:
        """How many."""
        return session.scalar(self._waiting(actor, now, func.count(Invitation.id))) or 0

    def detail(self, session: Session, actor: Actor, item_id: int, now: datetime) -> WorkDetail:
        """One invitation; the visitor's name and number are masked."""
        row = self._load(session, actor, item_id)
        facts = [
            (lazy("Visitor"), mask_name(row.visitor_name)),
            (lazy("Mobile number"), mask_phone(row.visitor_phone)),
            (lazy("Purpose"), PURPOSE_NAMES[Purpose(row.purpose)]),
            (lazy("Visits"), row.dwelling.label),
            (lazy("When"), formats.period(row.valid_from, row.valid_until)),
            (lazy("Sent"), formats.moment(row.created_at)),
        ]
        if row.decision_note:
            facts.append((lazy("Note"), row.decision_note))
        shown = shown_state(row, now)
        waits = shown is Shown.PENDING
        return WorkDetail(self._item(row), facts, _CHOICES if waits else (), _SAYS.get(shown))

    def decide(
        self, session: Session, actor: Actor, item_id: int, choice: str, note: str, now: datetime
    ) -> None:
        """Approve, which issues the pass, or refuse."""
        self._load(session, actor, item_id)
        match choice:
            case "approve":
                operations.approve(session, actor, item_id, note, now)
            case "refuse":
                operations.refuse(session, actor, item_id, note, now)
            case _:
                raise DomainError("unknown_choice", lazy("Choose one of the buttons."))

    def undo(self, session: Session, actor: Actor, item_id: int, now: datetime) -> None:
        """Let it wait again."""
        reopen(session, actor, item_id, now)

    @staticmethod
    def _load(session: Session, actor: Actor, item_id: int) -> Invitation:
        row = found(session.get(Invitation, item_id))
        require(actor, Permission.INVITATION_DECIDE, row.community.path)
        return row

    @staticmethod
    def _waiting(actor: Actor, now: datetime, column: Any) -> Select[Any]:
        return (
            select(column)
            .select_from(Invitation)
            .join(Region, Region.id == Invitation.community_id)
            .where(
                within(actor.paths(Permission.INVITATION_DECIDE)),
                Invitation.state == InvitationState.PENDING.value,
                Invitation.valid_until > now,
            )
        )

    def _item(self, row: Invitation) -> WorkItem:
        purpose = PURPOSE_NAMES[Purpose(row.purpose)]
        return WorkItem(
            kind=self.kind,
            id=row.id,
            region_id=row.community_id,
            title=mask_name(row.visitor_name),
            about=f"{row.dwelling.label} · {purpose}",
            at=row.created_at,
            href=url_for("visitors.decide", invitation_id=row.id),
        )


SOURCES: Final = (InvitationSource(),)
