"""Resident identity number (GB 11643-1999), 18 characters.

Layout: area 6 (GB/T 2260 at the time of issue, so retired codes stay good), birth date 8, serial 3
(odd for men), check 1 (ISO 7064 MOD 11-2). Of the area only the province is looked at.
Fifteen-digit numbers of the first generation ended on 1 January 2013 and are refused by length.
"""

import re
from datetime import date, datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from portal.core.identifiers.checked import Checked, Kind, Reason
from portal.core.identifiers.typed_text import compact

PROVINCES = frozenset(
    str(code)
    for start, end in (
        (11, 15),
        (21, 23),
        (31, 37),
        (41, 46),
        (50, 54),
        (61, 65),
        (71, 71),
        (81, 83),
        (91, 91),
    )
    for code in range(start, end + 1)
)
"""Province prefixes of GB/T 2260, with 83 (residence permits for Taiwan residents) and 91 (abroad)."""

EARLIEST_BIRTH_YEAR = 1850
"""Nobody born before can be alive or on any register; such a date is a slip of the finger."""

_SHAPE = re.compile(r"[0-9]{17}[0-9X]")
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECKS = "10X98765432"
_CHINA = ZoneInfo("Asia/Shanghai")


class Sex(StrEnum):
    """Sex as the serial number of the identity number tells it."""

    MALE = "male"
    FEMALE = "female"


def check_resident_id(text: str | None, *, today: date | None = None) -> Checked:
    """Check a resident identity number; a lower-case x is taken as X.

    `today` is the day in China that no birth date may be after; by default the present one.
    Reasons in this order: empty, length, alphabet, province, birth_date, birth_date_in_future,
    check_digit. Details when accepted: area, birth_date (YYYY-MM-DD), sex (male, female).
    """
    value = compact(text)
    if not value:
        return Checked(Kind.RESIDENT_ID, value, Reason.EMPTY)
    if len(value) != 18:
        return Checked(Kind.RESIDENT_ID, value, Reason.LENGTH, {"length": len(value)})
    if not _SHAPE.fullmatch(value):
        return Checked(Kind.RESIDENT_ID, value, Reason.ALPHABET)
    if value[:2] not in PROVINCES:
        return Checked(Kind.RESIDENT_ID, value, Reason.PROVINCE, {"position": 1})
    born = _date(value[6:14])
    if born is None:
        return Checked(Kind.RESIDENT_ID, value, Reason.BIRTH_DATE, {"position": 7})
    if born > (today or datetime.now(_CHINA).date()):
        return Checked(Kind.RESIDENT_ID, value, Reason.BIRTH_DATE_IN_FUTURE, {"position": 7})
    if value[17] != _check_character(value[:17]):
        return Checked(Kind.RESIDENT_ID, value, Reason.CHECK_DIGIT, {"position": 18})
    sex = Sex.MALE if int(value[16]) % 2 else Sex.FEMALE
    details: dict[str, str | int | bool] = {
        "area": value[:6],
        "birth_date": born.isoformat(),
        "sex": sex.value,
    }
    return Checked(Kind.RESIDENT_ID, value, None, details)


def birth_date(checked: Checked) -> date:
    """Birth date of an accepted number. Raises ValueError for anything else."""
    return date.fromisoformat(str(_accepted(checked).details["birth_date"]))


def sex(checked: Checked) -> Sex:
    """Sex of the holder of an accepted number. Raises ValueError for anything else."""
    return Sex(str(_accepted(checked).details["sex"]))


def resident_id_with_check(first17: str) -> str:
    """Append the check character. Raises ValueError unless given 17 ASCII digits."""
    if not re.fullmatch(r"[0-9]{17}", first17):
        raise ValueError("a resident identity number is built from 17 digits")
    return first17 + _check_character(first17)


def _accepted(checked: Checked) -> Checked:
    if checked.kind is not Kind.RESIDENT_ID or not checked.valid:
        raise ValueError("only an accepted resident identity number tells about its holder")
    return checked


def _date(digits: str) -> date | None:
    try:
        born = date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return None
    return born if born.year >= EARLIEST_BIRTH_YEAR else None


def _check_character(first17: str) -> str:
    total = sum(int(digit) * weight for digit, weight in zip(first17, _WEIGHTS, strict=True))
    return _CHECKS[total % 11]
