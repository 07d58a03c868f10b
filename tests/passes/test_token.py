"""The signed pass as text: vectors, round trips, and what is not a pass."""

import zlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import base45
import pytest
import segno
from hypothesis import given
from hypothesis import strategies as st

from portal.core.crypto.signing import SigningKey
from portal.passes import cbor
from portal.passes.claims import PassClaims, PassKind
from portal.passes.token import (
    LARGEST_BODY,
    LONGEST_TEXT,
    PREFIX,
    MalformedError,
    NotAPassError,
    TokenError,
    issue,
    read,
)

KEY = SigningKey.from_private_bytes(bytes(range(32)))
NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
CLAIMS = PassClaims(
    issuer="91110000600037341L",
    pass_id=bytes(range(16)),
    kind=PassKind.RESIDENT,
    issued_at=NOW,
    not_before=NOW,
    expires_at=NOW + timedelta(minutes=2),
    code_id=b"defghijk",
)
# written out by hand, part by part
PROTECTED = "a2 01 27 04 48 56475aa75463474c"
PAYLOAD = (
    "a9 01 72 393131313030303036303030333733 3431 4c 04 1a 6b02a178 05 1a 6b02a100 06 1a 6b02a100"
    "07 48 6465666768696a6b 20 50 000102030405060708090a0b0c0d0e0f 21 01 22 80 23 00"
)
SIGNATURE = (
    "42ba8ef0f7a16c49d8adcadd6475aa6f63acdf9f7927b2489e8ca0a56eedac75"
    "18a8c54b0aeba75dbc48b012fb21b3018ba96322db50aebb6dfbcbd87e5b860d"
)
BODY = bytes.fromhex(f"d2 84 4d {PROTECTED} a0 58 49 {PAYLOAD} 58 40 {SIGNATURE}")
TOKEN = (
    "LL1:RRQT 9P60GO0$+AWKB3UAR098CK2E9A80GA7%96646646C%6646GL6DL6KA6FN0YNDQIK1T0YND-FKWY0YND-FKJ-0"
    "6VCP.C:8DIKD$34100KB0*M0DY0W016C1PN1:Y1Y74CG45J427BRJ873IXDV1VDTHR3TPMVCQOL1RC7CSAEFAOM/1K+DK21"
    "E4 LC53H.O5H157L5 NTBMTXVFSMNTH/NCTWR14MU+DTYP$/FR.G"
)


def text_of(body: bytes) -> str:
    return PREFIX + base45.b45encode(body).decode()


def signed(protected: bytes, payload: bytes, *, unprotected: object = None) -> str:
    """A token with any header and payload, correctly signed."""
    signature = KEY.sign(cbor.encode(["Signature1", protected, b"", payload]))
    parts = [protected, {} if unprotected is None else unprotected, payload, signature]
    return text_of(b"\xd2" + cbor.encode(parts))


def header(**more: object) -> dict[object, object]:
    labels: dict[str, object] = {"alg": 1, "crit": 2, "kid": 4, "other": 15}
    base: dict[object, object] = {1: -8, 4: KEY.key_id}
    return base | {labels[name]: value for name, value in more.items()}


instants = st.datetimes(
    datetime(2020, 1, 1),  # noqa: DTZ001 - the zone comes by the argument
    datetime(2090, 1, 1),  # noqa: DTZ001
    timezones=st.just(UTC),
)
scopes = st.lists(
    st.integers(0, 2**32 - 1) | st.from_regex(r"[0-9A-Za-z._-]{1,16}", fullmatch=True), max_size=20
).map(tuple)


