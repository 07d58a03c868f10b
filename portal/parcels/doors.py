"""What lockers report, and what it makes of parcels: the door is the proof, not the wish.

Events and answers come from the worker, in its own transaction. Each is bound to an opening by its
transaction; one without a transaction (a door closed by hand, the report after a power cut) counts for
the opening that is under way there, if it is not older. Repeats and stragglers change nothing.

A locker that has started reports every compartment once, without a transaction. So a parcel that was
laid in or taken out while the power failed is found as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from mqtt.contract.messages import CompartmentMoved, OpenCompartment
from mqtt.contract.telemetry import DeviceKind
from portal.core.db import won
from portal.devices.cache import DeviceCache
from portal.devices.models import Device, DeviceEvent
from portal.devices.operations import CommandAnswer, ReceivedEvent
from portal.parcels import outcomes
from portal.parcels.claims import change_compartment, clear_fault, note_fault, set_aside
from portal.parcels.models import (
    ENDED,
    Compartment,
    CompartmentState,
    Fault,
    Opening,
    OpeningState,
    Parcel,
    ParcelState,
)
from portal.regions.models import Region

UNANSWERED: Final = (OpeningState.ASKED, OpeningState.LATE)
UNDER_WAY: Final = (*UNANSWERED, OpeningState.OPENED)


@dataclass(frozen=True, slots=True)
class Move:
    """An event of a locker that has not been handled yet."""

    device_id: int
    event: CompartmentMoved


def new_moves(session: Session, events: Sequence[ReceivedEvent], cache: DeviceCache) -> list[Move]:
    """The lockers' events that are not written down yet, each once. To be asked before they are."""
    moved = [(e.address, e.event) for e in events if isinstance(e.event, CompartmentMoved)]
    if not moved:
        return []
    known = cache.find(session, (address for address, _ in moved))
    moves: dict[tuple[int, str], Move] = {}
    for address, event in moved:
        device = known.get(address)
        if device is not None and device.kind == DeviceKind.PARCEL_LOCKER:
            moves.setdefault((device.id, event.id), Move(device.id, event))
    handled = session.execute(
        select(DeviceEvent.device_id, DeviceEvent.event_id).where(
            DeviceEvent.device_id.in_({device for device, _ in moves}),
            DeviceEvent.event_id.in_({event for _, event in moves}),
        )
    )
    for device_id, event_id in handled:
        moves.pop((device_id, event_id), None)
    return list(moves.values())


def record_moves(session: Session, moves: Sequence[Move], now: datetime) -> None:
    """Let each event have its effect, in the order of arrival."""
    for move in moves:
        compartment = session.scalars(
            select(Compartment)
            .where(
                Compartment.device_id == move.device_id,
                Compartment.number == move.event.compartment,
            )
            .execution_options(populate_existing=True)
        ).one_or_none()
        if compartment is not None:
            _moved(session, compartment, move.event, now)


def record_answers(session: Session, answers: Sequence[CommandAnswer], now: datetime) -> None:
    """A locker's answer to a command: only a no counts, for a yes is proved by the door's event."""
    for answer in answers:
        if answer.name != OpenCompartment.NAME:
            continue
        opening = session.scalars(
            select(Opening)
            .join(Compartment, Opening.compartment_id == Compartment.id)
            .join(Device, Compartment.device_id == Device.id)
            .join(Region, Device.community_id == Region.id)
            .where(
                Opening.transaction == answer.transaction,
                Region.key == answer.address.community,
                Device.key == answer.address.device,
            )
        ).one_or_none()
        if opening is None:
            continue
        if answer.ok:
            if answer.reason == "already_open" and _advance(
                session, opening, UNANSWERED, OpeningState.OPENED, opened_at=answer.at
            ):
                outcomes.opened(session, opening, now)
            continue
        _refused(session, opening, answer.reason or "refused", now)


def _refused(session: Session, opening: Opening, reason: str, now: datetime) -> None:
    if not _advance(session, opening, UNANSWERED, OpeningState.FAILED, reason=reason[:32]):
        return
    if reason == "expired":
        outcomes.failed(session, opening, Fault.OFFLINE, now, aside=False)
    else:
        fault = Fault.JAMMED if reason == "jammed" else Fault.NO_ANSWER
        outcomes.failed(session, opening, fault, now, aside=True)


