"""Vehicles that wait, for the workbench: see :mod:`portal.core.work`."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from flask import url_for
from sqlalchemy.orm import Session

from portal.core.errors import DomainError
from portal.core.formats import moment
from portal.core.i18n import _, lazy
from portal.core.identifiers import mask_name, mask_plate
from portal.core.permissions import Actor, Permission
from portal.core.work import Choice, Note, WorkDetail, WorkItem
from portal.vehicles import operations, queries, words
from portal.vehicles.models import Vehicle, VehicleState

KIND: Final = "vehicles.verify"
CHOICES: Final = (
    Choice("verify", lazy("Verify"), "main", Note.OPTIONAL),
    Choice("refuse", lazy("Refuse"), "danger", Note.REQUIRED),
)


def _item(vehicle: Vehicle) -> WorkItem:
    return WorkItem(
        kind=KIND,
        id=vehicle.id,
        region_id=vehicle.community_id,
        title=mask_plate(vehicle.plate),
        about=vehicle.dwelling.label,
        at=vehicle.registered_at,
        href=url_for("vehicles.detail", vehicle_id=vehicle.id),
    )


class Vehicles:
    """Registered vehicles to verify or refuse."""

    kind = KIND
    label = lazy("Vehicles")
    icon = "car"
    permission = Permission.VEHICLE_LIST

    def waiting(self, session: Session, actor: Actor, now: datetime, limit: int) -> list[WorkItem]:
        """Those that wait, longest first."""
        return [_item(vehicle) for vehicle in queries.waiting(session, actor, limit)]

    def count(self, session: Session, actor: Actor, now: datetime) -> int:
        """How many wait."""
        return queries.count_by_state(session, actor)[VehicleState.PENDING]

    def detail(self, session: Session, actor: Actor, item_id: int, now: datetime) -> WorkDetail:
        """One vehicle with masked plate and person."""
        vehicle = queries.load_vehicle(session, actor, Permission.VEHICLE_LIST, item_id)
        waits = vehicle.state == VehicleState.PENDING
        may_decide = actor.may(Permission.VEHICLE_DECIDE, vehicle.community.path)
        taken = waits and queries.verified_elsewhere(session, vehicle)
        return WorkDetail(
            item=_item(vehicle),
            facts=(
                (_("Class of plate"), words.CLASS_NAMES[vehicle.plate_class]),
                (_("Vehicle"), _(", ").join(map(str, words.description(vehicle)))),
                (_("Registered by"), mask_name(vehicle.resident.name)),
                (_("Whose is it?"), words.STAFF_BELONGS[vehicle.belongs]),
                (_("Dwelling"), vehicle.dwelling.label),
                (_("Registered"), moment(vehicle.registered_at)),
            ),
            choices=CHOICES if waits and may_decide else (),
            sentence=_("This plate is verified for another dwelling already.") if taken else None,
        )

    def decide(
        self, session: Session, actor: Actor, item_id: int, choice: str, note: str, now: datetime
    ) -> None:
        """Verify or refuse."""
        acts = {"verify": operations.verify, "refuse": operations.refuse}
        if choice not in acts:
            raise DomainError("choice_unknown", lazy("Choose whether to verify or to refuse."))
        acts[choice](session, actor, item_id, note, now)

    def undo(self, session: Session, actor: Actor, item_id: int, now: datetime) -> None:
        """Let it wait again."""
        operations.undo(session, actor, item_id, now)


SOURCES: Final = (Vehicles(),)
