"""Signed checkpoints of the audit chain, kept outside the database: a chain cut off at its end is found.

A checkpoint says "link SEQ had this HASH at this time", signed by a key that lies beside the master key.
They are appended to ``audit/checkpoints.jsonl`` in the data folder, one JSON object a line; copy that file to
another machine now and then, so that whoever owns this one cannot cut both. ``linli audit verify --checkpoints``
takes such a copy.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.config import Config
from portal.core.audit import AuditSeal
from portal.core.audit_chain import Broken, Verdict
from portal.core.crypto.signing import SigningKey, VerifyKey

FILE: Final = "audit/checkpoints.jsonl"
KEY_FILE: Final = "keys/audit.key"
PUBLIC_FILE: Final = "keys/audit.pub"


class CheckpointError(Exception):
    """The key or the file cannot be used; the message says which and why."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """One signed statement. ``signature`` is hexadecimal, over :meth:`message`."""

    seq: int
    hash: str
    at: str
    key_id: str
    signature: str

    def message(self) -> bytes:
        """What is signed."""
        return f"linli audit checkpoint 1\0{self.seq}\0{self.hash}\0{self.at}".encode()


def signing_key(config: Config) -> SigningKey:
    """The key that signs checkpoints, made at first use (0600); its public half lies beside it.

    Raises:
        CheckpointError: the file is not a key.
    """
    path = config.path(KEY_FILE)
    if not path.exists():
        _keep_new(path, config.path(PUBLIC_FILE))
    try:
        return SigningKey.from_private_bytes(bytes.fromhex(path.read_text("ascii").strip()))
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{path} is not a key of the audit: {error}") from None


def _keep_new(path: Path, public: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    key = SigningKey.generate()
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as stream:
            stream.write(key.private_bytes().hex() + "\n")
            stream.flush()
            os.fsync(stream.fileno())
        try:
            path.hardlink_to(temporary)
        except FileExistsError:
            return  # another process was first: its key counts
        public.write_text(key.public.raw.hex() + "\n", "ascii")
    finally:
        temporary.unlink(missing_ok=True)


def public_key(config: Config) -> VerifyKey:
    """The key that checks signatures. Raises CheckpointError when there is none."""
    path = config.path(PUBLIC_FILE)
    try:
        return VerifyKey(bytes.fromhex(path.read_text("ascii").strip()))
    except FileNotFoundError:
        return signing_key(config).public
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{path} is not a public key: {error}") from None


def write(config: Config, session: Session, now: datetime) -> Checkpoint | None:
    """Append a checkpoint of the newest link; ``None`` when there is nothing new to say.

    Raises:
        CheckpointError: see :func:`signing_key`; OSError: the file cannot be written.
    """
    last = session.scalars(select(AuditSeal).order_by(AuditSeal.seq.desc()).limit(1)).first()
    path = config.path(FILE)
    if last is None:
        return None
    known = newest(path)
    if known is not None and known.seq >= last.seq:
        return None
    key = signing_key(config)
    bare = Checkpoint(last.seq, last.hash, now.isoformat(), key.key_id.hex(), "")
    signed = Checkpoint(bare.seq, bare.hash, bare.at, bare.key_id, key.sign(bare.message()).hex())
    path.parent.mkdir(parents=True, exist_ok=True)
    line = json.dumps({name: getattr(signed, name) for name in Checkpoint.__slots__}) + "\n"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as stream:
        stream.write(line)
        stream.flush()
        os.fsync(stream.fileno())
    return signed


def read(path: Path) -> Iterator[Checkpoint]:
    """Every checkpoint of a file, oldest first; none when there is no file.

    Raises:
        CheckpointError: a line is none.
    """
    try:
        lines = path.read_text("utf-8").splitlines()
    except FileNotFoundError:
        return
    except (OSError, UnicodeDecodeError) as error:
        raise CheckpointError(f"{path} cannot be read: {error}") from None
    for number, line in enumerate(lines, 1):
        try:
            values = json.loads(line)
            yield Checkpoint(
                int(values["seq"]),
                str(values["hash"]),
                str(values["at"]),
                str(values["key_id"]),
                str(values["signature"]),
            )
        except (ValueError, KeyError, TypeError):
            raise CheckpointError(f"{path}, line {number}, is not a checkpoint") from None


def newest(path: Path) -> Checkpoint | None:
    """The last one of a file."""
    found = None
    for found in read(path):  # noqa: B007 - the last one is wanted
        pass
    return found


def compare(session: Session, verdict: Verdict, path: Path, key: VerifyKey) -> Broken | None:
    """The first checkpoint that the chain does not bear out; ``None`` when it bears out all.

    Raises:
        CheckpointError: the file cannot be read.
    """
    for point in read(path):
        try:
            signature = bytes.fromhex(point.signature)
        except ValueError:
            signature = b""
        if not key.verify(signature, point.message()):
            return Broken(point.seq, None, "checkpoint_forged")
        if point.seq < verdict.first_seq:
            continue  # purged meanwhile
        held = session.scalars(select(AuditSeal).where(AuditSeal.seq == point.seq)).first()
        if held is None:
            return Broken(point.seq, None, "tail_missing")
        if held.hash != point.hash:
            return Broken(point.seq, held.entry_id, "chain_rewritten")
    return None
