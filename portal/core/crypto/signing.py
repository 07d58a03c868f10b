"""Signatures of the house. The one module that names the algorithm.

Now Ed25519 (RFC 8032), COSE algorithm -8 (EdDSA, RFC 9053 2.2). Another algorithm, SM2 for
instance, takes its place by giving `SigningKey` and `VerifyKey` another inside and other constants.
A key id is the first eight bytes of SHA-256 over the raw public key.
"""

import hashlib
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

COSE_ALGORITHM = -8
"""COSE algorithm identifier written into and demanded from every signed object."""

JWK_NAMES = {"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA"}
"""How a JSON key set names the same algorithm (RFC 8037)."""

PRIVATE_BYTES = 32
PUBLIC_BYTES = 32
SIGNATURE_BYTES = 64
KEY_ID_BYTES = 8


@dataclass(frozen=True, slots=True)
class VerifyKey:
    """A public key. `raw` is its 32 bytes; raises ValueError for any other length."""

    raw: bytes
    key_id: bytes = field(init=False)
    _key: Ed25519PublicKey = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if len(self.raw) != PUBLIC_BYTES:
            raise ValueError(f"a public key has {PUBLIC_BYTES} bytes, not {len(self.raw)}")
        object.__setattr__(self, "key_id", hashlib.sha256(self.raw).digest()[:KEY_ID_BYTES])
        object.__setattr__(self, "_key", Ed25519PublicKey.from_public_bytes(self.raw))

    def verify(self, signature: bytes, message: bytes) -> bool:
        """Whether `signature` over `message` was made with the private half; never raises."""
        try:
            self._key.verify(signature, message)
        except InvalidSignature:
            return False
        return True


class SigningKey:
    """A private key; it shows itself in no repr and no log."""

    __slots__ = ("_key", "_public")

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key
        self._public = VerifyKey(key.public_key().public_bytes_raw())

    @classmethod
    def generate(cls) -> "SigningKey":
        """Make a new key from the system's randomness."""
        return cls(Ed25519PrivateKey.generate())

    @classmethod
    def from_private_bytes(cls, raw: bytes) -> "SigningKey":
        """Read a key from its 32 bytes. Raises ValueError for any other length."""
        if len(raw) != PRIVATE_BYTES:
            raise ValueError(f"a private key has {PRIVATE_BYTES} bytes, not {len(raw)}")
        return cls(Ed25519PrivateKey.from_private_bytes(raw))

    def private_bytes(self) -> bytes:
        """The 32 secret bytes, for storing them encrypted."""
        return self._key.private_bytes_raw()

    @property
    def public(self) -> VerifyKey:
        """The public half."""
        return self._public

    @property
    def key_id(self) -> bytes:
        """Eight bytes naming the key."""
        return self._public.key_id

    def sign(self, message: bytes) -> bytes:
        """Sign `message`; 64 bytes, the same for the same message."""
        return self._key.sign(message)

    def __repr__(self) -> str:
        return f"SigningKey({self.key_id.hex()})"
