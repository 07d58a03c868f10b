"""One sentence per refusal, for the line beside the field and for the command line."""

from typing import Any

from portal.core.i18n import lazy
from portal.core.identifiers.checked import Checked, Kind, Reason

MESSAGES: dict[tuple[Kind, Reason], Any] = {
    (Kind.USCC, Reason.EMPTY): lazy("Enter the unified social credit code."),
    (Kind.USCC, Reason.LENGTH): lazy("A unified social credit code has 18 characters."),
    (Kind.USCC, Reason.ALPHABET): lazy(
        "A unified social credit code has digits and capital letters only, without I, O, S, V and Z."
    ),
    (Kind.USCC, Reason.REGION): lazy(
        "Characters 3 to 8 of a unified social credit code are the digits of a region."
    ),
    (Kind.USCC, Reason.CHECK_DIGIT): lazy(
        "The last character does not fit the others: compare the code with the certificate."
    ),
    (Kind.USCC, Reason.ORGANISATION_CHECK): lazy(
        "The organisation code inside (characters 9 to 17) does not fit together: "
        "compare it with the certificate."
    ),
    (Kind.RESIDENT_ID, Reason.EMPTY): lazy("Enter the resident identity number."),
    (Kind.RESIDENT_ID, Reason.LENGTH): lazy("A resident identity number has 18 characters."),
    (Kind.RESIDENT_ID, Reason.ALPHABET): lazy(
        "A resident identity number has 17 digits, then a digit or X."
    ),
    (Kind.RESIDENT_ID, Reason.PROVINCE): lazy(
        "The first two digits name no province: compare the number with the card."
    ),
    (Kind.RESIDENT_ID, Reason.BIRTH_DATE): lazy(
        "Digits 7 to 14 are no date of birth: compare the number with the card."
    ),
    (Kind.RESIDENT_ID, Reason.BIRTH_DATE_IN_FUTURE): lazy(
        "The date of birth (digits 7 to 14) is in the future: compare the number with the card."
    ),
    (Kind.RESIDENT_ID, Reason.CHECK_DIGIT): lazy(
        "The last character does not fit the others: compare the number with the card."
    ),
    (Kind.PLATE, Reason.EMPTY): lazy("Enter the licence plate."),
    (Kind.PLATE, Reason.LENGTH): lazy("A licence plate has 7 characters, or 8 for new energy."),
    (Kind.PLATE, Reason.ALPHABET): lazy(
        "A licence plate has a province, capital letters and digits only."
    ),
    (Kind.PLATE, Reason.PROVINCE): lazy("A licence plate begins with the sign of a province."),
    (Kind.PLATE, Reason.ISSUER): lazy("A letter from A to Z, not I or O, follows the province."),
    (Kind.PLATE, Reason.PATTERN): lazy(
        "No licence plate has this order of letters and digits (I and O are not used)."
    ),
    (Kind.PHONE, Reason.EMPTY): lazy("Enter the phone number."),
    (Kind.PHONE, Reason.ALPHABET): lazy("A phone number has digits only, after a possible +."),
    (Kind.PHONE, Reason.LENGTH): lazy(
        "A mobile number has 11 digits; a number from abroad has + and 7 to 15 digits."
    ),
    (Kind.PHONE, Reason.PREFIX): lazy(
        "A mobile number begins with 13 to 19; a number from abroad with + and its country."
    ),
}
"""Every reason each checker can give; a test holds this list complete."""


def sentence(checked: Checked) -> str:
    """The translated sentence for a refusal; empty for an accepted identifier."""
    return str(MESSAGES[checked.kind, checked.reason]) if checked.reason else ""
