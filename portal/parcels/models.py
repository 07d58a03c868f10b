"""Compartments, parcels, openings, pick-up codes, couriers' accesses, arrivals (G7).

A parcel; ``*`` marks what only a door's own event can bring about::

    reserved ──ask──► opening ──opened*──► open ──closed*, not empty──► stored
       ▲ │               │                  │                            │  ▲
       │ │               │ jammed*, refused, no answer in time           │  │ no answer, jammed*,
       │ │◄──────────────┘  (a faulty compartment is set aside)          │  │ closed* still full
       │ │◄─────────────────────────────────┘ closed*, empty             ▼  │
       │ └─ cancelled, or nothing done in time ──► cancelled          unlocking ──opened*──► taking
       └── another compartment                                                               │
                                                                closed*, not full ───────────┘
                                             taker resident or proxy ──► fetched
                                             taker courier or staff  ──► returned
                                             taker shelf             ──► stored, on the shelf

    on the shelf:  stored ──handed out against the code──► fetched,  ──given back──► returned

"Overdue" is read off the clock: stored and past ``due_at``. Every change is one conditional UPDATE that
names the state before it and, for a door's event, the opening that it belongs to: of two at once one
wins, and an event that comes twice or late changes nothing.

A compartment::

    free ──reserve──► reserved ──stored──► occupied ──taken──► free
      │                  └─────── set aside ───┴──► out_of_order ──checked by staff──► free
      └── staff, jammed, something unknown in it ──►┘
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Final

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.core.db import Base, Moment
from portal.core.protected import Encrypted
from portal.devices.models import Device
from portal.regions.models import Dwelling, Region
from portal.residents.models import Resident


class Size(StrEnum):
    """Size classes of compartments, smallest first."""

    S = "S"
    M = "M"
    L = "L"


SIZES: Final = tuple(Size)


class CompartmentState(StrEnum):
    """Whether a compartment can take a parcel."""

    FREE = "free"
    RESERVED = "reserved"
    OCCUPIED = "occupied"
    OUT_OF_ORDER = "out_of_order"


class Fault(StrEnum):
    """What is wrong with a compartment, or went wrong last with a parcel's door."""

    NONE = ""
    JAMMED = "jammed"
    NO_ANSWER = "no_answer"
    OFFLINE = "offline"
    NOT_CLOSED = "not_closed"
    CLOSED_EMPTY = "closed_empty"
    CLOSED_FULL = "closed_full"
    FORCED = "forced"
    UNKNOWN_CONTENT = "unknown_content"
    GONE = "gone"
    BY_STAFF = "by_staff"


class ParcelState(StrEnum):
    """Where a parcel is in its life."""

    RESERVED = "reserved"
    OPENING = "opening"
    OPEN = "open"
    STORED = "stored"
    UNLOCKING = "unlocking"
    TAKING = "taking"
    FETCHED = "fetched"
    RETURNED = "returned"
    CANCELLED = "cancelled"


ENDED: Final = (ParcelState.FETCHED, ParcelState.RETURNED, ParcelState.CANCELLED)
WAITING: Final = (ParcelState.STORED, ParcelState.UNLOCKING, ParcelState.TAKING)
"""States in which the recipient's parcel is there."""


class Place(StrEnum):
    """Where a parcel lies."""

    LOCKER = "locker"
    SHELF = "shelf"


class Taker(StrEnum):
    """Who takes a parcel out."""

    NOBODY = ""
    RESIDENT = "resident"
    PROXY = "proxy"
    COURIER = "courier"
    STAFF = "staff"
    SHELF = "shelf"


class OpeningState(StrEnum):
    """What a door made of the command to open."""

    ASKED = "asked"
    OPENED = "opened"
    CLOSED = "closed"
    FAILED = "failed"
    LATE = "late"


