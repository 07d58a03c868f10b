"""What waits for staff: doors that jammed or proved nothing, and parcels that nobody fetches."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import url_for
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session, joinedload

from portal.core import audit
from portal.core.db import won
from portal.core.errors import ConflictError, DomainError
from portal.core.formats import moment
from portal.core.i18n import _, lazy
from portal.core.identifiers.masking import mask_name
from portal.core.permissions import Actor, Permission, found, require
from portal.core.work import UNDO_WINDOW, Choice, WorkDetail, WorkItem
from portal.devices.models import Device
from portal.parcels import fetching, queries, staff, words
from portal.parcels.models import Compartment, Fault, Parcel, ParcelState
from portal.parcels.times import EXTENSION, FETCH_WITHIN
from portal.regions.models import Dwelling, Unit


class Doors:
    """Compartments with a fault."""

    kind = "parcels.door"
    label = lazy("Locker doors")
    icon = "locker"
    permission = Permission.PARCEL_LIST

    def waiting(self, session: Session, actor: Actor, now: datetime, limit: int) -> list[WorkItem]:
        """The longest first."""
        del now
        rows = session.scalars(
            queries.faulty(actor)
            .options(joinedload(Compartment.device))
            .order_by(Compartment.fault_at)
            .limit(limit)
        )
        return [self._item(row) for row in rows]

    def count(self, session: Session, actor: Actor, now: datetime) -> int:
        """How many."""
        del now
        return (
            session.scalar(select(func.count()).select_from(queries.faulty(actor).subquery())) or 0
        )

    def detail(self, session: Session, actor: Actor, item_id: int, now: datetime) -> WorkDetail:
        """What is known of the door."""
        del now
        row = self._load(session, actor, item_id)
        facts = [
            (_("Locker"), row.device.title),
            (_("Compartment"), row.number),
            (_("State"), words.COMPARTMENT_NAMES[row.state]),
            (_("Door"), _("open") if row.door_open else _("closed")),
            (
                _("Inside"),
                _("not sensed")
                if row.sensed is None
                else _("something")
                if row.sensed
                else _("nothing"),
            ),
        ]
        choices: tuple[Choice, ...] = ()
        decides = actor.may(Permission.PARCEL_MANAGE, row.device.community.path)
        if decides and row.fault not in (Fault.NONE, Fault.BY_STAFF):
            choices = (
                Choice("in_order", lazy("Checked: in order"), "main"),
                Choice("out_of_order", lazy("Set aside"), "danger"),
            )
        said = words.FAULT_NAMES.get(row.fault)
        return WorkDetail(self._item(row), facts, choices, said)

    def decide(
        self, session: Session, actor: Actor, item_id: int, choice: str, note: str, now: datetime
    ) -> None:
        """Put it back into service, or set it aside."""
        del note
        row = self._load(session, actor, item_id)
        require(actor, Permission.PARCEL_MANAGE, row.device.community.path)
        if row.fault in (Fault.NONE, Fault.BY_STAFF):
            raise ConflictError("decided", lazy("Somebody has looked at this door already."))
        if choice == "in_order":
            staff.put_back(session, actor, row, now)
        elif choice == "out_of_order":
            staff.take_out_of_order(session, actor, row, now)
        else:
            raise DomainError("choice_unknown", lazy("Choose one of the buttons."))

    def undo(self, session: Session, actor: Actor, item_id: int, now: datetime) -> None:
        """It waits again."""
        staff.undo_check(session, actor, self._load(session, actor, item_id), now)

    @staticmethod
    def _load(session: Session, actor: Actor, item_id: int) -> Compartment:
        loaded = [joinedload(Compartment.device).joinedload(Device.community)]
        row = found(session.get(Compartment, item_id, options=loaded))
        require(actor, Permission.PARCEL_LIST, row.device.community.path)
        return row

    def _item(self, row: Compartment) -> WorkItem:
        return WorkItem(
            kind=self.kind,
            id=row.id,
            region_id=row.device.community_id,
            title=_(
                "%(locker)s, compartment %(number)s", locker=row.device.title, number=row.number
            ),
            about=words.FAULT_NAMES.get(row.fault, ""),
            at=row.fault_at or row.checked_at or row.device.enrolled_at,
            href=url_for("parcels.compartment", device_id=row.device_id, number=row.number),
        )


class Overdue:
    """Parcels that wait beyond every reminder."""

    kind = "parcels.overdue"
    label = lazy("Parcels nobody fetches")
    icon = "clock"
    permission = Permission.PARCEL_LIST

    def waiting(self, session: Session, actor: Actor, now: datetime, limit: int) -> list[WorkItem]:
        """The longest first."""
        rows = session.scalars(
            queries.long_overdue(actor, now)
            .options(*self._loaded())
            .order_by(Parcel.due_at)
            .limit(limit)
        )
        return [self._item(row) for row in rows]

    def count(self, session: Session, actor: Actor, now: datetime) -> int:
        """How many."""
        listed = queries.long_overdue(actor, now).subquery()
        return session.scalar(select(func.count()).select_from(listed)) or 0

    def detail(self, session: Session, actor: Actor, item_id: int, now: datetime) -> WorkDetail:
        """Where it lies, and for whom, masked."""
        row = self._load(session, actor, item_id)
        facts: list[tuple[Any, Any]] = [
            (_("Recipient"), mask_name(row.resident.name)),
            (_("Dwelling"), row.dwelling.label),
            (_("Here since"), moment(row.stored_at)),
            (_("Reminders"), row.reminders),
        ]
        choices: tuple[Choice, ...] = ()
        if actor.may(Permission.PARCEL_HANDLE, row.community.path) and queries.is_overdue(row, now):
            choices = (Choice("keep", lazy("Keep for another day"), "main"),)
        said = lazy("Ask the resident, or open its page to lay it on the shelf or give it back.")
        return WorkDetail(self._item(row), facts, choices, said)

    def decide(
        self, session: Session, actor: Actor, item_id: int, choice: str, note: str, now: datetime
    ) -> None:
        """Give it another day."""
        del note
        row = self._load(session, actor, item_id)
        require(actor, Permission.PARCEL_HANDLE, row.community.path)
        if choice != "keep":
            raise DomainError("choice_unknown", lazy("Choose one of the buttons."))
        if not queries.is_overdue(row, now) or not fetching.add_time(session, row, now):
            raise ConflictError("decided", lazy("This parcel is not overdue any more."))
        audit.record(session, actor, "parcel.keep", ("parcel", row.id), path=row.community.path)

    def undo(self, session: Session, actor: Actor, item_id: int, now: datetime) -> None:
        """It is as overdue as it was; days that its resident asked for before are not counted again."""
        row = self._load(session, actor, item_id)
        require(actor, Permission.PARCEL_HANDLE, row.community.path)
        given = row.extended_at
        if given is None or given < now - UNDO_WINDOW or row.due_at != given + EXTENSION:
            raise ConflictError("too_late", lazy("This cannot be taken back any more."))
        if not won(
            session,
            update(Parcel)
            .where(
                Parcel.id == item_id,
                Parcel.state == ParcelState.STORED,
                Parcel.extended_at == given,
            )
            .values(
                due_at=(row.stored_at or given) + FETCH_WITHIN,
                extended_at=None,
                extensions=max(0, row.extensions - 1),
            ),
        ):
            raise ConflictError("too_late", lazy("This cannot be taken back any more."))
        audit.record(
            session, actor, "parcel.keep_undo", ("parcel", row.id), path=row.community.path
        )

    @staticmethod
    def _loaded() -> tuple[Any, ...]:
        return (
            joinedload(Parcel.community),
            joinedload(Parcel.device),
            joinedload(Parcel.resident),
            joinedload(Parcel.dwelling).joinedload(Dwelling.unit).joinedload(Unit.building),
        )

    def _load(self, session: Session, actor: Actor, item_id: int) -> Parcel:
        row = found(session.get(Parcel, item_id, options=self._loaded()))
        require(actor, Permission.PARCEL_LIST, row.community.path)
        return row

    def _item(self, row: Parcel) -> WorkItem:
        where = row.device.title if row.device and not row.shelf_label else row.shelf_label
        return WorkItem(
            kind=self.kind,
            id=row.id,
            region_id=row.community_id,
            title=_("Parcel for %(name)s", name=mask_name(row.resident.name)),
            about=where,
            at=row.due_at or row.created_at,
            href=url_for("parcels.staff_parcel", parcel_id=row.id),
        )


SOURCES = (Doors(), Overdue())
