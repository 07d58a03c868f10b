"""Mosquitto's password hashes: ``$7$iterations$salt$hash``, PBKDF2-HMAC-SHA512 (mosquitto 2.0, mosquitto_passwd)."""

from __future__ import annotations

import base64
import hashlib
import secrets

ITERATIONS = 101
_SALT_BYTES = 12
_HASH_BYTES = 64


def hash_password(password: str) -> str:
    """A password as it stands in mosquitto's password file, without the user's name."""
    salt = secrets.token_bytes(_SALT_BYTES)
    digest = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, ITERATIONS, _HASH_BYTES)
    return f"$7${ITERATIONS}${base64.b64encode(salt).decode()}${base64.b64encode(digest).decode()}"
