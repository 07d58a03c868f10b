"""States of residents in words for people."""

from __future__ import annotations

from typing import Any, Final

from portal.core.i18n import lazy
from portal.residents.models import ResidentState

STATES: Final[dict[ResidentState, tuple[Any, str]]] = {
    ResidentState.PENDING: (lazy("Waiting"), "warn"),
    ResidentState.APPROVED: (lazy("Approved"), "good"),
    ResidentState.REFUSED: (lazy("Refused"), "bad"),
}
"""Word and tone of a chip."""
