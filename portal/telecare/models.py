"""Who wears a button, who is asked to help, who is on duty, and what each community has set (F4).

What a helper needs to know about a person's health, and how to get in, is encrypted like every personal
identifier; it is shown to responders while an alarm is open, see :mod:`portal.telecare.queries`.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.core.db import Base, Moment
from portal.core.protected import Encrypted
from portal.devices.models import Device
from portal.regions.models import Region
from portal.residents.models import Resident


class Hearing(StrEnum):
    """How somebody hears: whether to call or to ring the door."""

    GOOD = "good"
    HARD = "hard"
    DEAF = "deaf"


class Language(StrEnum):
    """What somebody understands best."""

    MANDARIN = "mandarin"
    CANTONESE = "cantonese"
    DIALECT = "dialect"
    ENGLISH = "english"
    OTHER = "other"


class Tie(StrEnum):
    """What a contact is to the wearer."""

    CHILD = "child"
    SPOUSE = "spouse"
    RELATIVE = "relative"
    NEIGHBOUR = "neighbour"
    FRIEND = "friend"
    CARER = "carer"
    OTHER = "other"


class Consent(StrEnum):
    """How a contact agreed to be called."""

    SPOKEN = "spoken"
    WRITTEN = "written"
    PHONE = "phone"


class Wearer(Base):
    """A resident with an alarm button. ``device_id`` is empty while the button is away.

    ``battery`` in percent, of the last event or telemetry that told it; ``proven_at`` is when the button
    was last heard (a test or a press), which the weekly test keeps fresh.
    """

    __tablename__ = "telecare_wearers"

    id: Mapped[int] = mapped_column(primary_key=True)
    community_id: Mapped[int] = mapped_column(ForeignKey("regions.id"), index=True)
    resident_id: Mapped[int] = mapped_column(ForeignKey("residents.id"), unique=True)
    device_id: Mapped[int | None] = mapped_column(ForeignKey("devices.id"), unique=True)
    hearing: Mapped[str] = mapped_column(String(16), default=Hearing.GOOD)
    language: Mapped[str] = mapped_column(String(16), default=Language.MANDARIN)
    health_notes: Mapped[str] = mapped_column(Encrypted("telecare_wearers.health_notes"))
    entry_note: Mapped[str] = mapped_column(Encrypted("telecare_wearers.entry_note"))
    battery: Mapped[float | None]
    battery_at: Mapped[datetime | None] = mapped_column(Moment)
    proven_at: Mapped[datetime | None] = mapped_column(Moment)
    created_at: Mapped[datetime] = mapped_column(Moment)
    ended_at: Mapped[datetime | None] = mapped_column(Moment)

    community: Mapped[Region] = relationship()
    resident: Mapped[Resident] = relationship()
    device: Mapped[Device | None] = relationship()
    contacts: Mapped[list[Contact]] = relationship(
        back_populates="wearer", order_by="Contact.position"
    )


class Contact(Base):
    """Somebody who has agreed to be asked for help: a resident, or a person outside with a phone.

    ``position`` is the order of asking, from 1. ``from_minute`` and ``until_minute`` are minutes of the
    community's day; the same twice means all day, a later start than end runs over midnight. Without
    ``consent_at`` a contact is never told. A removed one keeps its row for past alarms, without name and
    number.
    """

    __tablename__ = "telecare_contacts"
    __table_args__ = (Index("ix_telecare_contacts_order", "wearer_id", "position"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    wearer_id: Mapped[int] = mapped_column(ForeignKey("telecare_wearers.id"))
    position: Mapped[int]
    resident_id: Mapped[int | None] = mapped_column(ForeignKey("residents.id"), index=True)
    name: Mapped[str] = mapped_column(Encrypted("telecare_contacts.name"))
    phone: Mapped[str] = mapped_column(Encrypted("telecare_contacts.phone"))
    tie: Mapped[str] = mapped_column(String(16), default=Tie.OTHER)
    from_minute: Mapped[int] = mapped_column(default=0)
    until_minute: Mapped[int] = mapped_column(default=0)
    consent_how: Mapped[str] = mapped_column(String(16), default="")
    consent_at: Mapped[datetime | None] = mapped_column(Moment)
    consent_by: Mapped[int | None]
    created_at: Mapped[datetime] = mapped_column(Moment)
    removed_at: Mapped[datetime | None] = mapped_column(Moment)

    wearer: Mapped[Wearer] = relationship(back_populates="contacts")
    resident: Mapped[Resident | None] = relationship()


class Shift(Base):
    """A member of staff is on duty for alarms of a community, from a moment until a moment."""

    __tablename__ = "telecare_shifts"
    __table_args__ = (
        UniqueConstraint("community_id", "user_id", "starts_at"),
        Index("ix_telecare_shifts_now", "community_id", "ends_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    community_id: Mapped[int] = mapped_column(ForeignKey("regions.id"))
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    starts_at: Mapped[datetime] = mapped_column(Moment)
    ends_at: Mapped[datetime] = mapped_column(Moment)


class TelecareSettings(Base):
    """What a community has set; one without a row goes by the defaults of :mod:`portal.telecare.thresholds`."""

    __tablename__ = "telecare_settings"

    community_id: Mapped[int] = mapped_column(ForeignKey("regions.id"), primary_key=True)
    cancel_seconds: Mapped[int]
    phantom_seconds: Mapped[int]
    contact_seconds: Mapped[int]
    duty_seconds: Mapped[int]
    supervisor_seconds: Mapped[int]
    all_seconds: Mapped[int]
    arrival_minutes: Mapped[int]
    silent_minutes: Mapped[int]
    low_battery_percent: Mapped[int]
    test_days: Mapped[int]
