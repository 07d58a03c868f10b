"""What codes of this room are called on pages."""

from __future__ import annotations

from typing import Any, Final

from portal.core.i18n import lazy
from portal.regions.models import Level

LEVEL_NAMES: Final[dict[Level, Any]] = {
    Level.PROVINCE: lazy("Province"),
    Level.PREFECTURE: lazy("Prefecture"),
    Level.COUNTY: lazy("County"),
    Level.TOWNSHIP: lazy("Township"),
    Level.COMMUNITY: lazy("Community"),
    Level.GRID: lazy("Grid"),
}
METHOD_NAMES: Final[dict[str, Any]] = {
    "password": lazy("Password"),
    "password+code": lazy("Password and authenticator"),
    "password+recovery": lazy("Password and recovery code"),
    "passkey": lazy("Passkey"),
    "phone": lazy("Code sent to the phone"),
}
END_NAMES: Final[dict[str, Any]] = {
    "signed_out": lazy("Signed out"),
    "idle": lazy("Ended: nothing was done for a while"),
    "expired": lazy("Ended: it had lasted long enough"),
    "remote": lazy("Ended from another device"),
    "password": lazy("Ended: the password was changed"),
    "disabled": lazy("Ended by an administrator"),
}
LOCK_NAMES: Final[dict[str, Any]] = {
    "staff": lazy("Account of staff"),
    "resident": lazy("Account of a resident"),
    "unknown": lazy("A name without an account"),
    "address": lazy("A network address"),
}
