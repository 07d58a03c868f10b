"""States and faults in words, for whoever looks: a resident, a courier, staff."""

from __future__ import annotations

from typing import Any, Final

from portal.core.i18n import lazy
from portal.parcels.models import CompartmentState, Fault, ParcelState, Size

SIZE_NAMES: Final[dict[str, Any]] = {
    Size.S: lazy("Small"),
    Size.M: lazy("Middle"),
    Size.L: lazy("Large"),
}
STATE_NAMES: Final[dict[str, Any]] = {
    ParcelState.RESERVED: lazy("Not laid in yet"),
    ParcelState.OPENING: lazy("Door is opening"),
    ParcelState.OPEN: lazy("Door is open"),
    ParcelState.STORED: lazy("Waits to be fetched"),
    ParcelState.UNLOCKING: lazy("Door is opening"),
    ParcelState.TAKING: lazy("Door is open"),
    ParcelState.FETCHED: lazy("Fetched"),
    ParcelState.RETURNED: lazy("Given back"),
    ParcelState.CANCELLED: lazy("Given up"),
}
STATE_TONES: Final[dict[str, str]] = {
    ParcelState.RESERVED: "warn",
    ParcelState.OPENING: "info",
    ParcelState.OPEN: "info",
    ParcelState.STORED: "good",
    ParcelState.UNLOCKING: "info",
    ParcelState.TAKING: "info",
}
COMPARTMENT_NAMES: Final[dict[str, Any]] = {
    CompartmentState.FREE: lazy("Free"),
    CompartmentState.RESERVED: lazy("Reserved"),
    CompartmentState.OCCUPIED: lazy("Occupied"),
    CompartmentState.OUT_OF_ORDER: lazy("Out of order"),
}
COMPARTMENT_TONES: Final[dict[str, str]] = {
    CompartmentState.FREE: "good",
    CompartmentState.RESERVED: "info",
    CompartmentState.OCCUPIED: "warn",
    CompartmentState.OUT_OF_ORDER: "bad",
}
FAULT_NAMES: Final[dict[str, Any]] = {
    Fault.JAMMED: lazy("The door is jammed"),
    Fault.NO_ANSWER: lazy("The door did not report that it opened"),
    Fault.OFFLINE: lazy("The locker was offline"),
    Fault.NOT_CLOSED: lazy("The door stands open"),
    Fault.CLOSED_EMPTY: lazy("The door was closed on nothing"),
    Fault.CLOSED_FULL: lazy("The door was closed with the parcel inside"),
    Fault.FORCED: lazy("The door opened without having been asked"),
    Fault.UNKNOWN_CONTENT: lazy("Something is inside that belongs to no parcel"),
    Fault.GONE: lazy("The compartment reports that the parcel is not inside"),
    Fault.BY_STAFF: lazy("Set aside by staff"),
}
COURIER_STEPS: Final[dict[str, Any]] = {
    Fault.JAMMED: lazy("This door is jammed and has been set aside. Take another compartment."),
    Fault.NO_ANSWER: lazy(
        "The door did not open. It has been set aside: take another compartment."
    ),
    Fault.OFFLINE: lazy("The locker is offline. Try again in a minute, or use another locker."),
    Fault.NOT_CLOSED: lazy("The door still stands open. Close it until it clicks."),
    Fault.CLOSED_EMPTY: lazy(
        "The door was closed, but nothing is inside. Open it again, or take a larger compartment."
    ),
    Fault.CLOSED_FULL: lazy("The parcel is still inside."),
}
"""What a courier does next."""
RESIDENT_STEPS: Final[dict[str, Any]] = {
    Fault.JAMMED: lazy("The door is jammed. Staff have been told and will open it for you."),
    Fault.NO_ANSWER: lazy("The door did not open. Try once more; staff have been told."),
    Fault.OFFLINE: lazy("The locker is offline. Try again in a minute."),
    Fault.NOT_CLOSED: lazy("The door still stands open. Please close it until it clicks."),
    Fault.CLOSED_FULL: lazy(
        "The door was closed with the parcel inside. Open it again to take it."
    ),
    Fault.FORCED: lazy("The door opened without having been asked. Staff have been told."),
    Fault.GONE: lazy("The locker says that the compartment is empty. Staff have been told."),
}
"""What a recipient does next."""
