"""What is done with sorted messages inside one transaction, and what has to be said afterwards."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, TypeVar

from sqlalchemy.orm import Session

from mqtt.contract import codec, topics
from mqtt.contract.codec import Fault
from mqtt.contract.topics import Channel, DeviceAddress, TopicError
from portal.access.cache import Caches
from portal.access.offline import record_offline_passages
from portal.access.openings import record_command_results, record_openings
from portal.access.operations import decide_scans
from portal.access.scans import Answer, ReceivedOfflinePassage, ReceivedScan
from portal.core.bus import Received
from portal.core.outbox import Outgoing
from portal.devices.cache import DeviceCache
from portal.devices.operations import (
    ACKNOWLEDGED_AT_ONCE,
    CommandAnswer,
    ReceivedEvent,
    ReceivedStatus,
    acknowledgement,
    record_events,
    record_results,
    record_status,
)
from portal.parcels.doors import new_moves, record_answers, record_moves
from portal.telecare.intake import record_alarms
from portal.worker.intake import Bad, Item

ACKNOWLEDGEMENT_LIFE: Final = timedelta(seconds=30)
T = TypeVar("T")


@dataclass(slots=True)
class Effects:
    """What follows from a committed transaction."""

    outgoing: list[Outgoing] = field(default_factory=list)
    bad: list[Bad] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)


class Handler:
    """The operations with the caches they share; for one thread."""

    def __init__(self, unlock_seconds: int) -> None:
        self._unlock_seconds = unlock_seconds
        self._caches = Caches()
        self._devices = DeviceCache()

    def forget(self) -> None:
        """Read everything again: after the database was away, nothing remembered is to be trusted."""
        self._caches.forget()
        self._devices.forget()

    def decide(
        self, session: Session, scans: Sequence[tuple[Received, ReceivedScan]], now: datetime
    ) -> Effects:
        """Decide scans."""
        answers = decide_scans(
            session,
            [scan for _, scan in scans],
            now,
            self._caches,
            unlock_seconds=self._unlock_seconds,
        )
        return _effects([message for message, _ in scans], answers)

    def record(
        self, session: Session, items: Sequence[tuple[Received, Item]], now: datetime
    ) -> Effects:
        """Record everything that is not a scan."""
        effects = Effects()
        self._record_events(session, effects, _of(items, ReceivedEvent), now)
        self._record_status(session, effects, _of(items, ReceivedStatus))
        results = [item for _, item in _of(items, CommandAnswer)]
        if results:
            record_results(session, results)
            record_command_results(session, results, self._caches, now)
            record_answers(session, results, now)
        offline = _of(items, ReceivedOfflinePassage)
        if offline:
            answers = record_offline_passages(
                session, [item for _, item in offline], now, self._caches
            )
            found = _effects([message for message, _ in offline], answers)
            effects.outgoing += found.outgoing
            effects.bad += found.bad
        return effects

    def _record_events(
        self,
        session: Session,
        effects: Effects,
        events: Sequence[tuple[Received, ReceivedEvent]],
        now: datetime,
    ) -> None:
        if not events:
            return
        moves = new_moves(session, [event for _, event in events], self._devices)
        strange = record_events(session, [event for _, event in events], self._devices)
        strangers = {event.address for event in strange}
        safe: dict[DeviceAddress, list[str]] = defaultdict(list)
        for message, event in events:
            if event.address in strangers:
                effects.bad.append(_stranger(message, event.address))
            else:
                safe[event.address].append(event.event.id)
        record_openings(session, [event for _, event in events], self._caches)
        record_moves(session, moves, now)
        effects.outgoing += record_alarms(session, [event for _, event in events], now)
        effects.outgoing += _acknowledgements(safe, now)

    def _record_status(
        self,
        session: Session,
        effects: Effects,
        statuses: Sequence[tuple[Received, ReceivedStatus]],
    ) -> None:
        if not statuses:
            return
        strange = record_status(session, [status for _, status in statuses], self._devices)
        strangers = {status.address for status in strange}
        for message, status in statuses:
            # What a broker retains of a device that is gone comes with every connect: no news.
            if status.address in strangers and not message.retained:
                effects.bad.append(_stranger(message, status.address))


def dismissals(bad: Sequence[Bad], now: datetime) -> list[Outgoing]:
    """Acknowledgements of events that were put aside, so that devices do not repeat them for ever.

    A device that is not enrolled gets none: it may be enrolled in a moment, and its events count then.
    """
    ids: dict[DeviceAddress, list[str]] = defaultdict(list)
    for item in bad:
        try:
            topic = topics.parse(item.message.topic)
        except TopicError:
            continue
        event = codec.event_id(item.message.payload)
        if topic.channel is Channel.EVENT and item.fault != Fault.DEVICE and event is not None:
            ids[topic.address].append(event)
    return _acknowledgements(ids, now)


def _acknowledgements(ids: Mapping[DeviceAddress, Sequence[str]], now: datetime) -> list[Outgoing]:
    return [
        acknowledgement(
            address, of_one[start : start + ACKNOWLEDGED_AT_ONCE], now, now + ACKNOWLEDGEMENT_LIFE
        )
        for address, of_one in ids.items()
        for start in range(0, len(of_one), ACKNOWLEDGED_AT_ONCE)
    ]


def _of(items: Sequence[tuple[Received, Item]], kind: type[T]) -> list[tuple[Received, T]]:
    return [(message, item) for message, item in items if isinstance(item, kind)]


def _effects(messages: Sequence[Received], answers: Sequence[Answer]) -> Effects:
    effects = Effects(answers=list(answers))
    for message, answer in zip(messages, answers, strict=True):
        if answer.fault is not None:
            effects.bad.append(Bad(message, answer.fault, f"no gate at {answer.address}"))
        elif answer.outgoing is not None:
            effects.outgoing.append(answer.outgoing)
    return effects


def _stranger(message: Received, address: DeviceAddress) -> Bad:
    return Bad(message, Fault.DEVICE, f"not enrolled: {address}")
