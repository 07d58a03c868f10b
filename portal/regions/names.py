"""What a region, a building or a door may be called."""

from __future__ import annotations

import re
from typing import Any, Final

from portal.core.errors import DomainError
from portal.core.i18n import lazy
from portal.core.identifiers.typed_text import fold
from portal.regions.sheets import cell_fault

REGION_NAME: Final = 80
BUILDING_NAME: Final = 40
DOOR_NUMBER: Final = 16
REASON: Final = 200
_SPACES: Final = re.compile(r"\s+")


def region_name(typed: str) -> str:
    """A region's name, trimmed.

    Raises:
        DomainError: empty, too long, without a letter, or with what does not belong in a name.
    """
    name = _SPACES.sub(" ", typed.strip(" \u3000"))
    _check(name, "name", REGION_NAME)
    if not any(c.isalpha() for c in name):
        raise DomainError("name_malformed", lazy("A name is written in letters."), field="name")
    return name


def place_name(typed: str, field: str, longest: int = BUILDING_NAME) -> str:
    """Name of a building or unit, or a door's number: half-width, so that ``１号楼`` is ``1号楼``.

    Raises:
        DomainError: as for :func:`region_name`.
    """
    name = _SPACES.sub(" ", fold(typed))
    _check(name, field, longest)
    return name


def _check(name: str, field: str, longest: int) -> None:
    if not name:
        raise DomainError("name_missing", lazy("Enter a name."), field=field)
    wrong: tuple[str, Any] | None = cell_fault(name)
    if wrong is not None:
        raise DomainError(wrong[0], wrong[1], field=field)
    if len(name) > longest:
        raise DomainError(
            "name_long", lazy("At most %(number)s characters.", number=longest), field=field
        )


def change_reason(typed: str) -> str:
    """Why somebody changes something: one or two sentences.

    Raises:
        DomainError: missing or too long.
    """
    reason = _SPACES.sub(" ", typed.strip())
    if len(reason) < 2:
        raise DomainError("reason_missing", lazy("Say in a few words why."), field="reason")
    if len(reason) > REASON:
        raise DomainError(
            "reason_long", lazy("At most %(number)s characters.", number=REASON), field="reason"
        )
    return reason
