"""Licence plates of motor vehicles (GA 36) and the class a plate's shape tells.

Military, armed police and emergency plates follow rules that are not published in full. They are
recognised loosely and get the class `manual`: a person decides, nothing opens by itself, so a
shape taken too widely does no harm. Whether a plate opens a gate is decided elsewhere, on an exact
match of the normalised value.
"""

import re
from enum import StrEnum

from portal.core.identifiers.checked import Checked, Kind, Reason
from portal.core.identifiers.typed_text import compact

PROVINCES = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼"


class PlateClass(StrEnum):
    """Class of a plate, by its shape."""

    NEW_ENERGY = "new_energy"
    ORDINARY = "ordinary"
    POLICE = "police"
    TRAILER = "trailer"
    TRAINING = "training"
    HONGKONG_MACAO = "hongkong_macao"
    EMBASSY = "embassy"
    CONSULATE = "consulate"
    MANUAL = "manual"


_P = f"[{PROVINCES}]"
_L = "A-HJ-NP-Z"

_SHAPES: tuple[tuple[PlateClass, re.Pattern[str]], ...] = tuple(
    (plate_class, re.compile(shape))
    for plate_class, shape in (
        (PlateClass.NEW_ENERGY, rf"{_P}[{_L}](?:[A-HJK][{_L}0-9][0-9]{{4}}|[0-9]{{5}}[A-HJK])"),
        (PlateClass.ORDINARY, rf"{_P}[{_L}][{_L}0-9]{{5}}"),
        (PlateClass.TRAILER, rf"{_P}[{_L}][{_L}0-9]{{4}}挂"),
        (PlateClass.TRAINING, rf"{_P}[{_L}][{_L}0-9]{{4}}学"),
        (PlateClass.POLICE, rf"{_P}[{_L}][{_L}0-9]{{4}}警"),
        (PlateClass.HONGKONG_MACAO, rf"粤Z[{_L}0-9]{{4}}[港澳]"),
        (PlateClass.EMBASSY, r"使[0-9]{6}|[0-9]{6}使"),
        (PlateClass.CONSULATE, rf"{_P}[{_L}][0-9]{{4}}领"),
        # armed police; military; emergency rescue: loose on purpose, see above
        (PlateClass.MANUAL, rf"WJ{_P}?[0-9]{{4}}[A-Z0-9]"),
        (PlateClass.MANUAL, r"[A-Z]{2}[0-9]{5}"),
        (PlateClass.MANUAL, rf"(?:{_P}|国)[A-Z]{{1,2}}[0-9]{{3,5}}应急?"),
    )
)

_DOTS = str.maketrans("", "", "·•・‧∙.")
_KNOWN = re.compile(rf"[{PROVINCES}A-Z0-9挂学警港澳使领国应急]*")


def check_plate(text: str | None) -> Checked:
    """Check a plate; spaces, hyphens and the middle dot do not count.

    Reasons in this order: empty, length, alphabet, province (what it begins with), issuer (its
    second character), pattern. Details when accepted: class, opens_automatically (false for
    `manual`), and province where the plate has one.
    """
    value = compact(text).translate(_DOTS)
    if not value:
        return Checked(Kind.PLATE, value, Reason.EMPTY)
    for plate_class, shape in _SHAPES:
        if shape.fullmatch(value):
            details: dict[str, str | int | bool] = {
                "class": plate_class.value,
                "opens_automatically": plate_class is not PlateClass.MANUAL,
            }
            if value[0] in PROVINCES:
                details["province"] = value[0]
            return Checked(Kind.PLATE, value, None, details)
    return Checked(Kind.PLATE, value, _refusal(value))


def plate_class(checked: Checked) -> PlateClass:
    """Class of an accepted plate. Raises ValueError for anything else."""
    if checked.kind is not Kind.PLATE or not checked.valid:
        raise ValueError("only an accepted plate has a class")
    return PlateClass(str(checked.details["class"]))


def _refusal(value: str) -> Reason:
    if not 7 <= len(value) <= 8:
        return Reason.LENGTH
    if not _KNOWN.fullmatch(value):
        return Reason.ALPHABET
    if value[0] not in PROVINCES and not {"使", "国"} & set(value):
        return Reason.PROVINCE
    if value[0] in PROVINCES and not re.match(f"[{_L}]", value[1]):
        return Reason.ISSUER
    return Reason.PATTERN
