"""One example of every message; tests round-trip them, documents and simulators quote them."""

from __future__ import annotations

from typing import Final

from mqtt.contract.messages import (
    EXAMPLE_EXPIRY,
    EXAMPLE_MOMENT,
    Acknowledge,
    Alarm,
    AlarmFeedback,
    Boot,
    Command,
    CompartmentMoved,
    Door,
    Event,
    OfflinePassage,
    OpenCompartment,
    Reading,
    Refuse,
    Result,
    Scan,
    SetThreshold,
    Tamper,
    Unlock,
)

_EVENT: Final = "0196c1f2a7d84c0f9d1a4e5b6c7d8e9f"
_TRANSACTION: Final = "0196c1f2b0aa4b1e8c2d3e4f5a6b7c8d"
_CODE: Final = "LL1:6BFOXN*TS0BI$ZD4N9:9S6RCVN5+O30K3"

EVENT_EXAMPLES: Final[dict[str, Event]] = {
    e.NAME: e
    for e in (
        Scan(id=_EVENT, at=EXAMPLE_MOMENT, code=_CODE, body_temperature=36.4),
        OfflinePassage(
            id=_EVENT,
            at=EXAMPLE_MOMENT,
            code=_CODE,
            outcome="allow",
            reason="ok",
            revocation_age_s=840,
        ),
        Door(id=_EVENT, at=EXAMPLE_MOMENT, state="opened", transaction=_TRANSACTION),
        Tamper(id=_EVENT, at=EXAMPLE_MOMENT, active=True),
        Reading(
            id=_EVENT,
            at=EXAMPLE_MOMENT,
            body_temperature=36.4,
            ambient_temperature=8.5,
            distance_mm=320,
            over_threshold=False,
        ),
        CompartmentMoved(
            id=_EVENT,
            at=EXAMPLE_MOMENT,
            compartment=7,
            state="closed",
            occupied=True,
            transaction=_TRANSACTION,
        ),
        Alarm(id=_EVENT, at=EXAMPLE_MOMENT, action="pressed", battery=88, presses=1),
        Boot(id=_EVENT, at=EXAMPLE_MOMENT, firmware="2026.11.0", cause="power"),
    )
}

COMMAND_EXAMPLES: Final[dict[str, Command]] = {
    c.NAME: c
    for c in (
        Unlock(
            transaction=_TRANSACTION, at=EXAMPLE_MOMENT, expires_at=EXAMPLE_EXPIRY, event=_EVENT
        ),
        Refuse(
            transaction=_TRANSACTION,
            at=EXAMPLE_MOMENT,
            expires_at=EXAMPLE_EXPIRY,
            event=_EVENT,
            reason="expired",
        ),
        Acknowledge(
            transaction=_TRANSACTION, at=EXAMPLE_MOMENT, expires_at=EXAMPLE_EXPIRY, events=(_EVENT,)
        ),
        OpenCompartment(
            transaction=_TRANSACTION, at=EXAMPLE_MOMENT, expires_at=EXAMPLE_EXPIRY, compartment=7
        ),
        AlarmFeedback(
            transaction=_TRANSACTION,
            at=EXAMPLE_MOMENT,
            expires_at=EXAMPLE_EXPIRY,
            event=_EVENT,
            state="received",
        ),
        SetThreshold(
            transaction=_TRANSACTION,
            at=EXAMPLE_MOMENT,
            expires_at=EXAMPLE_EXPIRY,
            body_temperature=37.3,
        ),
    )
}

RESULT_EXAMPLE: Final = Result(transaction=_TRANSACTION, at=EXAMPLE_MOMENT, ok=True)
