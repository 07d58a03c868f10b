"""Finding things by what staff type into one box, as the features offer it.

A feature offers ``find(session, actor, query)`` in its module ``search``. Personal identifiers are found
by their keyed hash, so a whole number finds and a part of one does not; what is found is shown masked.
Each ``find`` answers only what the actor may list, region by region, and nothing where it may list nothing:
what is not there and what is not allowed look the same.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from portal.core.identifiers import check_phone, check_plate, check_resident_id
from portal.core.identifiers.names import whole_name
from portal.core.identifiers.plate import PROVINCES
from portal.core.identifiers.typed_text import compact, fold

MOST: Final = 20
"""Hits of one feature."""
LONGEST: Final = 64
"""Signs of a text that are looked at."""

_DOCUMENT: Final = re.compile(r"(?=.*[A-Z])(?=(?:[A-Z]*[0-9]){4})[0-9A-Z]{6,20}|[0-9]{8,10}")
"""Numbers of documents other than the resident identity card; loose, for issuers change their layouts."""
_TAIL: Final = re.compile(r"[A-HJ-NP-Z](?=(?:[A-Z]*[0-9]){3})[A-Z0-9]{4,6}")
"""A plate without its province."""
_BUILDING: Final = r"([0-9]{1,4}|[A-Z])(?:号楼|栋|幢|座|号|#楼|#|楼)"
_HOME: Final = re.compile(
    rf"(?:{_BUILDING}|([0-9]{{1,4}}|[A-Z])[-/ ])"
    r"(?:([0-9]{1,3})(?:单元|门|[-/ ]))?"
    r"([0-9]{2,5}[A-Z]?)(?:室|号|户)?"
)
_STAIR: Final = re.compile(rf"{_BUILDING}(?:([0-9]{{1,3}})单元)?")
_NUMBER: Final = re.compile(r"([0-9]{3,4}[A-Z]?)(?:室|户)?")


class Key(StrEnum):
    """Kinds of identifiers that point at a person; looking for one is audited by this name."""

    PHONE = "phone"
    DOCUMENT = "document"
    PLATE = "plate"
    NAME = "name"


class Part(StrEnum):
    """What a text looks like a part of; a part finds nothing, and the page says so."""

    PHONE = "phone"
    DOCUMENT = "document"
    PLATE = "plate"
    SURNAME = "surname"


@dataclass(frozen=True, slots=True)
class Door:
    """Words of a dwelling's label, such as "1", "2", "301" of ``1号楼2单元301``. What is missing is any."""

    building: str | None = None
    unit: str | None = None
    number: str | None = None


@dataclass(frozen=True, slots=True)
class Query:
    """What was typed, trimmed and with full-width characters made plain; ``text`` is never empty.

    Args:
        text: as typed, letters in their case.
        now: when it was asked (aware UTC).
        phone, plate: normalised, when the text is a whole one.
        document: normalised, when it may be a whole number of an identity document.
        name: the key of a whole name (:func:`portal.core.identifiers.names.name_key`).
        door: what it says as a dwelling's label.
    """

    text: str
    now: datetime
    phone: str | None = None
    document: str | None = None
    plate: str | None = None
    name: str | None = None
    door: Door | None = None

    @property
    def keys(self) -> tuple[Key, ...]:
        """The identifiers of a person that the text may be."""
        each = (
            (Key.PHONE, self.phone),
            (Key.DOCUMENT, self.document),
            (Key.PLATE, self.plate),
            (Key.NAME, self.name),
        )
        return tuple(key for key, value in each if value)

    @property
    def part(self) -> Part | None:
        """What the text looks like a part of; a few digits may be both that and a whole document number."""
        if self.phone or self.plate or self.name or self.door:
            return None
        plain = compact(self.text)
        if re.match(f"[{PROVINCES}][A-Z]", plain) or _TAIL.fullmatch(self.text.upper()):
            return Part.PLATE
        if re.fullmatch(r"[0-9]{4,10}", plain):
            return Part.PHONE
        if re.fullmatch(r"[0-9]{12,17}", plain):
            return Part.DOCUMENT
        return Part.SURNAME if len(plain) == 1 and plain.isalpha() else None


def query_of(typed: str, now: datetime) -> Query | None:
    """What a text may mean; ``None`` when there is nothing in it."""
    text = " ".join(_plain(typed).split())[:LONGEST].strip()
    if not text:
        return None
    phone, plate = check_phone(text), check_plate(text)
    return Query(
        text=text,
        now=now,
        phone=phone.value if phone.valid else None,
        document=None if phone.valid else _document(text),
        plate=plate.value if plate.valid else None,
        name=whole_name(text),
        door=_door(fold(text)),
    )


def _document(text: str) -> str | None:
    card = check_resident_id(text)
    if card.valid:
        return card.value
    number = compact(text)
    return number if _DOCUMENT.fullmatch(number) else None


def _plain(typed: str) -> str:
    """Without full-width forms and control characters."""
    half = "".join(chr(ord(c) - 0xFEE0) if 0xFF01 <= ord(c) < 0xFF5F else c for c in typed)
    return "".join(c if c.isprintable() else " " for c in half.replace("\u3000", " "))


def _door(text: str) -> Door | None:
    """The label of a dwelling, of a stair or a building, or a number alone."""
    tight = re.sub(r"\s*(号楼|栋|幢|座|单元|门|室|户|-|/)\s*", r"\1", text)
    if home := _HOME.fullmatch(tight):
        return Door(home[1] or home[2], home[3], home[4])
    if stair := _STAIR.fullmatch(tight):
        return Door(stair[1], stair[2])
    if number := _NUMBER.fullmatch(tight):
        return Door(number=number[1])
    return None


@dataclass(frozen=True, slots=True)
class Hit:
    """Something found: masked title, what it is, and its page. ``exact`` ones stand first."""

    kind: Any
    title: Any
    about: Any
    href: str
    icon: str
    exact: bool = False