@st.composite
def claims(draw: st.DrawFn) -> PassClaims:
    begin = draw(instants)
    return PassClaims(
        issuer=draw(st.from_regex(r"[0-9A-Z]{18}", fullmatch=True)),
        pass_id=draw(st.binary(min_size=16, max_size=16)),
        kind=draw(st.sampled_from(PassKind)),
        issued_at=draw(instants),
        not_before=begin,
        expires_at=begin + draw(st.timedeltas(timedelta(seconds=1), timedelta(days=3000))),
        scope=draw(scopes),
        use_limit=draw(st.integers(0, 2**32 - 1)),
        code_id=draw(st.binary(min_size=8, max_size=8)),
    )


def test_the_vector_is_reproduced() -> None:
    assert issue(CLAIMS, KEY) == TOKEN
    assert base45.b45decode(TOKEN[4:]) == BODY
    parts = read(TOKEN)
    assert parts.claims == CLAIMS
    assert parts.key_id == KEY.key_id
    assert parts.signature == bytes.fromhex(SIGNATURE)
    assert KEY.public.verify(parts.signature, parts.signed)


@given(claims())
def test_a_token_gives_back_its_claims_in_qr_letters(given_claims: PassClaims) -> None:
    token = issue(given_claims, KEY)
    parts = read(token)
    assert parts.claims == given_claims
    assert KEY.public.verify(parts.signature, parts.signed)
    assert segno.make_qr(token).mode == "alphanumeric"


def test_a_resident_pass_fits_a_qr_code_of_version_9() -> None:
    assert len(TOKEN) <= 245
    assert segno.make_qr(TOKEN, error="m", boost_error=False).version <= 9


def test_a_long_scope_is_compressed_and_a_short_one_is_not() -> None:
    assert base45.b45decode(TOKEN[4:])[0] == 0xD2
    long = PassClaims(
        issuer=CLAIMS.issuer,
        pass_id=CLAIMS.pass_id,
        kind=PassKind.STAFF,
        issued_at=NOW,
        not_before=NOW,
        expires_at=NOW + timedelta(days=1),
        scope=tuple(f"building-{number}" for number in range(32)),
    )
    token = issue(long, KEY)
    assert base45.b45decode(token[4:])[0] == 0x78
    assert read(token).claims == long


def test_a_scope_too_large_for_a_token_is_refused_at_issue() -> None:
    words = tuple(
        bytes([97 + number % 26]).decode() * 31 + str(number % 10) for number in range(32)
    )
    huge = PassClaims(
        issuer=CLAIMS.issuer,
        pass_id=CLAIMS.pass_id,
        kind=PassKind.STAFF,
        issued_at=NOW,
        not_before=NOW,
        expires_at=NOW + timedelta(days=1),
        scope=words,
    )
    with pytest.raises(ValueError, match="too large"):
        issue(huge, KEY)


@pytest.mark.parametrize("text", ["", "LL1", "ll1:" + TOKEN[4:], "HC1:" + TOKEN[4:], " " + TOKEN])
def test_a_text_without_the_prefix_is_not_a_pass(text: str) -> None:
    with pytest.raises(NotAPassError):
        read(text)


@pytest.mark.parametrize(
    "text",
    [
        PREFIX,
        TOKEN[:-1],
        TOKEN[:-3],
        TOKEN + "\n",
        TOKEN + " ",
        TOKEN + "000",
        TOKEN.lower().replace("ll1:", "LL1:"),
        TOKEN.replace("R", "\uff32"),
        PREFIX + ":::",  # three characters beyond 65535
        PREFIX + "0" * LONGEST_TEXT,
        text_of(BODY + b"\0"),
        text_of(BODY[1:]),
        text_of(b"\xd1" + BODY[1:]),
        text_of(b"\xd8\x12" + BODY[1:]),  # the tag, longer than needed
        text_of(b"\xd2" + cbor.encode([])),
        text_of(b"\xd2" + cbor.encode({1: 2})),
        text_of(b"\xd2" + cbor.encode([1, {}, 2, 3])),
        text_of(b"\xd2" + cbor.encode([b"", {}, b"", bytes(64)])),
        text_of(zlib.compress(BODY) + b"\0"),
        text_of(b"\x78"),
        text_of(b"\x78\x9c"),
    ],
)
def test_a_text_that_is_nearly_a_pass_is_malformed(text: str) -> None:
    with pytest.raises(MalformedError):
        read(text)


