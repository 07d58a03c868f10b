"""Device kinds, events, commands and their states in words for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from mqtt.contract.telemetry import DeviceKind
from portal.core.i18n import _, lazy
from portal.core.outbox import OutboxState

KIND_NAMES: Final[dict[str, Any]] = {
    DeviceKind.DOOR_LOCK: lazy("Door lock"),
    DeviceKind.THERMOMETER: lazy("Thermometer"),
    DeviceKind.PARCEL_LOCKER: lazy("Parcel locker"),
    DeviceKind.ALARM_BUTTON: lazy("Alarm button"),
}
KIND_ICONS: Final[dict[str, str]] = {
    DeviceKind.DOOR_LOCK: "gate",
    DeviceKind.THERMOMETER: "temperature",
    DeviceKind.PARCEL_LOCKER: "locker",
    DeviceKind.ALARM_BUTTON: "alarm",
}
COMMAND_NAMES: Final[dict[str, Any]] = {
    "unlock": lazy("Open the door"),
    "refuse": lazy("Refuse at the gate"),
    "open_compartment": lazy("Open a compartment"),
    "alarm_feedback": lazy("Tell the wearer"),
    "set_threshold": lazy("Set the temperature limit"),
}
COMMAND_STATES: Final[dict[str, tuple[Any, str]]] = {
    OutboxState.PENDING: (lazy("waiting to be sent"), "warn"),
    OutboxState.PUBLISHED: (lazy("sent, no answer yet"), "info"),
    OutboxState.DONE: (lazy("done"), "good"),
    OutboxState.FAILED: (lazy("failed"), "bad"),
    OutboxState.EXPIRED: (lazy("too late"), ""),
}
"""Sentence and tone of a chip."""

_DOOR: Final[dict[str, tuple[Any, str]]] = {
    "opened": (lazy("Door opened"), ""),
    "closed": (lazy("Door closed"), ""),
    "held_open": (lazy("Door held open too long"), "warn"),
    "forced": (lazy("Door forced"), "bad"),
}
_ALARM: Final[dict[str, tuple[Any, str]]] = {
    "pressed": (lazy("Alarm button pressed"), "bad"),
    "cancelled": (lazy("Alarm cancelled"), "warn"),
    "tested": (lazy("Alarm button tested"), "good"),
}
_COMPARTMENT: Final[dict[str, tuple[Any, str]]] = {
    "opened": (lazy("Compartment %(number)s opened"), ""),
    "closed": (lazy("Compartment %(number)s closed"), ""),
    "jammed": (lazy("Compartment %(number)s is jammed"), "bad"),
}


def event_words(kind: str, body: Mapping[str, Any]) -> tuple[str, str]:
    """An event as a short sentence, and the tone of its chip."""
    if kind == "door" and body.get("state") in _DOOR:
        words, tone = _DOOR[str(body["state"])]
        return str(words), tone
    if kind == "alarm" and body.get("action") in _ALARM:
        words, tone = _ALARM[str(body["action"])]
        return str(words), tone
    if kind == "compartment" and body.get("state") in _COMPARTMENT:
        words, tone = _COMPARTMENT[str(body["state"])]
        return str(words) % {"number": body.get("compartment", "?")}, tone
    if kind == "tamper":
        return (_("Case opened"), "bad") if body.get("active") else (_("Case closed"), "good")
    if kind == "boot":
        return _("Device started"), ""
    if kind == "reading":
        over = bool(body.get("over_threshold"))
        words = _("Temperature above the limit") if over else _("Temperature measured")
        return words, "warn" if over else ""
    return kind, ""


def command_words(name: str) -> str:
    """A command in words; unknown ones as they are."""
    return str(COMMAND_NAMES.get(name, name))
