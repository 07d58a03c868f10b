"""What people type and paste, brought to one form before a check.

Only signs that mean the same are folded: full-width forms, spaces of all kinds, invisible marks
that copying from other programs leaves behind, dashes and middle dots. Full Unicode compatibility
folding (NFKC) is not used: it would turn "²" into "2" and "①" into "1".
"""

import re

LONGEST = 64
"""Characters kept of what was typed; every identifier is shorter, so a cut one stays too long."""

_FULL_WIDTH = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x3000: 0x20}
_INVISIBLE = dict.fromkeys(
    [0x00AD, 0x200B, 0x200C, 0x200D, 0x200E, 0x200F, 0x2060, 0xFEFF, *range(0x202A, 0x202F)]
)
_DASHES = dict.fromkeys([0x2010, 0x2011, 0x2012, 0x2013, 0x2014, 0x2015, 0x2212, 0xFE63], "-")
_FOLD = _FULL_WIDTH | _INVISIBLE | _DASHES
_UPPER = {code: code - 32 for code in range(ord("a"), ord("z") + 1)}
_SEPARATORS = re.compile(r"[\s\-]+")


def fold(text: str | None) -> str:
    """Half-width, ASCII letters upper case, invisible marks gone, ends trimmed.

    Only ASCII letters change case: `str.upper` would make an "I" of the Turkish dotless i.
    """
    if not isinstance(text, str):
        return ""
    return text.translate(_FOLD).translate(_UPPER).strip()


def compact(text: str | None) -> str:
    """`fold`, with spaces and hyphens taken out; cut after `LONGEST` characters."""
    return _SEPARATORS.sub("", fold(text))[:LONGEST]
