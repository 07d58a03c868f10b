"""Passwords as mosquitto keeps them: ``$7$`` iterations ``$`` salt ``$`` key, PBKDF2 with SHA-512.

mosquitto 2.0 writes 101 iterations by default, far too few for a password that a person chose, and
checks the password on its only thread at every connect. Ours are never chosen by a person: they are
192 random bits, which no number of guesses reaches, so that stretching adds nothing to their strength.
What it would cost is real: 20,000 iterations take about 25 ms of that one thread for each connection,
and a thousand gates that reconnect after a power cut would then keep the broker from passing on a
scan for half a minute. 1,000 iterations take about a millisecond, and still slow down guessing a
password that somebody did set by hand and that is handed to :func:`hash_password`.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
import secrets
from typing import Final

ITERATIONS: Final = 1_000
PASSWORD_BYTES: Final = 24
_SALT_BYTES: Final = 12
_KEY_BYTES: Final = 64
_HASH = re.compile(r"\$7\$(\d{1,9})\$([A-Za-z0-9+/=]{1,64})\$([A-Za-z0-9+/=]{1,128})")


def new_password() -> str:
    """A password for a device or a service: 192 random bits, 32 characters safe in a URL."""
    return secrets.token_urlsafe(PASSWORD_BYTES)


def hash_password(password: str, iterations: int = ITERATIONS) -> str:
    """The line of mosquitto's password file after ``user:``."""
    if iterations < 1:
        raise ValueError("a hash takes at least one iteration")
    salt = secrets.token_bytes(_SALT_BYTES)
    key = _stretch(password, salt, iterations)
    return f"$7${iterations}${_text(salt)}${_text(key)}"


def verify_password(password: str, hashed: str) -> bool:
    """Whether the password fits; ``False`` for a hash that is none of this form."""
    match = _HASH.fullmatch(hashed)
    if match is None or int(match[1]) < 1:
        return False
    try:
        salt = base64.b64decode(match[2], validate=True)
        key = base64.b64decode(match[3], validate=True)
    except binascii.Error:
        return False
    return hmac.compare_digest(_stretch(password, salt, int(match[1])), key)


def _stretch(password: str, salt: bytes, iterations: int) -> bytes:
    return hashlib.pbkdf2_hmac("sha512", password.encode(), salt, iterations, _KEY_BYTES)


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
