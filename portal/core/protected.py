"""Personal columns: encrypted at rest, found by keyed hash.

:class:`Encrypted` is a column type; the ciphertext is bound to its ``table.column``, so that a value
copied elsewhere cannot be read. The keys are installed once at start with :func:`install`; without
them a personal column can be neither read nor written.
"""

from __future__ import annotations

from typing import Protocol

from sqlalchemy import LargeBinary
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator


class Cipher(Protocol):
    """Encrypts text for a context; see :mod:`portal.core.crypto.envelope`."""

    def encrypt(self, plaintext: str, context: str) -> bytes:
        """The sealed text."""
        ...

    def decrypt(self, sealed: bytes, context: str) -> str:
        """The text again."""
        ...


class Hasher(Protocol):
    """Keyed hash for finding a person by an identifier."""

    def digest(self, value: str, context: str) -> str:
        """64 hex digits."""
        ...


class KeysMissingError(RuntimeError):
    """A personal column was touched before the keys were installed."""


class _Keys:
    cipher: Cipher | None = None
    hasher: Hasher | None = None


def install(cipher: Cipher, hasher: Hasher) -> None:
    """Give the process its keys, once at start."""
    _Keys.cipher, _Keys.hasher = cipher, hasher


def find_hash(value: str, context: str) -> str:
    """Keyed hash of a normalised identifier, for the ``*_hash`` columns.

    Args:
        context: what kind of identifier it is (``phone``, ``id_number``, ``sign_in``…).
    """
    if _Keys.hasher is None:
        raise KeysMissingError("no keyed hash installed")
    return _Keys.hasher.digest(value, context)


def seal(text: str, context: str) -> bytes:
    """Encrypt text that leaves the database's columns, such as a draft kept in a cookie."""
    if _Keys.cipher is None:
        raise KeysMissingError("no cipher installed")
    return _Keys.cipher.encrypt(text, context)


def unseal(sealed: bytes, context: str) -> str:
    """Decrypt what :func:`seal` made; raises the cipher's error when it was not made for ``context``."""
    if _Keys.cipher is None:
        raise KeysMissingError("no cipher installed")
    return _Keys.cipher.decrypt(sealed, context)


class Encrypted(TypeDecorator[str]):
    """A text column encrypted at rest. Cannot be searched or sorted: use a ``*_hash`` beside it."""

    impl = LargeBinary
    cache_ok = True

    def __init__(self, context: str) -> None:
        super().__init__()
        self.context = context

    def process_bind_param(self, value: str | None, dialect: Dialect) -> bytes | None:
        """Encrypt on the way in."""
        if value is None:
            return None
        if _Keys.cipher is None:
            raise KeysMissingError("no cipher installed")
        return _Keys.cipher.encrypt(value, self.context)

    def process_result_value(self, value: bytes | None, dialect: Dialect) -> str | None:
        """Decrypt on the way out."""
        if value is None:
            return None
        if _Keys.cipher is None:
            raise KeysMissingError("no cipher installed")
        return _Keys.cipher.decrypt(value, self.context)
