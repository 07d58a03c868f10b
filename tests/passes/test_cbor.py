"""One encoding for each value, and nothing but plain values."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.passes.cbor import NotDeterministicError, decode, encode

numbers = st.integers(-(2**64), 2**64 - 1)
plain = st.recursive(
    st.none() | st.booleans() | numbers | st.binary(max_size=40) | st.text(max_size=40),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.integers(-24, 23), inner, max_size=4)
    ),
    max_leaves=6,
)


@given(plain.filter(lambda value: _depth(value) <= 4))
def test_what_is_encoded_decodes_to_itself(value: object) -> None:
    assert decode(encode(value)) == value


def _depth(value: object) -> int:
    if isinstance(value, dict):
        return 1 + max((_depth(item) for item in value.values()), default=0)
    if isinstance(value, list):
        return 1 + max((_depth(item) for item in value), default=0)
    return 0


@given(st.binary(max_size=60))
def test_any_bytes_are_either_the_one_encoding_or_refused(data: bytes) -> None:
    try:
        value = decode(data)
    except NotDeterministicError:
        return
    assert encode(value) == data


@pytest.mark.parametrize(
    "data",
    [
        "",  # nothing
        "01 01",  # followed by more
        "18 01",  # number longer than needed
        "19 0018",
        "58 01 00",  # length longer than needed
        "9f 01 ff",  # indefinite
        "5f 41 00 ff",
        "bf 01 02 ff",
        "a2 02 01 01 01",  # keys out of order
        "a2 01 01 01 02",  # key twice
        "a2 01 01 f5 02",  # True is not 1
        "a1 f5 01",
        "a1 a1 01 02 03",  # a map as key
        "a1 41 00 01",  # bytes as key
        "82 01",  # cut
        "f9 3c00",  # float
        "fb 3ff0000000000000",
        "f9 7e00",  # not a number
        "f7",  # undefined
        "e0",  # simple value
        "81 81 81 81 81 01",  # too deep
        "9b ffffffffffffffff",  # a length beyond all memory
        "5b 7fffffffffffffff",
        "61 ff",  # not UTF-8
        "1c",  # reserved
    ],
)
def test_other_encodings_and_other_values_are_refused(data: str) -> None:
    with pytest.raises(NotDeterministicError):
        decode(bytes.fromhex(data))


@pytest.mark.parametrize("tag", [*range(300), 1004, 43000, 55799, 65535])
def test_every_tag_is_refused(tag: int) -> None:
    head = (
        b"\xd8" + bytes([tag])
        if 24 <= tag < 256
        else bytes([0xC0 + tag])
        if tag < 24
        else b"\xd9" + tag.to_bytes(2, "big")
    )
    for content in (b"\x00", b"\x41\x01", b"\x61a", b"\x80", b"\x82\x01\x02"):
        with pytest.raises(NotDeterministicError):
            decode(head + content)
        with pytest.raises(NotDeterministicError):
            decode(b"\x81" + head + content)