class Compartment(Base):
    """One compartment of a locker (a device of kind ``parcel_locker``).

    ``door_open``, ``sensed`` and ``moved_at`` are what its door said last, by the locker's clock;
    ``checked_fault`` and ``checked_at`` what staff decided last, so that it can be taken back.
    """

    __tablename__ = "locker_compartments"
    __table_args__ = (
        UniqueConstraint("device_id", "number"),
        Index("ix_locker_compartments_free", "device_id", "state", "size"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    device_id: Mapped[int] = mapped_column(ForeignKey("devices.id"))
    number: Mapped[int]
    size: Mapped[str] = mapped_column(String(1))
    state: Mapped[str] = mapped_column(String(16), default=CompartmentState.FREE)
    fault: Mapped[str] = mapped_column(String(16), default=Fault.NONE)
    fault_at: Mapped[datetime | None] = mapped_column(Moment)
    door_open: Mapped[bool] = mapped_column(default=False)
    sensed: Mapped[bool | None]
    moved_at: Mapped[datetime | None] = mapped_column(Moment)
    checked_fault: Mapped[str] = mapped_column(String(16), default=Fault.NONE)
    checked_at: Mapped[datetime | None] = mapped_column(Moment)

    device: Mapped[Device] = relationship()


class CourierAccess(Base):
    """A courier's way in, issued by staff: a code, found by its hash, that ends. Names a company, nobody."""

    __tablename__ = "courier_accesses"

    id: Mapped[int] = mapped_column(primary_key=True)
    community_id: Mapped[int] = mapped_column(ForeignKey("regions.id"), index=True)
    company: Mapped[str] = mapped_column(String(16))
    code_hash: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime] = mapped_column(Moment)
    created_by: Mapped[int | None]
    expires_at: Mapped[datetime] = mapped_column(Moment)
    revoked_at: Mapped[datetime | None] = mapped_column(Moment)

    community: Mapped[Region] = relationship()


class Parcel(Base):
    """A parcel on its way from a courier to a resident. ``opening`` is the transaction of its last opening;
    ``deadline`` is by when the next step must have come."""

    __tablename__ = "parcels"
    __table_args__ = (
        Index("ix_parcels_recipient", "resident_id", "state"),
        Index("ix_parcels_deadline", "state", "deadline"),
        Index("ix_parcels_due", "state", "due_at"),
        Index("ix_parcels_compartment", "compartment_id", "state"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    community_id: Mapped[int] = mapped_column(ForeignKey("regions.id"), index=True)
    resident_id: Mapped[int] = mapped_column(ForeignKey("residents.id"))
    dwelling_id: Mapped[int] = mapped_column(ForeignKey("dwellings.id"))
    place: Mapped[str] = mapped_column(String(8))
    device_id: Mapped[int | None] = mapped_column(ForeignKey("devices.id"))
    compartment_id: Mapped[int | None] = mapped_column(ForeignKey("locker_compartments.id"))
    shelf_label: Mapped[str] = mapped_column(String(8), default="")
    size: Mapped[str] = mapped_column(String(1), default="")
    company: Mapped[str] = mapped_column(String(16), default="")
    state: Mapped[str] = mapped_column(String(16))
    fault: Mapped[str] = mapped_column(String(16), default=Fault.NONE)
    taker: Mapped[str] = mapped_column(String(8), default=Taker.NOBODY)
    opening: Mapped[str | None] = mapped_column(String(64))
    deadline: Mapped[datetime | None] = mapped_column(Moment)
    courier_id: Mapped[int | None] = mapped_column(ForeignKey("courier_accesses.id"), index=True)
    created_at: Mapped[datetime] = mapped_column(Moment)
    changed_at: Mapped[datetime] = mapped_column(Moment)
    stored_at: Mapped[datetime | None] = mapped_column(Moment)
    due_at: Mapped[datetime | None] = mapped_column(Moment)
    extended_at: Mapped[datetime | None] = mapped_column(Moment)
    extensions: Mapped[int] = mapped_column(default=0)
    reminders: Mapped[int] = mapped_column(default=0)
    reminded_at: Mapped[datetime | None] = mapped_column(Moment)
    ended_at: Mapped[datetime | None] = mapped_column(Moment)

    community: Mapped[Region] = relationship()
    resident: Mapped[Resident] = relationship()
    dwelling: Mapped[Dwelling] = relationship()
    device: Mapped[Device | None] = relationship()
    compartment: Mapped[Compartment | None] = relationship()


class Opening(Base):
    """One time that a door was asked to open, and what came of it.

    ::

        asked ──► opened ──► closed        asked ──► failed (jammed, refused)
          └─ no answer in time ──► late ──► opened …
    """

    __tablename__ = "compartment_openings"
    __table_args__ = (Index("ix_compartment_openings_open", "compartment_id", "state"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    transaction: Mapped[str] = mapped_column(String(64), unique=True)
    compartment_id: Mapped[int] = mapped_column(ForeignKey("locker_compartments.id"))
    parcel_id: Mapped[int | None] = mapped_column(ForeignKey("parcels.id"), index=True)
    state: Mapped[str] = mapped_column(String(8), default=OpeningState.ASKED)
    reason: Mapped[str] = mapped_column(String(32), default="")
    asked_at: Mapped[datetime] = mapped_column(Moment)
    opened_at: Mapped[datetime | None] = mapped_column(Moment)
    closed_at: Mapped[datetime | None] = mapped_column(Moment)
    occupied: Mapped[bool | None]

    compartment: Mapped[Compartment] = relationship()


class PickupCode(Base):
    """What lets somebody fetch a parcel: eight digits to type, a token behind a link or QR code.

    Both are encrypted and found by keyed hash; they are deleted when the parcel has gone. ``label`` is the
    resident's own word for the other person, seen by nobody else.
    """

    __tablename__ = "pickup_codes"

    id: Mapped[int] = mapped_column(primary_key=True)
    parcel_id: Mapped[int] = mapped_column(ForeignKey("parcels.id"), index=True)
    shared: Mapped[bool] = mapped_column(default=False)
    label: Mapped[str] = mapped_column(Encrypted("pickup_codes.label"))
    code: Mapped[str] = mapped_column(Encrypted("pickup_codes.code"))
    code_hash: Mapped[str] = mapped_column(String(64), unique=True)
    token: Mapped[str] = mapped_column(Encrypted("pickup_codes.token"))
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime] = mapped_column(Moment)

    parcel: Mapped[Parcel] = relationship()


class Arrival(Base):
    """A meal waits at a gate: shown to the resident until they say so or the time is over."""

    __tablename__ = "meal_arrivals"
    __table_args__ = (Index("ix_meal_arrivals_resident", "resident_id", "expires_at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    community_id: Mapped[int] = mapped_column(ForeignKey("regions.id"), index=True)
    resident_id: Mapped[int] = mapped_column(ForeignKey("residents.id"))
    place: Mapped[str] = mapped_column(String(80))
    courier_id: Mapped[int | None] = mapped_column(ForeignKey("courier_accesses.id"))
    created_at: Mapped[datetime] = mapped_column(Moment)
    expires_at: Mapped[datetime] = mapped_column(Moment)
    cleared_at: Mapped[datetime | None] = mapped_column(Moment)
