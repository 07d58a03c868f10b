"""Unified social credit code of a legal body (GB 32100-2015), 18 characters.

Layout: department 1, class 1, region 6 (GB/T 2260, digits), organisation code 9 (GB 11714, its
last character a check of the first eight), check character 1. The class is never refused: the
register keeps adding classes.
"""

from portal.core.identifiers.checked import Checked, Kind, Reason
from portal.core.identifiers.typed_text import compact

ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
"""31 characters: no I, O, S, V, Z (GB 32100-2015, 4.2)."""

_VALUES = {character: value for value, character in enumerate(ALPHABET)}
_WEIGHTS = tuple(pow(3, place, 31) for place in range(17))
_ORGANISATION_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)
_ORGANISATION_VALUES = {
    character: value for value, character in enumerate("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ")
}


def check_uscc(text: str | None) -> Checked:
    """Check a unified social credit code.

    Reasons in this order: empty, length, alphabet, region, check_digit, organisation_check.
    Details when accepted: department, class, region, organisation (nine characters).
    """
    value = compact(text)
    if not value:
        return Checked(Kind.USCC, value, Reason.EMPTY)
    if len(value) != 18:
        return Checked(Kind.USCC, value, Reason.LENGTH, {"length": len(value)})
    for position, character in enumerate(value, 1):
        if character not in _VALUES:
            found: dict[str, str | int | bool] = {"position": position, "character": character}
            return Checked(Kind.USCC, value, Reason.ALPHABET, found)
        if 3 <= position <= 8 and character not in "0123456789":
            return Checked(Kind.USCC, value, Reason.REGION, {"position": position})
    if value[17] != _check_character(value[:17]):
        return Checked(Kind.USCC, value, Reason.CHECK_DIGIT, {"position": 18})
    if value[16] != _organisation_check(value[8:16]):
        return Checked(Kind.USCC, value, Reason.ORGANISATION_CHECK, {"position": 17})
    parts: dict[str, str | int | bool] = {
        "department": value[0],
        "class": value[1],
        "region": value[2:8],
        "organisation": value[8:17],
    }
    return Checked(Kind.USCC, value, None, parts)


def uscc_with_check(first17: str) -> str:
    """Append the check character. Raises ValueError unless given 17 characters of the alphabet."""
    if len(first17) != 17 or not set(first17) <= set(ALPHABET):
        raise ValueError("a code is built from 17 characters of the GB 32100 alphabet")
    return first17 + _check_character(first17)


def organisation_with_check(first8: str) -> str:
    """Append the GB 11714 check to an organisation code. Raises ValueError on anything else."""
    if len(first8) != 8 or not set(first8) <= set(ALPHABET):
        raise ValueError("an organisation code is built from 8 characters of the GB 32100 alphabet")
    return first8 + _organisation_check(first8)


def _check_character(first17: str) -> str:
    total = sum(
        _VALUES[character] * weight for character, weight in zip(first17, _WEIGHTS, strict=True)
    )
    return ALPHABET[-total % 31]


def _organisation_check(first8: str) -> str:
    total = sum(
        _ORGANISATION_VALUES[character] * weight
        for character, weight in zip(first8, _ORGANISATION_WEIGHTS, strict=True)
    )
    return "0123456789X"[-total % 11]
