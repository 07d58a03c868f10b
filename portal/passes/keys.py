"""The public keys passes are checked with, and their published form.

A key belongs to a span of time, and to one community, so that no community can sign for another.
The keys of an installation that signs for all its communities itself have the community null.
Published as a JSON Web Key Set (RFC 7517, RFC 8037) with three members more for each key:

    {"keys": [{"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "kid": "<16 hex digits>",
               "x": "<base64url>", "community": "<code>" or null, "nbf": seconds, "exp": seconds}]}
"""

import base64
import binascii
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import msgspec

from portal.core.crypto.signing import JWK_NAMES, VerifyKey


class KeySetError(ValueError):
    """A published key set is malformed; the message names the key at fault."""


@dataclass(frozen=True, slots=True)
class PassKey:
    """A public key, the community it may sign for (None: any) and its span, end not included."""

    key: VerifyKey
    community: str | None
    not_before: datetime
    not_after: datetime

    def __post_init__(self) -> None:
        if self.not_before.tzinfo is None or self.not_after.tzinfo is None:
            raise ValueError("the span of a key needs its zone")
        if self.not_after <= self.not_before:
            raise ValueError("a key ends after it begins")

    @property
    def key_id(self) -> bytes:
        """Eight bytes naming the key."""
        return self.key.key_id

    def may_sign_for(self, community: str) -> bool:
        """Whether passes of that community may carry this key's signature."""
        return self.community is None or self.community == community

    def valid_at(self, now: datetime, skew: timedelta) -> bool:
        """Whether the key counts at `now`, clocks being off by up to `skew`."""
        return self.not_before - skew <= now < self.not_after + skew


class _Record(msgspec.Struct, forbid_unknown_fields=False):
    kty: str
    crv: str
    alg: str
    kid: str
    x: str
    community: str | None
    nbf: int
    exp: int


class _Document(msgspec.Struct):
    keys: list[_Record]


class KeySet:
    """Public keys by key id; never changes."""

    __slots__ = ("_keys",)

    def __init__(self, keys: Iterable[PassKey] = ()) -> None:
        self._keys = {key.key_id: key for key in keys}

    def find(self, key_id: bytes) -> PassKey | None:
        """The key of that id, if it is known."""
        return self._keys.get(key_id)

    def __iter__(self) -> Iterator[PassKey]:
        return iter(self._keys.values())

    def __len__(self) -> int:
        return len(self._keys)

    def to_json(self) -> str:
        """The published form, ordered by key id."""
        records = [
            _Record(
                **JWK_NAMES,
                kid=key.key_id.hex(),
                x=base64.urlsafe_b64encode(key.key.raw).rstrip(b"=").decode("ascii"),
                community=key.community,
                nbf=int(key.not_before.timestamp()),
                exp=int(key.not_after.timestamp()),
            )
            for key in sorted(self, key=lambda key: key.key_id)
        ]
        return msgspec.json.format(msgspec.json.encode(_Document(records)), indent=2).decode()

    @classmethod
    def from_json(cls, text: str | bytes) -> "KeySet":
        """Read the published form. Raises KeySetError; unknown members are ignored."""
        try:
            document = msgspec.json.decode(text, type=_Document)
        except (msgspec.DecodeError, UnicodeError) as error:
            raise KeySetError(f"not a key set: {error}") from error
        keys = [_read(record) for record in document.keys]
        if len({key.key_id for key in keys}) != len(keys):
            raise KeySetError("a key is there twice")
        return cls(keys)


def _read(record: _Record) -> PassKey:
    if {"kty": record.kty, "crv": record.crv, "alg": record.alg} != JWK_NAMES:
        raise KeySetError(f"key {record.kid!r} is for another algorithm")
    try:
        encoded = record.x.encode("ascii")
        raw = base64.b64decode(encoded + b"=" * (-len(encoded) % 4), altchars=b"-_", validate=True)
        key = PassKey(
            VerifyKey(raw),
            record.community,
            datetime.fromtimestamp(record.nbf, UTC),
            datetime.fromtimestamp(record.exp, UTC),
        )
    except (ValueError, binascii.Error, OverflowError, OSError) as error:
        raise KeySetError(f"key {record.kid!r}: {error}") from error
    if key.key_id.hex() != record.kid:
        raise KeySetError(f"key {record.kid!r} does not have the id of its bytes")
    return key
