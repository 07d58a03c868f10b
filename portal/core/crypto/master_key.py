"""The master key: 32 bytes kept outside the database that open every data key inside it.

The key file holds 64 hexadecimal digits and a newline, readable by its owner only.
"""

import contextlib
import os
import secrets
import stat
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

MASTER_BYTES = 32


class MasterKeyError(Exception):
    """The master key is missing, malformed or open to others; the message says what to do."""


@dataclass(frozen=True, slots=True)
class MasterKey:
    """The secret itself; shows itself in no repr."""

    raw: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.raw) != MASTER_BYTES:
            raise MasterKeyError(f"a master key has {MASTER_BYTES} bytes, not {len(self.raw)}")

    @classmethod
    def generate(cls) -> "MasterKey":
        """Make a new key from the system's randomness."""
        return cls(secrets.token_bytes(MASTER_BYTES))

    @classmethod
    def from_text(cls, text: str) -> "MasterKey":
        """Read 64 hexadecimal digits. Raises MasterKeyError for anything else."""
        try:
            return cls(bytes.fromhex(text.strip()))
        except ValueError:
            raise MasterKeyError("a master key is written as 64 hexadecimal digits") from None

    def text(self) -> str:
        """The key as it stands in its file."""
        return self.raw.hex()


def load_master_key(path: Path, *, create: bool = False) -> MasterKey:
    """Read the master key file; with `create`, make it (mode 0600) when it is not there.

    Two processes starting at once end with the same key: the file appears complete or not at all.
    Raises MasterKeyError when it is missing, malformed, or readable by others than its owner.
    """
    if create and not path.exists():
        _write_new(path, MasterKey.generate())
    try:
        with path.open(encoding="ascii") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            text = file.read(1024)
    except FileNotFoundError:
        raise MasterKeyError(f"there is no master key at {path}: restore it from backup") from None
    except (OSError, UnicodeDecodeError) as error:
        raise MasterKeyError(f"the master key at {path} cannot be read: {error}") from error
    if mode & 0o077:
        raise MasterKeyError(f"others can read the master key: run chmod 600 {path}")
    return MasterKey.from_text(text)


def _write_new(path: Path, key: MasterKey) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # mode 0600
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(key.text() + "\n")
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):  # another process was first: its key counts
            path.hardlink_to(temporary)
    finally:
        temporary.unlink()
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