def _advance(
    session: Session,
    opening: Opening,
    sources: Sequence[OpeningState],
    state: OpeningState,
    **values: object,
) -> bool:
    return won(
        session,
        update(Opening)
        .where(Opening.id == opening.id, Opening.state.in_(sources))
        .values(state=state, **values),
    )


def _moved(
    session: Session, compartment: Compartment, event: CompartmentMoved, now: datetime
) -> None:
    old = compartment.moved_at is not None and event.at < compartment.moved_at
    if not old:
        _note(session, compartment.id, event)
    if event.state == "closed":
        _closed(session, compartment, event, now, old=old)
        return
    asked = _asked(session, compartment.id, event.transaction)
    if event.state == "jammed":
        if asked is not None:
            _refused(session, asked, "jammed", now)
        elif not set_aside(session, compartment.id, Fault.JAMMED, now, CompartmentState.FREE):
            note_fault(session, compartment.id, Fault.JAMMED, now)
    elif asked is None:
        if not old:
            _opened_unasked(session, compartment, event, now)
    elif _advance(session, asked, UNANSWERED, OpeningState.OPENED, opened_at=event.at):
        outcomes.opened(session, asked, now)
        if old and not compartment.door_open:
            _closed_since(session, compartment, asked, now)


def _note(session: Session, compartment_id: int, event: CompartmentMoved) -> None:
    values: dict[str, object] = {"moved_at": event.at}
    if event.state != "jammed":
        values["door_open"] = event.state == "opened"
    if event.occupied is not None:
        values["sensed"] = event.occupied
    won(session, update(Compartment).where(Compartment.id == compartment_id).values(**values))


def _asked(session: Session, compartment_id: int, transaction: str | None) -> Opening | None:
    """The opening that an event names, if it was asked of this very door."""
    if transaction is None:
        return None
    return session.scalars(
        select(Opening).where(
            Opening.transaction == transaction, Opening.compartment_id == compartment_id
        )
    ).one_or_none()


def _closed(
    session: Session, compartment: Compartment, event: CompartmentMoved, now: datetime, *, old: bool
) -> None:
    """A door that closes ends every opening under way there: the one it names, and those that it began."""
    openings = session.scalars(
        select(Opening)
        .where(
            Opening.compartment_id == compartment.id,
            Opening.state.in_(UNDER_WAY),
            or_(
                Opening.transaction == (event.transaction or ""),
                (Opening.state == OpeningState.OPENED) & (Opening.opened_at <= event.at),
            ),
        )
        .order_by(Opening.id)
        .execution_options(populate_existing=True)
    ).all()
    settled = False
    for opening in openings:
        unseen = opening.state in UNANSWERED
        if _advance(
            session,
            opening,
            UNDER_WAY,
            OpeningState.CLOSED,
            closed_at=event.at,
            occupied=event.occupied,
            **({"opened_at": event.at} if unseen else {}),
        ):
            if unseen:  # its event "opened" is late or lost; it has opened all the same
                outcomes.opened(session, opening, now)
            settled |= outcomes.closed(session, opening, event.occupied, now)
    if openings:
        _proven(session, compartment.id, event.occupied, settled=settled)
    if not settled and not old:
        _reported(session, compartment, event, now)


def _closed_since(
    session: Session, compartment: Compartment, opening: Opening, now: datetime
) -> None:
    """News of an opening that comes after the news that the door is closed."""
    if _advance(
        session,
        opening,
        (OpeningState.OPENED,),
        OpeningState.CLOSED,
        closed_at=compartment.moved_at,
        occupied=compartment.sensed,
    ):
        outcomes.closed(session, opening, compartment.sensed, now)


