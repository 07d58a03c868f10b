"""What has just happened in the demo, so that the workbench has something to do: invitations that wait, a
forged code at a gate, an alarm button whose battery runs low."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.access.models import Gate, Outcome, Passage
from portal.core.permissions import Actor
from portal.devices.models import Device, DeviceFault, FaultKind
from portal.residents.models import Resident, ResidentState
from portal.visitors.operations import Draft, Purpose, invite

VISITORS: Final = (
    ("钱小满", "19900009901", Purpose.FAMILY),
    ("孙师傅", "19900009902", Purpose.REPAIR),
)
"""Name, phone (nobody's), purpose."""


def let_happen(session: Session, residents: Sequence[Resident], now: datetime) -> None:
    """Write what happened in the last hour."""
    hosts = [r for r in residents if r.state == ResidentState.APPROVED][: len(VISITORS)]
    for host, (name, phone, purpose) in zip(hosts, VISITORS, strict=True):
        draft = Draft(name, phone, purpose, now, now + timedelta(hours=6))
        invite(session, Actor(label=f"resident:{host.id}", resident_id=host.id), draft, now)
    gate = session.scalars(select(Gate).order_by(Gate.id).limit(1)).one()
    session.add(
        Passage(
            event_id="demo-forged-code",
            device_id=gate.device_id,
            gate_id=gate.id,
            community_id=gate.community_id,
            direction="in",
            scanned_at=now - timedelta(minutes=20),
            decided_at=now - timedelta(minutes=20),
            outcome=Outcome.REFUSE,
            reason="bad_signature",
        )
    )
    button = session.scalars(select(Device).where(Device.key == "alarm-3")).one()
    session.add(
        DeviceFault(
            device_id=button.id,
            community_id=button.community_id,
            kind=FaultKind.BATTERY,
            since=now - timedelta(minutes=50),
        )
    )
    session.flush()
