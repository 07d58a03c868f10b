# Generated from mqtt/contract by `linli contract generate`, do not edit.
"""What is wrong with a message."""

from __future__ import annotations

from enum import StrEnum


class Fault(StrEnum):
    """Why a message was put aside."""

    TOPIC = "unknown_topic"
    KIND = "unknown_kind"
    SIZE = "oversized"
    JSON = "malformed_json"
    SHAPE = "wrong_shape"
    STALE = "stale"
    FUTURE = "future"
    DEVICE = "unknown_device"


class MessageError(ValueError):
    """A payload that this contract does not allow; ``fault`` says which rule it broke."""

    def __init__(self, fault: Fault, detail: str) -> None:
        super().__init__(f"{fault}: {detail}")
        self.fault = fault
        self.detail = detail
