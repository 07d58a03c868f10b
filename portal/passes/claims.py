"""What a pass says: CWT claims (RFC 8392) without any personal data.

    key   claim                          value
     1    iss  issuing community         text, its unified social credit code
     4    exp  not valid from            seconds since 1970
     5    nbf  valid from                seconds since 1970
     6    iat  issued                    seconds since 1970
     7    cti  code id                   8 random bytes, new for each code shown: a replay shows
    -1    pass id                        16 bytes, the same for every code of one pass
    -2    kind                           1 resident, 2 visitor, 3 courier, 4 staff, 5 card
    -3    scope                          array of gate scopes (numbers or short text), empty: all
    -4    use limit                      passages allowed, 0: unlimited
    -5    offline                        true: kept by a phone for when it has no network

All but the last are always present: an absent scope must never read as "all". The last stands only where
it is true; readers that do not know it lose nothing. Other claims are ignored.
"""

import re
import secrets
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import IntEnum
from typing import Any

ISSUER, EXPIRES, NOT_BEFORE, ISSUED, CODE_ID = 1, 4, 5, 6, 7
PASS_ID, KIND, SCOPE, USE_LIMIT, OFFLINE = -1, -2, -3, -4, -5

CODE_ID_BYTES = 8
PASS_ID_BYTES = 16
LARGEST_NUMBER = 2**32 - 1
"""Of times (until 2106), scopes and use limits: locks count in 32 bits."""
LONGEST_SCOPE_TEXT = 32
MOST_SCOPES = 32

_ISSUER = re.compile(r"[0-9A-Z]{18}")
_SCOPE_TEXT = re.compile(r"[0-9A-Za-z._-]{1,32}")


class PassKind(IntEnum):
    """Whose pass it is; the numbers are part of the format."""

    RESIDENT = 1
    VISITOR = 2
    COURIER = 3
    STAFF = 4
    CARD = 5

    @property
    def word(self) -> str:
        """The kind as a lower-case word, as the database and JSON have it."""
        return self.name.lower()

    @classmethod
    def from_word(cls, word: str) -> "PassKind":
        """The kind of that word. Raises ValueError for any other."""
        for kind in cls:
            if kind.word == word:
                return kind
        raise ValueError(f"there is no pass kind {word!r}")


def new_code_id() -> bytes:
    """Eight random bytes for one code shown."""
    return secrets.token_bytes(CODE_ID_BYTES)


@dataclass(frozen=True, slots=True, kw_only=True)
class PassClaims:
    """The claims of one code. Times are kept as aware UTC in whole seconds.

    Raises ValueError for anything the format cannot carry, and for an end before its beginning.
    """

    issuer: str
    pass_id: bytes
    kind: PassKind
    issued_at: datetime
    not_before: datetime
    expires_at: datetime
    scope: tuple[int | str, ...] = ()
    use_limit: int = 0
    code_id: bytes = field(default_factory=new_code_id)
    offline: bool = False

    def __post_init__(self) -> None:
        if not _ISSUER.fullmatch(self.issuer):
            raise ValueError("the issuer is a unified social credit code of 18 characters")
        if len(self.pass_id) != PASS_ID_BYTES or len(self.code_id) != CODE_ID_BYTES:
            raise ValueError("a pass id has 16 bytes, a code id 8")
        object.__setattr__(self, "kind", PassKind(self.kind))
        for name in ("issued_at", "not_before", "expires_at"):
            object.__setattr__(self, name, _whole_seconds(getattr(self, name)))
        if self.expires_at <= self.not_before:
            raise ValueError("a pass expires after it begins")
        if len(self.scope) > MOST_SCOPES or not all(_is_scope(entry) for entry in self.scope):
            raise ValueError(f"a scope is up to {MOST_SCOPES} numbers or short ASCII words")
        if not _is_number(self.use_limit):
            raise ValueError("a use limit is a number from 0")

    def renewed(self, issued_at: datetime, expires_at: datetime) -> "PassClaims":
        """The same pass as a new code, valid from `issued_at` to `expires_at`."""
        return replace(
            self,
            issued_at=issued_at,
            not_before=issued_at,
            expires_at=expires_at,
            code_id=new_code_id(),
        )

    def to_map(self) -> dict[int, object]:
        """The claims map as it is signed."""
        claims: dict[int, object] = {
            ISSUER: self.issuer,
            EXPIRES: int(self.expires_at.timestamp()),
            NOT_BEFORE: int(self.not_before.timestamp()),
            ISSUED: int(self.issued_at.timestamp()),
            CODE_ID: self.code_id,
            PASS_ID: self.pass_id,
            KIND: int(self.kind),
            SCOPE: list(self.scope),
            USE_LIMIT: self.use_limit,
        }
        return claims | ({OFFLINE: True} if self.offline else {})

    @classmethod
    def from_map(cls, claims: Any) -> "PassClaims":
        """Read a decoded claims map. Raises ValueError when a claim is missing or of another type."""
        if not isinstance(claims, dict):
            raise ValueError("the claims are no map")  # noqa: TRY004 - one error for bad input
        if claims.get(OFFLINE, True) is not True:
            raise ValueError("the mark of an offline code is true, or not there")
        return cls(
            issuer=_take(claims, ISSUER, str),
            pass_id=_take(claims, PASS_ID, bytes),
            kind=PassKind(_take(claims, KIND, int)),
            issued_at=_instant(_take(claims, ISSUED, int)),
            not_before=_instant(_take(claims, NOT_BEFORE, int)),
            expires_at=_instant(_take(claims, EXPIRES, int)),
            scope=tuple(_take(claims, SCOPE, list)),
            use_limit=_take(claims, USE_LIMIT, int),
            code_id=_take(claims, CODE_ID, bytes),
            offline=OFFLINE in claims,
        )

    def as_json(self) -> dict[str, object]:
        """Plain values for `--json` and logs; ids as hexadecimal, times as RFC 3339."""
        return {
            "issuer": self.issuer,
            "pass_id": self.pass_id.hex(),
            "code_id": self.code_id.hex(),
            "kind": self.kind.word,
            "issued_at": self.issued_at.isoformat(),
            "not_before": self.not_before.isoformat(),
            "expires_at": self.expires_at.isoformat(),
            "scope": list(self.scope),
            "use_limit": self.use_limit,
            "offline": self.offline,
        }


def _take(claims: dict[Any, Any], key: int, kind: type[Any]) -> Any:
    value = claims.get(key)
    if type(value) is not kind:  # exact: True is no number here
        raise ValueError(f"claim {key} is missing or of another type")
    return value


def _instant(seconds: int) -> datetime:
    if not _is_number(seconds):
        raise ValueError("a time is out of range")
    return datetime.fromtimestamp(seconds, UTC)


def _whole_seconds(instant: datetime) -> datetime:
    if instant.tzinfo is None:
        raise ValueError("a time needs its zone")
    instant = instant.astimezone(UTC).replace(microsecond=0)
    if not _is_number(int(instant.timestamp())):
        raise ValueError("a time is out of range")
    return instant


def _is_number(value: object) -> bool:
    return type(value) is int and 0 <= value <= LARGEST_NUMBER


def _is_scope(entry: object) -> bool:
    return _is_number(entry) or (isinstance(entry, str) and bool(_SCOPE_TEXT.fullmatch(entry)))
