"""Personal fields sealed under data keys, and found by keyed hash."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.core.crypto.envelope import (
    EnvelopeError,
    FieldCipher,
    KeyedHash,
    KeyRing,
    KeyUse,
    new_data_key,
    rewrap,
)
from portal.core.crypto.master_key import MasterKey

MASTER = MasterKey(bytes(range(32)))
FIELD_1 = new_data_key(MASTER, 1, KeyUse.FIELD)
HASH_2 = new_data_key(MASTER, 2, KeyUse.HASH)
RING = KeyRing(MASTER, [FIELD_1, HASH_2])
CIPHER = FieldCipher(RING)
PLACE = "resident.document_number"


@given(st.text(), st.text(min_size=1))
def test_a_sealed_value_opens_in_its_place(value: str, context: str) -> None:
    assert CIPHER.decrypt(CIPHER.encrypt(value, context), context) == value


def test_the_same_value_is_sealed_differently_each_time() -> None:
    assert len({CIPHER.encrypt("张三", PLACE) for _ in range(100)}) == 100


def test_a_value_does_not_open_in_another_place() -> None:
    with pytest.raises(EnvelopeError, match="altered or moved"):
        CIPHER.decrypt(CIPHER.encrypt("13812345678", PLACE), "resident.phone")


def test_every_altered_byte_and_every_cut_is_noticed() -> None:
    sealed = CIPHER.encrypt("11010519491231002X", PLACE)
    for place in range(len(sealed)):
        for bit in range(8):
            altered = bytearray(sealed)
            altered[place] ^= 1 << bit
            with pytest.raises(EnvelopeError):
                CIPHER.decrypt(bytes(altered), PLACE)
        with pytest.raises(EnvelopeError):
            CIPHER.decrypt(sealed[:place], PLACE)


def test_after_a_rotation_old_values_open_and_new_ones_use_the_new_key() -> None:
    old = CIPHER.encrypt("old", PLACE)
    rotated = FieldCipher(KeyRing(MASTER, [new_data_key(MASTER, 3, KeyUse.FIELD), FIELD_1, HASH_2]))
    new = rotated.encrypt("new", PLACE)
    assert rotated.decrypt(old, PLACE) == "old"
    assert rotated.decrypt(new, PLACE) == "new"
    assert (rotated.is_current(old), rotated.is_current(new)) == (False, True)
    with pytest.raises(EnvelopeError, match="data key 3 is missing"):
        CIPHER.decrypt(new, PLACE)


def test_a_hash_key_opens_no_field() -> None:
    swapped = FieldCipher(
        KeyRing(
            MASTER,
            [new_data_key(MASTER, 1, KeyUse.HASH), new_data_key(MASTER, 2, KeyUse.FIELD)],
        )
    )
    with pytest.raises(EnvelopeError, match="data key 1 is missing"):
        swapped.decrypt(CIPHER.encrypt("value", PLACE), PLACE)


def test_another_master_key_opens_nothing_and_says_so() -> None:
    with pytest.raises(EnvelopeError, match="restore the right master key"):
        KeyRing(MasterKey.generate(), [FIELD_1])


@pytest.mark.parametrize(
    "record",
    [
        replace(FIELD_1, key_id=9),
        replace(FIELD_1, use=KeyUse.HASH),
        replace(FIELD_1, wrapped=b""),
        replace(FIELD_1, wrapped=b"\x02" + FIELD_1.wrapped[1:]),
    ],
)
def test_a_data_key_record_cannot_be_altered(record: object) -> None:
    with pytest.raises(EnvelopeError):
        KeyRing(MASTER, [record])  # type: ignore[list-item]


def test_a_ring_refuses_the_same_id_twice_and_a_missing_use() -> None:
    with pytest.raises(EnvelopeError, match="twice"):
        KeyRing(MASTER, [FIELD_1, FIELD_1])
    with pytest.raises(EnvelopeError, match="no data key"):
        FieldCipher(KeyRing(MASTER, [HASH_2]))
    with pytest.raises(EnvelopeError, match="no data key"):
        KeyedHash(KeyRing(MASTER, [FIELD_1]))


def test_changing_the_master_key_leaves_fields_as_they_are() -> None:
    sealed = CIPHER.encrypt("value", PLACE)
    new_master = MasterKey.generate()
    moved = FieldCipher(KeyRing(new_master, [rewrap(FIELD_1, MASTER, new_master)]))
    assert moved.decrypt(sealed, PLACE) == "value"


def test_a_keyed_hash_is_stable_and_bound_to_its_place_and_key() -> None:
    hashed = KeyedHash(RING)
    digest = hashed.digest("11010519491231002X", PLACE)
    assert digest == KeyedHash(KeyRing(MASTER, [HASH_2])).digest("11010519491231002X", PLACE)
    assert len(digest) == 64
    assert digest != hashed.digest("11010519491231002X", "visitor.document_number")
    assert hashed.digest("bc", "a") != hashed.digest("c", "ab")
    newer = KeyedHash(KeyRing(MASTER, [HASH_2, new_data_key(MASTER, 4, KeyUse.HASH)]))
    assert newer.digest("11010519491231002X", PLACE) != digest
    assert newer.candidates("11010519491231002X", PLACE)[1] == digest


def test_a_place_must_be_named() -> None:
    with pytest.raises(ValueError, match="context"):
        CIPHER.encrypt("value", "")


@pytest.mark.parametrize("key_id", [0, -1, 2**32])
def test_data_key_ids_stay_in_range(key_id: int) -> None:
    with pytest.raises(ValueError, match="data key id"):
        new_data_key(MASTER, key_id, KeyUse.FIELD)


def test_no_key_shows_itself() -> None:
    assert "raw" not in repr(RING.newest_first(KeyUse.FIELD))