def test_compression_that_saves_nothing_is_malformed() -> None:
    compressed = zlib.compress(BODY, 9)
    assert len(compressed) >= len(BODY)
    with pytest.raises(MalformedError, match="for nothing"):
        read(text_of(compressed))


@pytest.mark.parametrize("size", [LARGEST_BODY + 1, 100_000, 400_000])
def test_a_zip_bomb_is_refused_at_the_limit(size: int) -> None:
    bomb = text_of(zlib.compress(bytes(size), 9))
    assert len(bomb) <= LONGEST_TEXT
    with pytest.raises(MalformedError, match="too large after decompression"):
        read(bomb)


def test_a_body_of_the_largest_size_is_still_looked_at() -> None:
    with pytest.raises(MalformedError, match="deterministic"):
        read(text_of(zlib.compress(bytes(LARGEST_BODY), 9)))


PAYLOAD_BYTES = cbor.encode(CLAIMS.to_map())


def test_the_workshop_of_the_next_tests_makes_the_vector() -> None:
    assert signed(cbor.encode(header()), PAYLOAD_BYTES) == TOKEN


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {1: -8},
        {4: KEY.key_id},
        header(alg=-7),
        header(alg=-8.0),
        header(alg="EdDSA"),
        header(kid=KEY.key_id[:7]),
        header(kid=KEY.key_id.hex()),
        header(crit=[]),
        header(crit=15),
        header(crit=[15], other=1),
        header(crit=[1, 15]),
        header(crit=["anything"]),
        header(crit=[True]),
        [1, -8],
    ],
)
def test_other_algorithms_and_unknown_critical_headers_are_refused(wrong: object) -> None:
    with pytest.raises(MalformedError):
        read(signed(cbor.encode(wrong), PAYLOAD_BYTES))


def test_understood_critical_and_other_unknown_headers_are_passed() -> None:
    assert read(signed(cbor.encode(header(crit=[1, 4])), PAYLOAD_BYTES)).claims == CLAIMS
    assert read(signed(cbor.encode(header(other=b"x")), PAYLOAD_BYTES)).claims == CLAIMS


def test_an_unsigned_header_is_refused() -> None:
    with pytest.raises(MalformedError, match="unsigned header"):
        read(signed(cbor.encode(header()), PAYLOAD_BYTES, unprotected={4: KEY.key_id}))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda payload: payload + b"\0",
        lambda payload: payload[:-1],
        lambda payload: payload.replace(b"\x21\x01", b"\x21\x18\x01"),
        lambda payload: b"\xa9" + payload[-2:] + payload[1:-2],
        lambda _: b"",
        lambda _: b"\x80",
    ],
)
def test_a_payload_in_another_encoding_is_malformed_even_when_signed(
    spoil: Callable[[bytes], bytes],
) -> None:
    with pytest.raises(MalformedError):
        read(signed(cbor.encode(header()), spoil(PAYLOAD_BYTES)))


@given(st.text() | st.text("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"), st.booleans())
def test_any_text_is_read_or_refused_and_never_breaks(text: str, prefixed: bool) -> None:
    try:
        read(PREFIX + text if prefixed else text)
    except TokenError:
        return
    raise AssertionError("random text read as a pass")


@given(st.binary(max_size=300), st.booleans())
def test_any_bytes_are_read_or_refused_and_never_break(body: bytes, compress: bool) -> None:
    with pytest.raises(TokenError):
        read(text_of(zlib.compress(body) if compress else b"\xd2" + body))


def test_lone_surrogates_do_not_break_it() -> None:
    with pytest.raises(MalformedError):
        read(PREFIX + "\ud800")
