"""Kinds, colours, classes and states of vehicles in words for people."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Final

from portal.core.i18n import lazy
from portal.core.identifiers.plate import PlateClass
from portal.vehicles.models import Belongs, Vehicle, VehicleKind, VehicleState


class Colour(StrEnum):
    """What somebody at a barrier would call it."""

    WHITE = "white"
    BLACK = "black"
    GREY = "grey"
    RED = "red"
    BLUE = "blue"
    GREEN = "green"
    YELLOW = "yellow"
    BROWN = "brown"
    OTHER = "other"


KIND_NAMES: Final[dict[str, Any]] = {
    VehicleKind.CAR: lazy("Car"),
    VehicleKind.VAN: lazy("Van or minibus"),
    VehicleKind.LORRY: lazy("Lorry"),
    VehicleKind.MOTORCYCLE: lazy("Motorcycle"),
    VehicleKind.OTHER: lazy("Another vehicle"),
}
COLOUR_NAMES: Final[dict[str, Any]] = {
    Colour.WHITE: lazy("White"),
    Colour.BLACK: lazy("Black"),
    Colour.GREY: lazy("Grey or silver"),
    Colour.RED: lazy("Red"),
    Colour.BLUE: lazy("Blue"),
    Colour.GREEN: lazy("Green"),
    Colour.YELLOW: lazy("Yellow"),
    Colour.BROWN: lazy("Brown"),
    Colour.OTHER: lazy("Another colour"),
}
BELONGS_NAMES: Final[dict[str, Any]] = {
    Belongs.OWN: lazy("My own"),
    Belongs.HOUSEHOLD: lazy("Somebody else's in my household"),
}
STAFF_BELONGS: Final[dict[str, Any]] = {
    Belongs.OWN: lazy("The resident's own"),
    Belongs.HOUSEHOLD: lazy("Somebody else's in the household"),
}
CLASS_NAMES: Final[dict[str, Any]] = {
    PlateClass.NEW_ENERGY: lazy("New energy"),
    PlateClass.ORDINARY: lazy("Ordinary"),
    PlateClass.POLICE: lazy("Police"),
    PlateClass.TRAILER: lazy("Trailer"),
    PlateClass.TRAINING: lazy("Driving school"),
    PlateClass.HONGKONG_MACAO: lazy("Hong Kong or Macao"),
    PlateClass.EMBASSY: lazy("Embassy"),
    PlateClass.CONSULATE: lazy("Consulate"),
    PlateClass.MANUAL: lazy("Military, armed police or emergency"),
}
STATES: Final[dict[str, tuple[Any, str]]] = {
    VehicleState.PENDING: (lazy("Waiting"), "warn"),
    VehicleState.VERIFIED: (lazy("Verified"), "good"),
    VehicleState.REFUSED: (lazy("Refused"), "bad"),
    VehicleState.REMOVED: (lazy("Removed"), ""),
}
"""Word and tone of a chip."""


def description(vehicle: Vehicle) -> list[Any]:
    """Colour, brand and kind, those that are known; for one line, joined by the page."""
    parts: list[Any] = [COLOUR_NAMES.get(vehicle.colour), vehicle.brand, KIND_NAMES[vehicle.kind]]
    return [part for part in parts if part]
