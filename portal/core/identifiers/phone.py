"""Telephone numbers: mainland mobile numbers, and international ones as ITU-T E.164 writes them.

A mainland mobile number is eleven digits beginning 13 to 19 and is kept without its country code;
any other is kept as "+" and 7 to 15 digits.
"""

import re

from portal.core.identifiers.checked import Checked, Kind, Reason
from portal.core.identifiers.typed_text import compact

_PUNCTUATION = str.maketrans("", "", "().")
_MOBILE = re.compile(r"1[3-9][0-9]{9}")
_ALLOWED = re.compile(r"\+?[0-9]+")
_E164 = re.compile(r"\+[1-9][0-9]{6,14}")


def check_phone(text: str | None) -> Checked:
    """Check a telephone number; +86, 0086, spaces, hyphens, brackets and full-width digits are normal.

    Reasons in this order: empty, alphabet, length, prefix. Details when accepted: region
    (mainland, international).
    """
    value = compact(text).translate(_PUNCTUATION)
    if not value:
        return Checked(Kind.PHONE, value, Reason.EMPTY)
    if not _ALLOWED.fullmatch(value):
        return Checked(Kind.PHONE, value, Reason.ALPHABET)
    if value.startswith("00"):
        value = "+" + value[2:]
    if value.startswith("+86"):
        value = value[3:]
    elif len(value) == 13 and value.startswith("86"):
        value = value[2:]
    if value.startswith("+"):
        if _E164.fullmatch(value):
            return Checked(Kind.PHONE, value, None, {"region": "international"})
        reason = Reason.PREFIX if value.startswith("+0") else Reason.LENGTH
        return Checked(Kind.PHONE, value, reason)
    if len(value) != 11:
        return Checked(Kind.PHONE, value, Reason.LENGTH, {"length": len(value)})
    if not _MOBILE.fullmatch(value):
        return Checked(Kind.PHONE, value, Reason.PREFIX)
    return Checked(Kind.PHONE, value, None, {"region": "mainland"})
