"""Personal data as shown by default: enough to recognise, not enough to use.

    name            张*三, 张*, J*** S****      first and last character of three or more
    phone           138****5678                 first three, last four
    identity number 110101********1234          first six, last four
    licence plate   京A·1**45                   issuer, one sign, last two
Anything of an unexpected shape shows at most half of itself.
"""

import re

_WORD_BREAK = re.compile(r"([\s·・'-]+)")
_LATIN = re.compile(r"[A-Za-z\u00c0-\u024f]")


def mask_name(name: str) -> str:
    """Mask a personal name; Latin-script names keep the first letter of each word."""
    name = name.strip()
    if _LATIN.match(name):
        pieces = _WORD_BREAK.split(name)
        return "".join(
            piece if _WORD_BREAK.fullmatch(piece) else piece[:1] + "*" * (len(piece) - 1)
            for piece in pieces
        )
    if len(name) < 2:
        return "*" * len(name)
    if len(name) == 2:
        return name[0] + "*"
    return name[0] + "*" * (len(name) - 2) + name[-1]


def mask_phone(phone: str) -> str:
    """Mask a normalised phone number: 138****5678."""
    return _middle(phone, 3, 4)


def mask_id(number: str) -> str:
    """Mask an identity number, or the number of another document by the same rule."""
    return _middle(number, 6, 4)


def write_plate(plate: str) -> str:
    """A normalised plate as it is stamped, with the dot behind the issuer: 京A·12345."""
    return f"{plate[:2]}·{plate[2:]}"


def mask_plate(plate: str) -> str:
    """Mask a normalised plate: 京A·1**45; who stands before the car knows it, who reads a list does not."""
    return write_plate(plate[:3] + "*" * max(0, len(plate) - 5) + plate[-2:])


def _middle(text: str, head: int, tail: int) -> str:
    if len(text) >= 18 or (len(text) >= 11 and head + tail <= 7):
        return text[:head] + "*" * (len(text) - head - tail) + text[-tail:]
    shown = len(text) // 4
    return text[:shown] + "*" * (len(text) - 2 * shown) + text[len(text) - shown :]
