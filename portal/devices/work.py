"""Faults of devices in the workbench: see :mod:`portal.core.work`."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from flask import url_for
from sqlalchemy.orm import Session

from portal.core import formats
from portal.core.errors import DomainError
from portal.core.i18n import lazy
from portal.core.permissions import Actor, Permission
from portal.core.work import Choice, Note, WorkDetail, WorkItem
from portal.devices import faults
from portal.devices.faults import SEEN_BY_EYE, Verdict
from portal.devices.models import DeviceFault, FaultKind
from portal.devices.words import KIND_NAMES

FAULT_NAMES: Final[dict[FaultKind, Any]] = {
    FaultKind.OFFLINE: lazy("Device offline"),
    FaultKind.TAMPER: lazy("Case opened"),
    FaultKind.HELD_OPEN: lazy("Door held open too long"),
    FaultKind.FORCED: lazy("Door forced"),
    FaultKind.BATTERY: lazy("Battery low"),
}
_STEPS: Final[dict[FaultKind, Any]] = {
    FaultKind.OFFLINE: lazy("Look whether it has power and network."),
    FaultKind.TAMPER: lazy("Go there and look at the case."),
    FaultKind.HELD_OPEN: lazy("Look what holds the door open, and close it."),
    FaultKind.FORCED: lazy("Go there at once, or ask the gatekeeper to."),
    FaultKind.BATTERY: lazy("Change the battery within a few days."),
}
_ACKNOWLEDGE: Final = Choice(
    Verdict.ACKNOWLEDGED, lazy("I am looking after it"), "main", Note.REQUIRED
)
_RESOLVE: Final = Choice(Verdict.RESOLVED, lazy("Resolved"), "", Note.OPTIONAL)


class FaultSource:
    """Faults that nobody looks after yet."""

    kind = "devices.fault"
    label = lazy("Device faults")
    icon = "device"
    permission = Permission.DEVICE_TEND
    together = False

    def waiting(self, session: Session, actor: Actor, now: datetime, limit: int) -> list[WorkItem]:
        """Longest first."""
        return [self._item(row) for row in faults.waiting(session, actor, now, limit)]

    def count(self, session: Session, actor: Actor, now: datetime) -> int:
        """How many."""
        return faults.count(session, actor, now)

    def detail(self, session: Session, actor: Actor, item_id: int, now: datetime) -> WorkDetail:
        """One fault, and what can be done about it."""
        row = faults.load(session, actor, item_id)
        device = row.device
        facts = [
            (lazy("Device"), device.title),
            (lazy("Kind"), KIND_NAMES.get(device.kind, device.kind)),
            (lazy("Since"), formats.moment(row.since)),
        ]
        if device.building is not None:
            facts.insert(2, (lazy("Building"), device.building.name))
        if row.note:
            facts.append((lazy("Note"), row.note))
        choices: tuple[Choice, ...] = ()
        sentence: Any = _STEPS[FaultKind(row.kind)]
        if row.ended_at is not None:
            sentence = lazy("This fault is over.")
        elif row.verdict:
            sentence = lazy("Somebody is looking after it. It ends when the device says so.")
        elif row.kind in SEEN_BY_EYE:
            choices = (_ACKNOWLEDGE, _RESOLVE)
        else:
            choices = (_ACKNOWLEDGE,)
        return WorkDetail(self._item(row), facts, choices, sentence)

    def decide(
        self, session: Session, actor: Actor, item_id: int, choice: str, note: str, now: datetime
    ) -> None:
        """Acknowledge or resolve."""
        if choice not in set(Verdict):
            raise DomainError("unknown_choice", lazy("Choose one of the buttons."))
        faults.decide(session, actor, item_id, Verdict(choice), note, now)

    def undo(self, session: Session, actor: Actor, item_id: int, now: datetime) -> None:
        """Let it wait again."""
        faults.undo(session, actor, item_id, now)

    def _item(self, row: DeviceFault) -> WorkItem:
        return WorkItem(
            kind=self.kind,
            id=row.id,
            region_id=row.community_id,
            title=FAULT_NAMES[FaultKind(row.kind)],
            about=row.device.title,
            at=row.since,
            href=url_for("devices.show", device_id=row.device_id),
            urgent=row.kind == FaultKind.FORCED,
        )


SOURCES: Final = (FaultSource(),)
