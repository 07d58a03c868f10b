"""Registrations to decide, in the workbench: see :mod:`portal.core.work`."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from flask import url_for
from sqlalchemy import func, select
from sqlalchemy.orm import Session, selectinload

from portal.core import formats
from portal.core.errors import ConflictError, DomainError
from portal.core.i18n import lazy
from portal.core.identifiers import mask_id, mask_name, mask_phone
from portal.core.permissions import Actor, Permission
from portal.core.work import Choice, Note, WorkDetail, WorkItem
from portal.regions.directory import within
from portal.regions.models import Dwelling, Region, Unit
from portal.residents.forms import DOCUMENTS, RELATIONS
from portal.residents.models import DocumentType, Relation, Residency, Resident, ResidentState
from portal.residents.operations import decide
from portal.residents.queries import load_resident
from portal.residents.reopening import reopen

KIND: Final = "residents.registration"
_CHOICES: Final = (
    Choice("approve", lazy("Approve"), "main", Note.OPTIONAL),
    Choice("refuse", lazy("Refuse"), "danger", Note.REQUIRED),
)
_SAYS: Final[dict[str, Any]] = {
    ResidentState.APPROVED: lazy("This registration is approved."),
    ResidentState.REFUSED: lazy("This registration is refused."),
}


class RegistrationSource:
    """Registrations that wait for a decision."""

    kind = KIND
    label = lazy("Registrations")
    icon = "people"
    permission = Permission.RESIDENT_DECIDE

    def waiting(self, session: Session, actor: Actor, now: datetime, limit: int) -> list[WorkItem]:
        """Longest first."""
        home = selectinload(Resident.residencies).joinedload(Residency.dwelling)
        rows = session.scalars(
            select(Resident)
            .options(home.joinedload(Dwelling.unit).joinedload(Unit.building))
            .join(Region, Resident.community_id == Region.id)
            .where(*self._waits(actor))
            .order_by(Resident.registered_at, Resident.id)
            .limit(limit)
        )
        return [self._item(row) for row in rows]

    def count(self, session: Session, actor: Actor, now: datetime) -> int:
        """How many."""
        statement = (
            select(func.count(Resident.id))
            .join(Region, Resident.community_id == Region.id)
            .where(*self._waits(actor))
        )
        return session.scalar(statement) or 0

    def detail(self, session: Session, actor: Actor, item_id: int, now: datetime) -> WorkDetail:
        """One registration, masked; the full values are on its own page."""
        row = load_resident(session, actor, Permission.RESIDENT_DECIDE, item_id)
        home = row.residency
        facts = [
            (lazy("Name"), mask_name(row.name)),
            (lazy("Mobile number"), mask_phone(row.phone)),
            (lazy("Document"), DOCUMENTS[DocumentType(row.document_type)]),
            (lazy("Document number"), mask_id(row.document_number)),
            (lazy("Dwelling"), home.dwelling.label if home else "–"),
            (lazy("Belongs as"), RELATIONS[Relation(home.relation)] if home else "–"),
            (lazy("Sent"), formats.moment(row.registered_at)),
        ]
        if row.decision_note:
            facts.append((lazy("Note"), row.decision_note))
        waits = row.state == ResidentState.PENDING
        return WorkDetail(self._item(row), facts, _CHOICES if waits else (), _SAYS.get(row.state))

    def decide(
        self, session: Session, actor: Actor, item_id: int, choice: str, note: str, now: datetime
    ) -> None:
        """Approve or refuse; of two at once one does."""
        if choice not in {c.value for c in _CHOICES}:
            raise DomainError("unknown_choice", lazy("Choose one of the buttons."))
        load_resident(session, actor, Permission.RESIDENT_DECIDE, item_id)
        locked = session.get(Resident, item_id, with_for_update=True, populate_existing=True)
        if locked is None or locked.state != ResidentState.PENDING:
            raise ConflictError(
                "already_decided", lazy("Somebody else has decided this registration already.")
            )
        decide(session, actor, item_id, approve=choice == "approve", note=note, now=now)

    def undo(self, session: Session, actor: Actor, item_id: int, now: datetime) -> None:
        """Let it wait again."""
        reopen(session, actor, item_id, now)

    @staticmethod
    def _waits(actor: Actor) -> tuple[Any, ...]:
        return (
            Resident.state == ResidentState.PENDING.value,
            within(actor.paths(Permission.RESIDENT_DECIDE)),
        )

    def _item(self, row: Resident) -> WorkItem:
        home = row.residency
        return WorkItem(
            kind=self.kind,
            id=row.id,
            region_id=row.community_id,
            title=mask_name(row.name),
            about=home.dwelling.label if home else "–",
            at=row.registered_at,
            href=url_for("residents.detail", resident_id=row.id),
        )


SOURCES: Final = (RegistrationSource(),)
