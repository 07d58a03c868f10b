"""CBOR as signed objects need it: one encoding for each value, nothing but plain values.

`decode` takes deterministic CBOR only (RFC 8949 4.2.1): shortest forms, definite lengths, sorted
unique map keys, nothing after the end. Tags are refused before their contents are looked at, so
no big number, regular expression or shared reference is ever built from a stranger's bytes.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Never

import cbor2

DEEPEST = 4


class NotDeterministicError(ValueError):
    """The bytes are no CBOR, or not the one encoding of their value."""


def encode(value: object) -> bytes:
    """Encode deterministically; map keys must encode to the same number of bytes each.

    The library sorts keys by length first (RFC 7049 3.9); for keys of one length, such as the
    integers -24 to 23, that is the order of RFC 8949 too.
    """
    return cbor2.dumps(value, canonical=True)


def decode(data: bytes) -> Any:
    """Decode; raises NotDeterministicError for anything `encode` would not have written."""
    try:
        value = cbor2.loads(
            data,
            semantic_decoders=_NO_TAGS,
            max_depth=DEEPEST,
            allow_indefinite=False,
            allow_duplicate_keys=False,
        )
        again = encode(value)
    except (cbor2.CBORError, ValueError, TypeError, OverflowError) as error:
        raise NotDeterministicError("not CBOR") from error
    if again != data or not _is_plain(value):
        raise NotDeterministicError("not the deterministic encoding")
    return value


def _is_plain(value: object) -> bool:
    """No float, undefined or simple value; map keys are integers or text (True is neither)."""
    if type(value) is dict:
        return all(type(key) in (int, str) and _is_plain(item) for key, item in value.items())
    if type(value) is list:
        return all(_is_plain(item) for item in value)
    return value is None or type(value) in (int, bool, bytes, str)


def _refuse(*_: object) -> Never:
    raise ValueError("tags are not allowed")


class _EveryTag(Mapping[int, Callable[..., Any]]):
    """Says of every tag number that `_refuse` decodes it."""

    def __getitem__(self, tag: int) -> Callable[..., Any]:
        return _refuse

    def __iter__(self) -> Iterator[int]:
        return iter(())

    def __len__(self) -> int:
        return 1


_NO_TAGS = _EveryTag()
