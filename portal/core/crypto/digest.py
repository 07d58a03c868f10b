"""The hash of the house. The one module that names the algorithm; SM3 takes its place by changing this.

Both have 32 bytes. What was hashed before a change is verified with the algorithm written beside it.
"""

from __future__ import annotations

import hashlib
from typing import Final

ALGORITHM: Final = "sha256"
"""As :func:`hashlib.new` calls it; ``sm3`` where the OpenSSL at hand has it."""
BYTES: Final = 32


def digest(content: bytes, algorithm: str = ALGORITHM) -> bytes:
    """32 bytes. Raises ValueError for an algorithm that is not at hand."""
    return hashlib.new(algorithm, content, usedforsecurity=True).digest()
