"""The verdict on a token: every reason, its order, clocks, and forgeries."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import base45
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.core.crypto.signing import SigningKey
from portal.passes.claims import PassClaims, PassKind
from portal.passes.keys import KeySet, PassKey
from portal.passes.token import PREFIX, issue
from portal.passes.verdict import SENTENCES, SKEW, Reason, Verdict, verify

KEY = SigningKey.from_private_bytes(bytes(range(32)))
OTHER = SigningKey.from_private_bytes(bytes(range(32, 64)))
NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
HERE = "91110000600037341L"
THERE = "91110000802100433B"
SECOND = timedelta(seconds=1)
CLAIMS = PassClaims(
    issuer=HERE,
    pass_id=bytes(range(16)),
    kind=PassKind.VISITOR,
    issued_at=NOW,
    not_before=NOW,
    expires_at=NOW + timedelta(minutes=2),
    scope=(1, 2),
    use_limit=1,
    code_id=b"defghijk",
)
PASS_KEY = PassKey(KEY.public, HERE, NOW - timedelta(days=1), NOW + timedelta(days=90))
KEYS = KeySet([PASS_KEY])
TOKEN = issue(CLAIMS, KEY)
FORGED = PREFIX + base45.b45encode(base45.b45decode(TOKEN[4:])[:-1] + b"\0").decode()


def reason(
    token: str = TOKEN, keys: KeySet = KEYS, now: datetime = NOW, **options: object
) -> Reason:
    return verify(token, keys, now, **options).reason  # type: ignore[arg-type]


def test_a_good_pass_is_accepted_with_its_claims() -> None:
    assert verify(TOKEN, KEYS, NOW) == Verdict(Reason.OK, CLAIMS, KEY.key_id)
    assert verify(TOKEN, KEYS, NOW, issuer=HERE).ok


def test_each_reason_is_given() -> None:
    late_key = KeySet([replace(PASS_KEY, not_before=NOW + timedelta(days=1))])
    foreign = KeySet([replace(PASS_KEY, community=THERE)])
    assert reason("hello") is Reason.NOT_A_PASS
    assert reason("LL1:hello") is Reason.MALFORMED
    assert reason(keys=KeySet()) is Reason.UNKNOWN_KEY
    assert reason(issue(CLAIMS, OTHER)) is Reason.UNKNOWN_KEY
    assert reason(keys=late_key) is Reason.KEY_NOT_VALID
    assert reason(FORGED) is Reason.BAD_SIGNATURE
    assert reason(now=NOW - timedelta(minutes=1)) is Reason.NOT_YET_VALID
    assert reason(now=NOW + timedelta(minutes=3)) is Reason.EXPIRED
    assert reason(keys=foreign) is Reason.WRONG_COMMUNITY
    assert reason(issuer=THERE) is Reason.WRONG_COMMUNITY
    assert reason(revoked={CLAIMS.pass_id}) is Reason.REVOKED
    assert reason(revoked=lambda claims: claims.use_limit == 1) is Reason.REVOKED
    assert reason(revoked={bytes(16)}) is Reason.OK


def test_claims_are_given_only_when_the_signature_holds() -> None:
    assert verify(issue(CLAIMS, OTHER), KEYS, NOW) == Verdict(
        Reason.UNKNOWN_KEY, None, OTHER.key_id
    )
    assert verify(FORGED, KEYS, NOW).claims is None
    assert verify(TOKEN, KEYS, NOW + timedelta(days=100)).claims is None  # the key has ended
    assert verify(TOKEN, KEYS, NOW + timedelta(hours=1)).claims == CLAIMS


def test_the_first_check_that_fails_is_the_reason() -> None:
    everything: dict[str, object] = {"issuer": THERE, "revoked": {CLAIMS.pass_id}}
    late = NOW + timedelta(minutes=3)
    assert reason(now=late, **everything) is Reason.EXPIRED
    assert reason(**everything) is Reason.WRONG_COMMUNITY
    assert reason(FORGED, now=late, **everything) is Reason.BAD_SIGNATURE
    assert reason(FORGED, now=NOW + timedelta(days=100)) is Reason.KEY_NOT_VALID


@pytest.mark.parametrize(
    ("offset", "expected"),
    [
        (-SKEW - SECOND, Reason.NOT_YET_VALID),
        (-SKEW, Reason.OK),
        (timedelta(minutes=2) + SKEW - SECOND, Reason.OK),
        (timedelta(minutes=2) + SKEW, Reason.EXPIRED),
    ],
)
def test_clocks_may_be_off_by_the_skew_and_no_more(offset: timedelta, expected: Reason) -> None:
    assert reason(now=NOW + offset) is expected


def test_without_skew_the_ends_are_exact() -> None:
    none = timedelta(0)
    assert reason(now=NOW - SECOND, skew=none) is Reason.NOT_YET_VALID
    assert reason(now=NOW, skew=none) is Reason.OK
    assert reason(now=CLAIMS.expires_at - SECOND, skew=none) is Reason.OK
    assert reason(now=CLAIMS.expires_at, skew=none) is Reason.EXPIRED


def test_the_time_zone_of_the_reader_does_not_matter() -> None:
    assert reason(now=NOW.astimezone(ZoneInfo("Asia/Shanghai"))) is Reason.OK
    with pytest.raises(ValueError, match="zone"):
        verify(TOKEN, KEYS, NOW.replace(tzinfo=None))


def test_a_key_of_one_community_cannot_sign_for_another() -> None:
    keys = KeySet([PASS_KEY, replace(PASS_KEY, key=OTHER.public, community=THERE)])
    usurped = issue(CLAIMS, OTHER)
    assert reason(usurped, keys) is Reason.WRONG_COMMUNITY
    assert reason(usurped, keys, issuer=HERE) is Reason.WRONG_COMMUNITY
    assert reason(usurped, keys, issuer=THERE) is Reason.WRONG_COMMUNITY
    assert reason(issue(replace(CLAIMS, issuer=THERE), OTHER), keys) is Reason.OK


def test_the_key_of_an_installation_signs_for_each_of_its_communities() -> None:
    keys = KeySet([replace(PASS_KEY, community=None)])
    there = issue(replace(CLAIMS, issuer=THERE), KEY)
    assert reason(keys=keys) is Reason.OK
    assert reason(there, keys) is Reason.OK
    assert reason(there, keys, issuer=HERE) is Reason.WRONG_COMMUNITY


def test_every_flipped_bit_of_the_signed_object_is_noticed() -> None:
    body = base45.b45decode(TOKEN[4:])
    assert body[0] == 0xD2  # not compressed
    for bit in range(len(body) * 8):
        flipped = bytearray(body)
        flipped[bit // 8] ^= 1 << bit % 8
        verdict = verify(PREFIX + base45.b45encode(bytes(flipped)).decode(), KEYS, NOW)
        assert not verdict.ok
        assert verdict.claims is None


def test_every_other_character_of_the_text_is_noticed() -> None:
    letters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:a\n"
    for place in range(len(TOKEN)):
        for letter in letters:
            if letter != TOKEN[place]:
                assert not verify(TOKEN[:place] + letter + TOKEN[place + 1 :], KEYS, NOW).ok
        assert not verify(TOKEN[:place] + TOKEN[place + 1 :], KEYS, NOW).ok
        assert not verify(TOKEN[:place], KEYS, NOW).ok


def test_a_flipped_bit_of_a_compressed_token_is_noticed_or_changes_nothing_signed() -> None:
    long = replace(CLAIMS, scope=tuple(f"building-{number}" for number in range(16)))
    body = base45.b45decode(issue(long, KEY)[4:])
    assert body[0] == 0x78
    accepted = 0
    for bit in range(len(body) * 8):
        flipped = bytearray(body)
        flipped[bit // 8] ^= 1 << bit % 8
        verdict = verify(PREFIX + base45.b45encode(bytes(flipped)).decode(), KEYS, NOW)
        if verdict.ok:
            accepted += 1
            assert verdict.claims == long
    assert accepted < 8  # only the bits that fill up the last byte of the deflate stream


@settings(max_examples=300)
@given(st.text() | st.text("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:").map("LL1:".__add__))
def test_any_text_gets_a_verdict(text: str) -> None:
    assert reason(text) in (Reason.NOT_A_PASS, Reason.MALFORMED)


def test_each_reason_has_a_sentence() -> None:
    assert set(SENTENCES) == set(Reason)
    assert verify("hello", KEYS, NOW).sentence == "This code is not a pass of this system."
