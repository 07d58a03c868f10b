"""The answer of every identifier check: what it was, what it became, and why it was refused."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Kind(StrEnum):
    """Which identifier was checked."""

    USCC = "uscc"
    RESIDENT_ID = "resident_id"
    PLATE = "plate"
    PHONE = "phone"


class Reason(StrEnum):
    """Why an identifier was refused; a machine's word, kept stable."""

    EMPTY = "empty"
    LENGTH = "length"
    ALPHABET = "alphabet"
    REGION = "region"
    CHECK_DIGIT = "check_digit"
    ORGANISATION_CHECK = "organisation_check"
    BIRTH_DATE = "birth_date"
    BIRTH_DATE_IN_FUTURE = "birth_date_in_future"
    PROVINCE = "province"
    ISSUER = "issuer"
    PATTERN = "pattern"
    PREFIX = "prefix"


@dataclass(frozen=True, slots=True)
class Checked:
    """One identifier after its check.

    `value` is the normalised text (half-width, upper case, no separators), also when refused, so
    that a form can show what was understood. `details` holds what the identifier itself says
    (JSON-ready values); for a refusal it may name the `position` (from 1) at fault.
    """

    kind: Kind
    value: str
    reason: Reason | None = None
    details: Mapping[str, str | int | bool] = field(default_factory=dict, hash=False)

    @property
    def valid(self) -> bool:
        """Whether the identifier may be accepted as it stands."""
        return self.reason is None

    @property
    def overridable(self) -> bool:
        """Whether an administrator may accept it all the same, audited.

        A few early unified social credit codes were legally issued with a wrong check character.
        """
        return self.kind is Kind.USCC and self.reason in (
            Reason.CHECK_DIGIT,
            Reason.ORGANISATION_CHECK,
        )

    def as_json(self) -> dict[str, object]:
        """Plain values for `--json` and the API."""
        return {
            "kind": self.kind.value,
            "value": self.value,
            "valid": self.valid,
            "reason": self.reason.value if self.reason else None,
            "details": dict(self.details),
        }
