"""What waits for staff: alarms, above everything else, and buttons in trouble."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from flask import url_for
from sqlalchemy.orm import Session, joinedload

from portal.core.errors import ConflictError, DomainError
from portal.core.i18n import lazy
from portal.core.identifiers.masking import mask_name
from portal.core.permissions import Actor, Permission, found, require
from portal.core.work import Choice, Note, WorkDetail, WorkItem
from portal.telecare import operations, queries, troubles
from portal.telecare.alarm_models import Alarm, AlarmState, Cause, DeviceTrouble
from portal.telecare.operations import CAUSE_NAMES
from portal.telecare.queries import Card
from portal.telecare.words import STATE_NAMES, TROUBLE_HELP, TROUBLE_NAMES, named

_NO_UNDO: Final = ConflictError(
    "no_undo", lazy("This cannot be taken back: people have been told. Open the alarm's page.")
)


class AlarmSource:
    """Open alarms."""

    kind = "telecare.alarm"
    label = lazy("Alarm")
    icon = "alarm"
    permission = Permission.TELECARE_LIST

    def waiting(self, session: Session, actor: Actor, now: datetime, limit: int) -> list[WorkItem]:
        """Open alarms of the actor's regions, ringing ones first."""
        return [self._item(card) for card in queries.open_alarms(session, actor, limit)]

    def count(self, session: Session, actor: Actor, now: datetime) -> int:
        """How many are open."""
        return queries.count_open(session, actor)

    def detail(self, session: Session, actor: Actor, item_id: int, now: datetime) -> WorkDetail:
        """One alarm; notes are on its own page only."""
        alarm = queries.one_for_staff(session, actor, item_id)
        names = queries.person_names(session, [alarm.acknowledged_by], masked=True)
        card = queries.card_of(alarm, names)
        facts: list[tuple[Any, Any]] = [
            (lazy("Who"), card.who),
            (lazy("Place"), card.place or card.community),
            (lazy("State"), STATE_NAMES[card.state][0]),
            (lazy("Times pressed"), card.presses),
        ]
        if card.taken_by:
            facts.append((lazy("Taken by"), named(card.taken_by)))
        return WorkDetail(self._item(card), facts, self._choices(actor, alarm))

    def decide(
        self, session: Session, actor: Actor, item_id: int, choice: str, note: str, now: datetime
    ) -> None:
        """Take an alarm, or close it: ``close_`` and a cause.

        Raises:
            DomainError: the choice is unknown; ConflictError: somebody was faster.
        """
        if choice == "acknowledge":
            operations.acknowledge(session, actor, item_id, now)
        elif choice == "arrive":
            operations.arrive(session, actor, item_id, now)
        elif choice.startswith("close_"):
            cause = choice.removeprefix("close_")
            operations.close(session, actor, item_id, cause, note, now)
        else:
            raise DomainError("unknown_choice", lazy("Choose one of the list."))

    def undo(self, session: Session, actor: Actor, item_id: int, now: datetime) -> None:
        """Nothing about an alarm can be undone: people have been told.

        Raises:
            ConflictError: always, for whoever may see the alarm.
        """
        queries.one_for_staff(session, actor, item_id)
        raise _NO_UNDO

    def _item(self, card: Card) -> WorkItem:
        return WorkItem(
            kind=self.kind,
            id=card.id,
            region_id=card.community_id,
            title=card.who,
            about=card.place or card.community,
            at=card.since,
            href=url_for("telecare.alarm", alarm_id=card.id),
            urgent=card.ringing,
        )

    @staticmethod
    def _choices(actor: Actor, alarm: Alarm) -> list[Choice]:
        if not actor.may(Permission.TELECARE_RESPOND, alarm.community.path):
            return []
        if alarm.state in (AlarmState.PRESSED, AlarmState.RAISED):
            return [Choice("acknowledge", lazy("I take it"), "main", undoable=False)]
        closing = [
            Choice(f"close_{cause}", CAUSE_NAMES[cause], note=Note.OPTIONAL, undoable=False)
            for cause in (Cause.HELP, Cause.MISTAKE, Cause.OTHER)
        ]
        if alarm.state == AlarmState.ACKNOWLEDGED:
            return [Choice("arrive", lazy("I am there"), "main", undoable=False), *closing]
        return closing if alarm.state == AlarmState.ON_SITE else []


class TroubleSource:
    """Buttons that are silent, weak or untested."""

    kind = "telecare.trouble"
    label = lazy("Button in trouble")
    icon = "device"
    permission = Permission.TELECARE_LIST

    def waiting(self, session: Session, actor: Actor, now: datetime, limit: int) -> list[WorkItem]:
        """Trouble that nobody has taken in hand, longest first."""
        return [self._item(row) for row in troubles.waiting(session, actor, now, limit)]

    def count(self, session: Session, actor: Actor, now: datetime) -> int:
        """How much waits."""
        return troubles.count_waiting(session, actor, now)

    def detail(self, session: Session, actor: Actor, item_id: int, now: datetime) -> WorkDetail:
        """One trouble, with what to do about it."""
        row = found(
            session.get(DeviceTrouble, item_id, options=[joinedload(DeviceTrouble.community)])
        )
        require(actor, Permission.TELECARE_LIST, row.community.path)
        waits = row.cleared_at is None and row.handled_at is None
        may = actor.may(Permission.TELECARE_RESPOND, row.community.path)
        return WorkDetail(
            self._item(row),
            [
                (lazy("Button"), row.device.title),
                (lazy("What"), TROUBLE_NAMES[row.kind][0]),
                (lazy("What to do"), TROUBLE_HELP[row.kind]),
            ],
            [Choice("handle", lazy("Taken in hand"), "main", undoable=False)]
            if waits and may
            else [],
        )

    def decide(
        self, session: Session, actor: Actor, item_id: int, choice: str, note: str, now: datetime
    ) -> None:
        """Take it in hand.

        Raises:
            DomainError: the choice is unknown; ConflictError: somebody was faster.
        """
        if choice != "handle":
            raise DomainError("unknown_choice", lazy("Choose one of the list."))
        troubles.handle(session, actor, item_id, now)

    def undo(self, session: Session, actor: Actor, item_id: int, now: datetime) -> None:
        """It comes back by itself after a day, if it is still there.

        Raises:
            ConflictError: always, for whoever may see it.
        """
        row = found(session.get(DeviceTrouble, item_id))
        require(actor, Permission.TELECARE_LIST, row.community.path)
        raise ConflictError(
            "no_undo", lazy("It comes back by itself after a day, if it is still there.")
        )

    def _item(self, row: DeviceTrouble) -> WorkItem:
        who = mask_name(row.wearer.resident.name) if row.wearer else row.device.title
        return WorkItem(
            kind=self.kind,
            id=row.id,
            region_id=row.community_id,
            title=TROUBLE_NAMES[row.kind][0],
            about=who,
            at=row.since,
            href=url_for("telecare.troubles"),
        )


SOURCES: Final = (AlarmSource(), TroubleSource())
