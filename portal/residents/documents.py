"""Names and identity documents as typed: checked and normalised.

The resident identity number has a check digit (GB 11643). Other documents are accepted by type: their
issuers have changed the layouts more than once, so only length and alphabet are looked at.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Any, Final

from portal.core.i18n import lazy
from portal.core.identifiers import check_resident_id, sentence
from portal.residents.models import DocumentType

LONGEST_NAME: Final = 60
_BLANKS: Final = re.compile(r"\s+")
_SEPARATORS: Final = re.compile(r"[\s\-()]+")
_OTHER: Final = re.compile(r"[A-Z0-9]{6,20}")


def clean_name(typed: str) -> str:
    """A name without surplus blanks and full-width forms (NFKC)."""
    return _BLANKS.sub(" ", unicodedata.normalize("NFKC", typed)).strip()


def name_problem(name: str) -> Any | None:
    """What is wrong with a cleaned name, as a sentence; ``None`` when nothing is."""
    if not name:
        return lazy("Enter the name as it stands in the document.")
    if len(name) > LONGEST_NAME:
        return lazy("A name has at most %(number)s characters.", number=LONGEST_NAME)
    letters = [c for c in name if unicodedata.category(c).startswith("L")]
    strange = [
        c
        for c in name
        if not unicodedata.category(c).startswith(("L", "M")) and c not in " ·•・‧'’.-"
    ]
    if not letters or strange:
        return lazy("A name has letters or Chinese characters only, no digits or signs.")
    return None


def check_document(kind: DocumentType, typed: str) -> tuple[str, Any | None]:
    """The normalised number, and what is wrong with it (``None`` when nothing is)."""
    if kind is DocumentType.RESIDENT_ID:
        checked = check_resident_id(typed)
        return checked.value, None if checked.valid else sentence(checked)
    number = _SEPARATORS.sub("", unicodedata.normalize("NFKC", typed)).upper()
    if not number:
        return number, lazy("Enter the number of the document.")
    if not _OTHER.fullmatch(number):
        return number, lazy("The number of this document has 6 to 20 letters and digits.")
    return number, None
