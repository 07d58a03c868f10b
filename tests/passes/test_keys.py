"""The key set and its published form."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from portal.core.crypto.signing import SigningKey
from portal.passes.keys import KeySet, KeySetError, PassKey

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
KEY = SigningKey.from_private_bytes(bytes(range(32)))
PASS_KEY = PassKey(KEY.public, "91110000600037341L", NOW, NOW + timedelta(days=90))
RECORD = {
    "kty": "OKP",
    "crv": "Ed25519",
    "alg": "EdDSA",
    "kid": "56475aa75463474c",
    "x": "A6EHv_POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg",
    "community": "91110000600037341L",
    "nbf": int(NOW.timestamp()),
    "exp": int(NOW.timestamp()) + 90 * 86400,
}


def test_the_published_form_is_reproduced_and_read() -> None:
    assert json.loads(KeySet([PASS_KEY]).to_json()) == {"keys": [RECORD]}
    assert list(KeySet.from_json(json.dumps({"keys": [RECORD]}))) == [PASS_KEY]


def test_many_keys_survive_publishing() -> None:
    keys = [
        PassKey(SigningKey.generate().public, f"{number:018}", NOW, NOW + timedelta(days=number))
        for number in range(1, 20)
    ]
    again = KeySet.from_json(KeySet(keys).to_json())
    assert len(again) == 19
    assert all(again.find(key.key_id) == key for key in keys)
    assert again.find(bytes(8)) is None


def test_members_added_later_are_ignored() -> None:
    text = json.dumps({"keys": [RECORD | {"use": "sig"}], "fetched": 1})
    assert KeySet.from_json(text).find(KEY.key_id) == PASS_KEY


@pytest.mark.parametrize(
    "change",
    [
        {"kty": "EC"},
        {"crv": "X25519"},
        {"alg": "ES256"},
        {"kid": "56475aa75463474d"},
        {"kid": "56475AA75463474C"},
        {"x": ""},
        {"x": RECORD["x"][:-2]},  # type: ignore[index]
        {"x": "!" * 43},
        {"x": "é" * 43},
        {"nbf": "soon"},
        {"exp": RECORD["nbf"]},
        {"exp": 10**30},
        {"exp": 10**15},
        {"community": 1},
    ],
)
def test_a_malformed_key_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(KeySetError):
        KeySet.from_json(json.dumps({"keys": [RECORD | change]}))


@pytest.mark.parametrize("missing", sorted(RECORD))
def test_every_member_is_needed(missing: str) -> None:
    record = {name: value for name, value in RECORD.items() if name != missing}
    with pytest.raises(KeySetError, match=missing):
        KeySet.from_json(json.dumps({"keys": [record]}))


@pytest.mark.parametrize("text", ["", "[]", "{}", "null", '{"keys": 1}', b"\xff", "{" * 5000])
def test_what_is_no_key_set_is_refused(text: str | bytes) -> None:
    with pytest.raises(KeySetError):
        KeySet.from_json(text)


def test_the_key_of_an_installation_is_published_without_a_community() -> None:
    key = PassKey(KEY.public, None, PASS_KEY.not_before, PASS_KEY.not_after)
    assert json.loads(KeySet([key]).to_json()) == {"keys": [RECORD | {"community": None}]}
    assert list(KeySet.from_json(KeySet([key]).to_json())) == [key]


def test_a_key_published_twice_is_refused() -> None:
    with pytest.raises(KeySetError, match="twice"):
        KeySet.from_json(json.dumps({"keys": [RECORD, RECORD]}))


def test_a_key_counts_in_its_span_only() -> None:
    none = timedelta(0)
    assert PASS_KEY.valid_at(NOW, none)
    assert not PASS_KEY.valid_at(NOW - timedelta(seconds=1), none)
    assert PASS_KEY.valid_at(NOW - timedelta(seconds=1), timedelta(seconds=30))
    assert not PASS_KEY.valid_at(PASS_KEY.not_after, none)


def test_a_span_needs_its_zone_and_an_end() -> None:
    with pytest.raises(ValueError, match="zone"):
        PassKey(KEY.public, "1" * 18, NOW.replace(tzinfo=None), NOW)
    with pytest.raises(ValueError, match="ends"):
        PassKey(KEY.public, "1" * 18, NOW, NOW)
