"""Signatures of the house."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.core.crypto.signing import SigningKey, VerifyKey

# RFC 8032, 7.1, test 2
PRIVATE = bytes.fromhex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb")
PUBLIC = bytes.fromhex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c")
SIGNATURE = bytes.fromhex(
    "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
    "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
)


def test_the_published_vector_is_reproduced() -> None:
    key = SigningKey.from_private_bytes(PRIVATE)
    assert key.public.raw == PUBLIC
    assert key.private_bytes() == PRIVATE
    assert key.sign(b"\x72") == SIGNATURE
    assert key.key_id == key.public.key_id == hashlib.sha256(PUBLIC).digest()[:8]


@given(st.binary(max_size=200), st.data())
def test_a_signature_holds_for_its_message_only(message: bytes, data: st.DataObject) -> None:
    key = SigningKey.from_private_bytes(PRIVATE)
    signature = key.sign(message)
    assert key.public.verify(signature, message)
    assert not key.public.verify(signature, message + b"\0")
    bit = data.draw(st.integers(0, 511))
    flipped = bytearray(signature)
    flipped[bit // 8] ^= 1 << bit % 8
    assert not key.public.verify(bytes(flipped), message)
    assert not SigningKey.generate().public.verify(signature, message)


@given(st.binary(max_size=100))
def test_any_bytes_are_refused_as_a_signature_without_raising(signature: bytes) -> None:
    assert not VerifyKey(PUBLIC).verify(signature, b"message")


@pytest.mark.parametrize("length", [0, 31, 33])
def test_keys_of_another_length_are_refused(length: int) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        SigningKey.from_private_bytes(bytes(length))
    with pytest.raises(ValueError, match="32 bytes"):
        VerifyKey(bytes(length))


def test_a_private_key_does_not_show_itself() -> None:
    assert PRIVATE.hex() not in repr(SigningKey.from_private_bytes(PRIVATE))
