"""Envelope encryption of personal fields, and keyed hashes to find them by.

    master key (file) ──opens──► data keys (database rows, wrapped) ──open──► fields

A sealed field is bytes: version 1 (0x01) · data key id 4 (big-endian) · nonce 12 · AES-256-GCM
ciphertext and tag. The header and the context ("table.column") are authenticated with it, so a
value copied into another column does not open. Rotating means adding a data key: new values use
the newest, old ones stay readable. Nonces are random, so a data key should seal no more than 2^32
values (NIST SP 800-38D 8.3).

Hash keys are apart from data keys. A keyed hash must stay the same to be found, so a new hash key
means recomputing; until that is done `KeyedHash.candidates` gives the digest under every key.
"""

import hashlib
import hmac
import secrets
import struct
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from portal.core.crypto.master_key import MasterKey

VERSION = 1
DATA_KEY_BYTES = 32
NONCE_BYTES = 12
TAG_BYTES = 16
_HEADER = struct.Struct(">BI")
_OVERHEAD = _HEADER.size + NONCE_BYTES + TAG_BYTES


class EnvelopeError(Exception):
    """A data key or a field does not open; the message holds no personal data."""


class KeyUse(StrEnum):
    """What a data key is for."""

    FIELD = "field"
    HASH = "hash"


@dataclass(frozen=True, slots=True)
class WrappedKey:
    """A data key as the database keeps it. `key_id` is unique over all uses, newest highest."""

    key_id: int
    use: KeyUse
    wrapped: bytes


@dataclass(frozen=True, slots=True)
class _DataKey:
    key_id: int
    use: KeyUse
    raw: bytes = field(repr=False)


def new_data_key(master: MasterKey, key_id: int, use: KeyUse) -> WrappedKey:
    """Make a data key and wrap it for storing. `key_id` is 1 to 2^32 - 1."""
    if not 1 <= key_id < 2**32:
        raise ValueError("a data key id is 1 to 4294967295")
    return _wrap(master, _DataKey(key_id, use, secrets.token_bytes(DATA_KEY_BYTES)))


def rewrap(record: WrappedKey, old: MasterKey, new: MasterKey) -> WrappedKey:
    """Wrap a data key under another master key. Raises EnvelopeError if `old` does not open it."""
    return _wrap(new, _unwrap(old, record))


class KeyRing:
    """All data keys, opened. Raises EnvelopeError when the master key does not open one."""

    def __init__(self, master: MasterKey, records: Iterable[WrappedKey]) -> None:
        self._keys: dict[int, _DataKey] = {}
        for record in records:
            if record.key_id in self._keys:
                raise EnvelopeError(f"data key {record.key_id} is there twice")
            self._keys[record.key_id] = _unwrap(master, record)

    def newest_first(self, use: KeyUse) -> list[_DataKey]:
        """Every key of one use, newest first. Raises EnvelopeError if there is none."""
        keys = sorted(
            (key for key in self._keys.values() if key.use is use),
            key=lambda key: key.key_id,
            reverse=True,
        )
        if not keys:
            raise EnvelopeError(f"there is no data key for use {use.value}")
        return keys

    def find(self, key_id: int, use: KeyUse) -> _DataKey | None:
        """The key of that id if it is for that use."""
        key = self._keys.get(key_id)
        return key if key and key.use is use else None


class FieldCipher:
    """Seals and opens personal fields with the newest data key of a ring."""

    def __init__(self, ring: KeyRing) -> None:
        self._ring = ring
        self._current = ring.newest_first(KeyUse.FIELD)[0]

    def encrypt(self, plaintext: str, context: str) -> bytes:
        """Seal one value for one place; `context` is "table.column"."""
        header = _HEADER.pack(VERSION, self._current.key_id)
        nonce = secrets.token_bytes(NONCE_BYTES)
        sealed = AESGCM(self._current.raw).encrypt(
            nonce, plaintext.encode(), _authenticated(header, context)
        )
        return header + nonce + sealed

    def decrypt(self, sealed: bytes, context: str) -> str:
        """Open a sealed value. Raises EnvelopeError when key, place or bytes do not fit."""
        if len(sealed) < _OVERHEAD:
            raise EnvelopeError("a sealed field is too short")
        header, rest = sealed[: _HEADER.size], sealed[_HEADER.size :]
        version, key_id = _HEADER.unpack(header)
        if version != VERSION:
            raise EnvelopeError(f"a sealed field has the unknown version {version}")
        key = self._ring.find(key_id, KeyUse.FIELD)
        if key is None:
            raise EnvelopeError(f"data key {key_id} is missing")
        try:
            plaintext = AESGCM(key.raw).decrypt(
                rest[:NONCE_BYTES], rest[NONCE_BYTES:], _authenticated(header, context)
            )
        except InvalidTag:
            raise EnvelopeError(f"a sealed field of {context} was altered or moved") from None
        return plaintext.decode()

    def is_current(self, sealed: bytes) -> bool:
        """Whether the value is under the newest data key; if not, a rotation may seal it again."""
        return sealed[: _HEADER.size] == _HEADER.pack(VERSION, self._current.key_id)


class KeyedHash:
    """Finds a value without opening any: HMAC-SHA-256 under a hash key and a context."""

    def __init__(self, ring: KeyRing) -> None:
        self._keys = ring.newest_first(KeyUse.HASH)

    def digest(self, value: str, context: str) -> str:
        """64 hexadecimal digits under the newest key; `value` must be normalised before."""
        return _digest(self._keys[0], value, context)

    def candidates(self, value: str, context: str) -> list[str]:
        """The digest under every hash key, newest first, for looking up during a rotation."""
        return [_digest(key, value, context) for key in self._keys]


def _digest(key: _DataKey, value: str, context: str) -> str:
    return hmac.new(key.raw, _framed(context) + value.encode(), hashlib.sha256).hexdigest()


def _authenticated(header: bytes, context: str) -> bytes:
    return b"linli field\0" + header + _framed(context)


def _framed(context: str) -> bytes:
    if not context:
        raise ValueError("a context names the table and the column")
    encoded = context.encode()
    return struct.pack(">I", len(encoded)) + encoded


def _wrap(master: MasterKey, key: _DataKey) -> WrappedKey:
    nonce = secrets.token_bytes(NONCE_BYTES)
    sealed = AESGCM(master.raw).encrypt(nonce, key.raw, _wrapping(key.key_id, key.use))
    return WrappedKey(key.key_id, key.use, bytes([VERSION]) + nonce + sealed)


def _unwrap(master: MasterKey, record: WrappedKey) -> _DataKey:
    if (
        len(record.wrapped) != 1 + NONCE_BYTES + DATA_KEY_BYTES + TAG_BYTES
        or record.wrapped[0] != VERSION
    ):
        raise EnvelopeError(f"data key {record.key_id} is malformed")
    nonce, sealed = record.wrapped[1 : 1 + NONCE_BYTES], record.wrapped[1 + NONCE_BYTES :]
    try:
        raw = AESGCM(master.raw).decrypt(nonce, sealed, _wrapping(record.key_id, record.use))
    except InvalidTag:
        raise EnvelopeError(
            f"the master key does not open data key {record.key_id}: restore the right master key"
        ) from None
    return _DataKey(record.key_id, record.use, raw)


def _wrapping(key_id: int, use: KeyUse) -> bytes:
    return b"linli data key\0" + struct.pack(">I", key_id) + use.value.encode()
