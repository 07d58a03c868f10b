"""Alarms, what happened to each, and who was told.

::

    press ─► PRESSED ──the cancel window is over──► RAISED ◄─────────────┐
     │          │                                    │  ▲│ timer: next   │
     │          └──cancelled by the wearer           │  └┘ step of the   │
     │                      ▼                        │     ladder        │ handed back, or nobody
     │                  CANCELLED        acknowledge │                   │ came within the time
     │                                               ▼                   │
     └─► SUPPRESSED ──pressed again──► PRESSED   ACKNOWLEDGED ───────────┘
         (right after the device started)            │      │
                                               arrive│      │close
    test ─► TESTED                                   ▼      ▼
                                                  ON_SITE ─close─► CLOSED

A person who is faster than the window may acknowledge from PRESSED. CANCELLED, SUPPRESSED, TESTED and
CLOSED are kept for ever; a press in any open state (PRESSED, RAISED, ACKNOWLEDGED, ON_SITE) joins that
alarm. RAISED always has a timer, and so have PRESSED and ACKNOWLEDGED: no alarm comes to rest before a
human has closed it or the wearer has taken it back in time. Timers are rows (``next_at``), so that they
outlive every process. Each change is one conditional UPDATE: of two at once one wins.
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
from portal.regions.models import Region
from portal.telecare.models import Contact, Wearer


class AlarmState(StrEnum):
    """Where an alarm is in its life."""

    PRESSED = "pressed"
    CANCELLED = "cancelled"
    SUPPRESSED = "suppressed"
    RAISED = "raised"
    ACKNOWLEDGED = "acknowledged"
    ON_SITE = "on_site"
    CLOSED = "closed"
    TESTED = "tested"


OPEN: Final = (
    AlarmState.PRESSED,
    AlarmState.RAISED,
    AlarmState.ACKNOWLEDGED,
    AlarmState.ON_SITE,
)
"""A press joins an alarm in one of these; staff see them until they are closed."""
TIMED: Final = (AlarmState.PRESSED, AlarmState.RAISED, AlarmState.ACKNOWLEDGED)
"""These go on by themselves when ``next_at`` has come."""
RINGING: Final = (AlarmState.PRESSED, AlarmState.RAISED)
"""Nobody has taken these yet."""


class Stage(StrEnum):
    """Rungs of the ladder; see :mod:`portal.telecare.ladder`."""

    NONE = ""
    CONTACT = "contact"
    DUTY = "duty"
    SUPERVISOR = "supervisor"
    ALL = "all"


class Cause(StrEnum):
    """What it was, as whoever closed it says."""

    FALL = "fall"
    ILLNESS = "illness"
    HELP = "help"
    MISTAKE = "mistake"
    TEST = "test"
    FAULT = "fault"
    OTHER = "other"


REAL: Final = (Cause.FALL, Cause.ILLNESS, Cause.HELP)
"""Causes with a person in need."""


class Step(StrEnum):
    """What can happen to an alarm."""

    PRESSED = "pressed"
    JOINED = "joined"
    CANCELLED = "cancelled"
    TAKEN_BACK = "taken_back"
    SUPPRESSED = "suppressed"
    TESTED = "tested"
    RAISED = "raised"
    ESCALATED = "escalated"
    ACKNOWLEDGED = "acknowledged"
    LOOKED = "looked"
    ARRIVED = "arrived"
    HANDED_BACK = "handed_back"
    OVERDUE = "overdue"
    CLOSED = "closed"


class Alarm(Base):
    """One call for help. ``open_device_id`` is set while it is open: a device has one open alarm at most.

    ``event_id`` is the last press's, the one the button waits for an answer to. ``acknowledged_by`` and
    ``closed_by`` are person keys, see :func:`portal.telecare.telling.person_key`. ``answered_at`` is the
    first acknowledgement, which the report counts; it stays when an alarm is handed back.
    """

    __tablename__ = "alarms"
    __table_args__ = (
        Index("ix_alarms_state", "community_id", "state"),
        Index("ix_alarms_received", "community_id", "received_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    community_id: Mapped[int] = mapped_column(ForeignKey("regions.id"))
    device_id: Mapped[int] = mapped_column(ForeignKey("devices.id"), index=True)
    wearer_id: Mapped[int | None] = mapped_column(ForeignKey("telecare_wearers.id"), index=True)
    open_device_id: Mapped[int | None] = mapped_column(unique=True)
    state: Mapped[str] = mapped_column(String(16))
    event_id: Mapped[str] = mapped_column(String(64))
    presses: Mapped[int] = mapped_column(default=1)
    battery: Mapped[float | None]
    pressed_at: Mapped[datetime] = mapped_column(Moment)
    received_at: Mapped[datetime] = mapped_column(Moment)
    last_pressed_at: Mapped[datetime] = mapped_column(Moment)
    taken_back_at: Mapped[datetime | None] = mapped_column(Moment)
    step: Mapped[int] = mapped_column(default=0)
    stage: Mapped[str] = mapped_column(String(16), default=Stage.NONE)
    position: Mapped[int] = mapped_column(default=0)
    next_at: Mapped[datetime | None] = mapped_column(Moment, index=True)
    raised_at: Mapped[datetime | None] = mapped_column(Moment)
    answered_at: Mapped[datetime | None] = mapped_column(Moment)
    acknowledged_at: Mapped[datetime | None] = mapped_column(Moment)
    acknowledged_by: Mapped[str] = mapped_column(String(24), default="")
    arrived_at: Mapped[datetime | None] = mapped_column(Moment)
    closed_at: Mapped[datetime | None] = mapped_column(Moment)
    closed_by: Mapped[str] = mapped_column(String(24), default="")
    cause: Mapped[str] = mapped_column(String(16), default="")
    note: Mapped[str] = mapped_column(Encrypted("alarms.note"))

    community: Mapped[Region] = relationship()
    device: Mapped[Device] = relationship()
    wearer: Mapped[Wearer | None] = relationship()
    entries: Mapped[list[AlarmEntry]] = relationship(
        back_populates="alarm", order_by="AlarmEntry.id"
    )


class AlarmEntry(Base):
    """One thing that happened to an alarm. ``(device_id, event_id)`` makes an event count once."""

    __tablename__ = "alarm_entries"
    __table_args__ = (UniqueConstraint("device_id", "event_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    alarm_id: Mapped[int] = mapped_column(ForeignKey("alarms.id"), index=True)
    kind: Mapped[str] = mapped_column(String(16))
    at: Mapped[datetime] = mapped_column(Moment)
    step: Mapped[int] = mapped_column(default=0)
    stage: Mapped[str] = mapped_column(String(16), default=Stage.NONE)
    by: Mapped[str] = mapped_column(String(24), default="")
    device_id: Mapped[int | None]
    event_id: Mapped[str | None] = mapped_column(String(64))

    alarm: Mapped[Alarm] = relationship(back_populates="entries")


class AlarmNotice(Base):
    """A person was told of an alarm at a step, once: pages show it to them, other channels may carry it."""

    __tablename__ = "alarm_notices"
    __table_args__ = (UniqueConstraint("alarm_id", "step", "person"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    alarm_id: Mapped[int] = mapped_column(ForeignKey("alarms.id"))
    step: Mapped[int]
    person: Mapped[str] = mapped_column(String(24), index=True)
    contact_id: Mapped[int | None] = mapped_column(ForeignKey("telecare_contacts.id"), index=True)
    user_id: Mapped[int | None] = mapped_column(index=True)
    told_at: Mapped[datetime] = mapped_column(Moment)
    seen_at: Mapped[datetime | None] = mapped_column(Moment)

    alarm: Mapped[Alarm] = relationship()
    contact: Mapped[Contact | None] = relationship()


class Trouble(StrEnum):
    """What may be wrong with a button that nobody has pressed."""

    SILENT = "silent"
    BATTERY = "battery"
    TEST_DUE = "test_due"
    PHANTOM = "phantom"


class DeviceTrouble(Base):
    """A technical alarm of a wearer's button.

    ::

        open ──taken in hand──► handled ──a day later, still there──► open
          └──────── the cause is gone ───────┴──► cleared

    ``open_key`` (``device:kind``) is set until it is cleared: one of a kind for each device.
    """

    __tablename__ = "telecare_troubles"

    id: Mapped[int] = mapped_column(primary_key=True)
    community_id: Mapped[int] = mapped_column(ForeignKey("regions.id"), index=True)
    device_id: Mapped[int] = mapped_column(ForeignKey("devices.id"))
    wearer_id: Mapped[int | None] = mapped_column(ForeignKey("telecare_wearers.id"))
    kind: Mapped[str] = mapped_column(String(16))
    open_key: Mapped[str | None] = mapped_column(String(48), unique=True)
    since: Mapped[datetime] = mapped_column(Moment)
    handled_at: Mapped[datetime | None] = mapped_column(Moment)
    handled_by: Mapped[int | None]
    cleared_at: Mapped[datetime | None] = mapped_column(Moment)

    community: Mapped[Region] = relationship()
    device: Mapped[Device] = relationship()
    wearer: Mapped[Wearer | None] = relationship()
