"""The signed pass as text: written by `issue`, taken apart by `read`.

    claims map ─CBOR─► payload ─COSE_Sign1, tag 18─► bytes ─zlib, if shorter─► Base45 ─► "LL1:" text

CWT (RFC 8392) in COSE_Sign1 (RFC 9052) with EdDSA. Protected header: algorithm (1) and key id (4);
the unprotected header is empty, for nobody signs it. All CBOR is deterministic and Base45 (RFC
9285) is one to one, so an uncompressed token has one text only. zlib leaves some bits unused:
a compressed token may have several texts, all with the same signed bytes and code id.

`read` looks at the structure alone. What it returns may be forged until `verdict.verify` says so.
"""

import zlib
from dataclasses import dataclass

import base45

from portal.core.crypto.signing import COSE_ALGORITHM, KEY_ID_BYTES, SIGNATURE_BYTES, SigningKey
from portal.passes import cbor
from portal.passes.claims import PassClaims

PREFIX = "LL1:"
LONGEST_TEXT = 1024
"""Characters, prefix included."""
LARGEST_BODY = 1024
"""Bytes after decompression."""

_COSE_SIGN1 = 0xD2  # tag 18 in one byte
_ZLIB = 0x78  # deflate, 32 KiB window (RFC 1950 2.2)
_ALGORITHM, _CRITICAL, _KEY_ID = 1, 2, 4  # header labels (RFC 9052 3.1)
_UNDERSTOOD = {_ALGORITHM, _KEY_ID}


class TokenError(ValueError):
    """A text is not a readable pass."""


class NotAPassError(TokenError):
    """The text does not begin as a pass does."""


class MalformedError(TokenError):
    """The text begins as a pass and is none; the message says where it goes wrong."""


@dataclass(frozen=True, slots=True)
class SignedPass:
    """A pass taken apart. Nothing in it is to be trusted before its signature is checked."""

    claims: PassClaims
    key_id: bytes
    signed: bytes
    signature: bytes


def issue(claims: PassClaims, key: SigningKey) -> str:
    """Sign claims into a token. The same claims and key give the same text.

    Raises ValueError when the scope is too large for a token.
    """
    protected = cbor.encode({_ALGORITHM: COSE_ALGORITHM, _KEY_ID: key.key_id})
    payload = cbor.encode(claims.to_map())
    signature = key.sign(_signed_bytes(protected, payload))
    body = bytes([_COSE_SIGN1]) + cbor.encode([protected, {}, payload, signature])
    compressed = zlib.compress(body, 9)
    packed = compressed if len(compressed) < len(body) else body
    text: str = PREFIX + base45.b45encode(packed).decode("ascii")
    if len(body) > LARGEST_BODY or len(text) > LONGEST_TEXT:
        raise ValueError("the scope is too large for a token")
    return text


def read(text: str) -> SignedPass:
    """Take a token apart, strictly. Raises NotAPassError or MalformedError, both TokenError."""
    if not text.startswith(PREFIX):
        raise NotAPassError("no pass prefix")
    if len(text) > LONGEST_TEXT:
        raise MalformedError("too long")
    body = _unpacked(text[len(PREFIX) :])
    try:
        envelope = cbor.decode(body[1:])
        if body[0] != _COSE_SIGN1 or type(envelope) is not list or len(envelope) != 4:
            raise MalformedError("not a COSE_Sign1")
        protected, unprotected, payload, signature = envelope
        if not all(type(part) is bytes for part in (protected, payload, signature)):
            raise MalformedError("not a COSE_Sign1")
        if unprotected != {} or len(signature) != SIGNATURE_BYTES:
            raise MalformedError("an unsigned header or a signature of another length")
        key_id = _key_id(cbor.decode(protected))
        claims = PassClaims.from_map(cbor.decode(payload))
    except TokenError:
        raise
    except ValueError as error:
        raise MalformedError(str(error)) from error
    return SignedPass(claims, key_id, _signed_bytes(protected, payload), signature)


def _unpacked(encoded: str) -> bytes:
    try:
        # as bytes: given text, the library forgives line ends
        packed = base45.b45decode(encoded.encode("ascii"))
    except ValueError as error:
        raise MalformedError("not Base45") from error
    if not packed or packed[0] != _ZLIB:
        return packed or b"\0"
    inflate = zlib.decompressobj()
    try:
        body = inflate.decompress(packed, LARGEST_BODY + 1)
    except zlib.error as error:
        raise MalformedError("not zlib") from error
    if len(body) > LARGEST_BODY:
        raise MalformedError("too large after decompression")
    if not inflate.eof or inflate.unused_data or len(packed) >= len(body):
        raise MalformedError("cut, followed by more, or compressed for nothing")
    return body


def _key_id(header: object) -> bytes:
    if not isinstance(header, dict) or header.get(_ALGORITHM) != COSE_ALGORITHM:
        raise MalformedError("another algorithm")
    if _CRITICAL in header:
        critical = header[_CRITICAL]
        if type(critical) is not list or not critical:
            raise MalformedError("an empty list of critical headers")
        if not all(type(label) is int and label in _UNDERSTOOD for label in critical):
            raise MalformedError("a critical header that is not understood")
    key_id = header.get(_KEY_ID)
    if type(key_id) is not bytes or len(key_id) != KEY_ID_BYTES:
        raise MalformedError("a key id of another length")
    return key_id


def _signed_bytes(protected: bytes, payload: bytes) -> bytes:
    """Sig_structure (RFC 9052 4.4) without external data."""
    return cbor.encode(["Signature1", protected, b"", payload])
