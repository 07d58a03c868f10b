"""Devices of a community and what they report (H1, H6). Scalars live in the telemetry store, not here.

What is wrong with a device is a fault, for as long as it is::

    open ──acknowledge──► acknowledged ──the device says that it is over──► ended
      ├──resolve──► ended ◄───────────────────────────────────────────────────┘
      └──the device says that it is over──► ended
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.core.db import Base, Moment
from portal.regions.models import Building, Region


class Device(Base):
    """One enrolled device; its address is ``{community.key}/{key}``.

    ``mqtt_password`` is the broker's hash of the device's password; the password itself is shown once.
    """

    __tablename__ = "devices"
    __table_args__ = (UniqueConstraint("community_id", "key"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    community_id: Mapped[int] = mapped_column(ForeignKey("regions.id"), index=True)
    building_id: Mapped[int | None] = mapped_column(ForeignKey("buildings.id"))
    key: Mapped[str] = mapped_column(String(32))
    kind: Mapped[str] = mapped_column(String(24))
    title: Mapped[str] = mapped_column(String(80))
    mqtt_username: Mapped[str] = mapped_column(String(80), unique=True)
    mqtt_password: Mapped[str] = mapped_column(String(255))
    details: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    online: Mapped[bool] = mapped_column(default=False)
    status_at: Mapped[datetime | None] = mapped_column(Moment)
    firmware: Mapped[str] = mapped_column(String(200), default="")
    enrolled_at: Mapped[datetime] = mapped_column(Moment)
    retired_at: Mapped[datetime | None] = mapped_column(Moment)

    community: Mapped[Region] = relationship()
    building: Mapped[Building | None] = relationship()


class DeviceEvent(Base):
    """An event other than a scan. ``(device_id, event_id)`` makes handling it twice harmless."""

    __tablename__ = "device_events"
    __table_args__ = (
        UniqueConstraint("device_id", "event_id"),
        Index("ix_device_events_recent", "device_id", "at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    device_id: Mapped[int] = mapped_column(ForeignKey("devices.id"))
    event_id: Mapped[str] = mapped_column(String(64))
    kind: Mapped[str] = mapped_column(String(32))
    at: Mapped[datetime] = mapped_column(Moment)
    received_at: Mapped[datetime] = mapped_column(Moment)
    body: Mapped[dict[str, Any]] = mapped_column(JSON)

    device: Mapped[Device] = relationship()


class FaultKind(StrEnum):
    """What may be wrong with a device."""

    OFFLINE = "offline"
    TAMPER = "tamper"
    HELD_OPEN = "held_open"
    FORCED = "forced"
    BATTERY = "battery"


class DeviceFault(Base):
    """One fault from its beginning to its end; a device has at most one of a kind at a time.

    ``verdict`` is what somebody of the staff made of it, empty while nobody has: see
    :class:`portal.devices.faults.Verdict`. ``decided_by`` is a user's id without a foreign key.
    """

    __tablename__ = "device_faults"
    __table_args__ = (
        Index(
            "uq_device_faults_open",
            "device_id",
            "kind",
            unique=True,
            postgresql_where=text("ended_at IS NULL"),
            sqlite_where=text("ended_at IS NULL"),
        ),
        Index("ix_device_faults_queue", "community_id", "ended_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    device_id: Mapped[int] = mapped_column(ForeignKey("devices.id"))
    community_id: Mapped[int] = mapped_column(ForeignKey("regions.id"))
    kind: Mapped[str] = mapped_column(String(16))
    since: Mapped[datetime] = mapped_column(Moment)
    ended_at: Mapped[datetime | None] = mapped_column(Moment)
    verdict: Mapped[str] = mapped_column(String(16), default="")
    note: Mapped[str] = mapped_column(String(200), default="")
    decided_at: Mapped[datetime | None] = mapped_column(Moment)
    decided_by: Mapped[int | None]

    device: Mapped[Device] = relationship()
