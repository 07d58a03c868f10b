"""The steps of a registration: their order, what each asks for, and which one is next.

::

    consent ──► person ──► document ──► dwelling ──► secret ──► check ──► done

Each step but the first and the last fills a few entries of the draft. One may go back to any step that has been
reached; after a change one comes to the first step that still lacks something, and so to the check at once when
nothing does.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from portal.core.i18n import lazy

CONSENT: Final = "consent"
CHECK: Final = "check"
ASKED: Final[Mapping[str, tuple[str, ...]]] = {
    "person": ("name", "phone"),
    "document": ("document_type", "document_number"),
    "dwelling": ("building", "unit", "dwelling", "relation"),
    "secret": ("password_hash",),
}
"""Entries of the draft by step, in order."""
ORDER: Final = (CONSENT, *ASKED, CHECK)
NAMES: Final[Mapping[str, Any]] = {
    CONSENT: lazy("Consent"),
    "person": lazy("Who you are"),
    "document": lazy("Document"),
    "dwelling": lazy("Dwelling"),
    "secret": lazy("Password"),
    CHECK: lazy("Check and send"),
}


def lacking(draft: Mapping[str, Any]) -> str:
    """The first step that has not been filled; the check when all have."""
    return next((step for step, names in ASKED.items() if not all(map(draft.get, names))), CHECK)


def reached(step: str, draft: Mapping[str, Any]) -> bool:
    """Whether one may be at this step already."""
    return ORDER.index(step) <= ORDER.index(lacking(draft))


def before(step: str, draft: Mapping[str, Any]) -> str:
    """Where "back" leads: to the check when one came from there, else to the step before."""
    if step != CHECK and lacking(draft) == CHECK:
        return CHECK
    return ORDER[ORDER.index(step) - 1]


def asking_for(entry: str | None) -> str:
    """The step that asks for this entry; the check for any other."""
    return next((step for step, names in ASKED.items() if entry in names), CHECK)