def _proven(session: Session, compartment_id: int, occupied: bool | None, *, settled: bool) -> None:
    """It opened and closed: what was held against it because of silence is forgotten."""
    if not occupied:
        won(
            session,
            update(Compartment)
            .where(
                Compartment.id == compartment_id,
                Compartment.state == CompartmentState.OUT_OF_ORDER,
                Compartment.fault.in_((Fault.NO_ANSWER, Fault.NOT_CLOSED)),
            )
            .values(state=CompartmentState.FREE, fault=Fault.NONE, fault_at=None),
        )
    held = (CompartmentState.RESERVED, CompartmentState.OCCUPIED)
    change_compartment(
        session, compartment_id, held, Fault.NOT_CLOSED, fault=Fault.NONE, fault_at=None
    )
    if settled:
        change_compartment(
            session, compartment_id, held, Fault.NO_ANSWER, fault=Fault.NONE, fault_at=None
        )


def _inside(session: Session, compartment_id: int) -> Parcel | None:
    """The parcel that this compartment belongs to now."""
    return session.scalars(
        select(Parcel)
        .where(Parcel.compartment_id == compartment_id, Parcel.state.not_in(ENDED))
        .order_by(Parcel.id.desc())
        .limit(1)
        .execution_options(populate_existing=True)
    ).one_or_none()


def _under_way(session: Session, parcel: Parcel, at: datetime) -> Opening | None:
    """The opening that the parcel waits for, if it was asked before this moment."""
    return session.scalars(
        select(Opening).where(
            Opening.transaction == (parcel.opening or ""),
            Opening.state.in_(UNANSWERED),
            Opening.asked_at <= at,
        )
    ).one_or_none()


def _opened_unasked(
    session: Session, compartment: Compartment, event: CompartmentMoved, now: datetime
) -> None:
    parcel = _inside(session, compartment.id)
    if parcel is None:
        return
    if parcel.state in (ParcelState.OPENING, ParcelState.UNLOCKING):
        opening = _under_way(session, parcel, event.at)
        if opening is not None and _advance(
            session, opening, UNANSWERED, OpeningState.OPENED, opened_at=event.at
        ):
            outcomes.opened(session, opening, now)
    elif parcel.state == ParcelState.STORED:
        outcomes.suspect(session, parcel.id, compartment.id, Fault.FORCED, now)


def _reported(
    session: Session, compartment: Compartment, event: CompartmentMoved, now: datetime
) -> None:
    """A compartment says how it is, without having been asked to open."""
    occupied = event.occupied
    if occupied is None:
        return
    parcel = _inside(session, compartment.id)
    if parcel is None:
        if occupied:
            _holds_something(session, compartment.id, now)
        elif compartment.fault == Fault.UNKNOWN_CONTENT:
            change_compartment(
                session,
                compartment.id,
                (CompartmentState.OUT_OF_ORDER,),
                state=CompartmentState.FREE,
                fault=Fault.NONE,
                fault_at=None,
            )
        return
    done_unseen = (parcel.state == ParcelState.OPENING and occupied) or (
        parcel.state == ParcelState.UNLOCKING and not occupied
    )
    if done_unseen:
        opening = _under_way(session, parcel, event.at)
        if opening is not None and _advance(
            session,
            opening,
            UNANSWERED,
            OpeningState.CLOSED,
            opened_at=event.at,
            closed_at=event.at,
            occupied=occupied,
        ):
            outcomes.opened(session, opening, now)
            outcomes.closed(session, opening, occupied, now)
    elif parcel.state == ParcelState.STORED and not occupied:
        outcomes.suspect(session, parcel.id, compartment.id, Fault.GONE, now)
    elif parcel.state == ParcelState.STORED:
        clear_fault(session, compartment.id, Fault.GONE)


def _holds_something(session: Session, compartment_id: int, now: datetime) -> None:
    """Nobody's parcel is in it: it takes none until staff have looked. What staff said stays."""
    won(
        session,
        update(Compartment)
        .where(
            Compartment.id == compartment_id,
            Compartment.state.in_((CompartmentState.FREE, CompartmentState.OUT_OF_ORDER)),
            Compartment.fault != Fault.BY_STAFF,
        )
        .values(state=CompartmentState.OUT_OF_ORDER, fault=Fault.UNKNOWN_CONTENT, fault_at=now),
    )
