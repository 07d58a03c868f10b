"""Batches that wait on disk while the store is away, oldest first.

A folder of append-only segments, ``000000000001.spool`` and so on. A segment is a magic line followed by
records; a record is length and CRC-32 of its body (two unsigned 32-bit, big-endian) and the body,
one batch of points as MessagePack. ``append`` returns after the fsync. A segment is deleted when all of it
has been delivered; after a crash the rest of a half-delivered segment is delivered again, which the
store does not mind.

At start each segment is read through. What follows the last whole record is a torn write: it was
never acknowledged, and is cut off. If it is more than a torn write can be (a whole record with
a wrong checksum, so the disk changed what was safe), the tail is kept as ``*.damaged`` for a person.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import struct
import zlib
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

import msgspec

from mqtt.telemetry.model import Point, from_ms, to_ms

MAGIC: Final = b"LINLI SPOOL 1\n"
SEGMENT_BYTES: Final = 4 * 1024 * 1024
MAX_RECORD_BYTES: Final = 16 * 1024 * 1024
MAX_DAMAGED: Final = 8
"""How many damaged tails are kept."""
_HEAD: Final = struct.Struct(">II")
_Row = tuple[str, str, str, int, float]
_encoder: Final = msgspec.msgpack.Encoder()
_decoder: Final = msgspec.msgpack.Decoder(list[_Row])


class SpoolFullError(Exception):
    """No room: the bound is reached or the disk is full. Deliver something first."""


class SpoolLockedError(Exception):
    """Another process uses this folder."""


@dataclass(frozen=True, slots=True)
class Recovery:
    """What was found at start: whole records, bytes cut off as torn, damaged tails kept aside."""

    records: int
    torn_bytes: int
    damaged: int


@dataclass(slots=True)
class _Segment:
    path: Path
    size: int
    records: int


def encode_batch(points: Sequence[Point]) -> bytes:
    """Points as one record's body."""
    return _encoder.encode(
        [(p.community, p.device, p.measure_key, to_ms(p.at), float(p.value)) for p in points]
    )


def decode_batch(body: bytes) -> list[Point]:
    """A record's body as points. Raises ``ValueError`` if it is none."""
    try:
        rows = _decoder.decode(body)
        return [Point(c, d, m, from_ms(at), value) for c, d, m, at, value in rows]
    except (msgspec.DecodeError, OverflowError) as error:
        raise ValueError(f"not a batch: {error}") from error


def spooled_bytes(folder: Path) -> int:
    """How much waits in a spool, for another process to ask; 0 when there is no such folder."""
    total = 0
    for path in folder.glob("*.spool"):
        with contextlib.suppress(FileNotFoundError):
            total += path.stat().st_size
    return total


def _records(file: BinaryIO) -> Iterator[tuple[bytes | None, int]]:
    """Bodies and the offset behind each; a last ``(None, offset)`` marks a whole but wrong record."""
    while True:
        head = file.read(_HEAD.size)
        if len(head) < _HEAD.size:
            return
        length, checksum = _HEAD.unpack(head)
        if length > MAX_RECORD_BYTES:
            yield None, file.tell()
            return
        body = file.read(length)
        if len(body) < length:
            return
        if zlib.crc32(body) != checksum:
            yield None, file.tell()
            return
        yield body, file.tell()


class Spool:
    """See the module. One process and one thread at a time; the folder is locked.

    Args:
        folder: made if missing.
        max_bytes: the sum of all segments stays below this.
        segment_bytes: a segment is closed when it is larger.

    Raises:
        SpoolLockedError: another process has the folder.
        OSError: the folder cannot be used.
    """

    def __init__(self, folder: Path, max_bytes: int, segment_bytes: int = SEGMENT_BYTES) -> None:
        self._folder = folder
        self._max_bytes = max_bytes
        self._segment_bytes = segment_bytes
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._lock = (folder / "lock").open("wb")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._lock.close()
            raise SpoolLockedError(f"{folder} is used by another process") from error
        self._segments: deque[_Segment] = deque()
        self._tail: BinaryIO | None = None
        self._head: BinaryIO | None = None
        self._pending: list[Point] | None = None
        self._next = 1
        self.recovery = self._recover()

    # --- state ---------------------------------------------------------------------------------

    @property
    def records(self) -> int:
        """Batches not yet delivered."""
        return sum(segment.records for segment in self._segments)

    @property
    def size_bytes(self) -> int:
        """What the segments take on the disk."""
        return sum(segment.size for segment in self._segments)

    @property
    def empty(self) -> bool:
        """Whether everything has been delivered."""
        return not self._segments

    # --- start ---------------------------------------------------------------------------------

    def _recover(self) -> Recovery:
        records = torn = damaged = 0
        for path in sorted(self._folder.glob("*.spool")):
            if not path.stem.isdecimal():
                continue
            self._next = max(self._next, int(path.stem) + 1)
            segment, wrong = self._scan(path)
            rest = path.stat().st_size - segment.size
            if rest:
                if wrong:
                    damaged += 1
                    self._keep_damaged(path, segment.size)
                else:
                    torn += rest
                with path.open("r+b") as file:
                    file.truncate(segment.size)
                    os.fsync(file.fileno())
            if segment.records:
                records += segment.records
                self._segments.append(segment)
            else:
                path.unlink()
        return Recovery(records, torn, damaged)

    @staticmethod
    def _scan(path: Path) -> tuple[_Segment, bool]:
        """The good part of a segment, and whether what follows is wrong rather than torn."""
        with path.open("rb") as file:
            magic = file.read(len(MAGIC))
            if magic != MAGIC:
                return _Segment(path, 0, 0), not MAGIC.startswith(magic)
            end, count = len(MAGIC), 0
            for body, offset in _records(file):
                if body is None:
                    return _Segment(path, end, count), True
                end, count = offset, count + 1
        return _Segment(path, end, count), False

    def _keep_damaged(self, path: Path, start: int) -> None:
        with path.open("rb") as source, path.with_suffix(".damaged").open("wb") as target:
            source.seek(start)
            while piece := source.read(1 << 20):
                target.write(piece)
        kept = sorted(self._folder.glob("*.damaged"))
        for old in kept[:-MAX_DAMAGED]:
            old.unlink()

    # --- in ------------------------------------------------------------------------------------

    def append(self, points: Sequence[Point]) -> None:
        """Keep a batch; it is on the disk when this returns.

        Raises:
            SpoolFullError: it has not been kept; nothing is left of it.
        """
        if not points:
            return
        body = encode_batch(points)
        record = _HEAD.pack(len(body), zlib.crc32(body)) + body
        if (
            len(body) > MAX_RECORD_BYTES
            or self.size_bytes + len(record) + len(MAGIC) > self._max_bytes
        ):
            raise SpoolFullError(f"the spool holds {self.size_bytes} bytes")
        try:
            self._append(record)
        except OSError as error:
            self._cut_back()
            raise SpoolFullError(f"the spool cannot be written: {error.strerror}") from error

    def _append(self, record: bytes) -> None:
        if self._tail is None or self._segments[-1].size >= self._segment_bytes:
            self._start_segment()
        if self._tail is None:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        if self._tail.write(record) != len(record):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        os.fsync(self._tail.fileno())
        segment = self._segments[-1]
        segment.size += len(record)
        segment.records += 1

    def _start_segment(self) -> None:
        self._close_tail()
        path = self._folder / f"{self._next:012d}.spool"
        self._next += 1
        self._tail = path.open("xb", buffering=0)
        path.chmod(0o600)
        self._segments.append(_Segment(path, len(MAGIC), 0))
        if self._tail.write(MAGIC) != len(MAGIC):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self._sync_folder()

    def _cut_back(self) -> None:
        """After a failed write: nobody may read what may be half there. A new segment comes next."""
        if self._tail is None:
            return
        segment = self._segments[-1]
        with contextlib.suppress(OSError):
            os.ftruncate(self._tail.fileno(), segment.size)
        self._close_tail()
        if not segment.records and len(self._segments) > 0:
            self._segments.pop()
            self._close_head_of(segment)
            with contextlib.suppress(OSError):
                segment.path.unlink()

    def _close_tail(self) -> None:
        if self._tail is not None:
            with contextlib.suppress(OSError):
                self._tail.close()
            self._tail = None

    def _sync_folder(self) -> None:
        descriptor = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    # --- out -----------------------------------------------------------------------------------

    def peek(self) -> list[Point] | None:
        """The oldest batch not yet delivered, or None. The same until ``drop``.

        A batch that cannot be decoded although its checksum is right comes from another release; it
        raises ``ValueError``, and ``drop`` passes over it.
        """
        if self._pending is not None:
            return self._pending
        while self._segments:
            segment = self._segments[0]
            if segment.records:
                body = self._next_body(segment)
                self._pending = decode_batch(body)
                return self._pending
            self._finish(segment)
        return None

    def _next_body(self, segment: _Segment) -> bytes:
        if self._head is None:
            self._head = segment.path.open("rb")
            self._head.seek(len(MAGIC))
        start = self._head.tell()
        body, _ = next(_records(self._head), (None, 0))
        if body is None:
            self._head.seek(start)
            raise OSError(errno.EIO, f"{segment.path.name} cannot be read at {start}")
        self._head.seek(start)
        return body

    def drop(self) -> None:
        """The oldest batch has been delivered."""
        if not self._segments or not self._segments[0].records:
            return
        segment = self._segments[0]
        if self._head is None:
            self._next_body(segment)
        if self._head is not None:
            length, _ = _HEAD.unpack(self._head.read(_HEAD.size))
            self._head.seek(length, os.SEEK_CUR)
        segment.records -= 1
        self._pending = None
        if not segment.records:
            self._finish(segment)

    def set_aside(self) -> int:
        """Give up the oldest segment, which cannot be read: it is kept as ``*.damaged``.

        Returns how many undelivered batches it held.
        """
        if not self._segments:
            return 0
        segment = self._segments[0]
        self._pending = None
        self._keep_damaged(segment.path, 0)
        self._finish(segment)
        return segment.records

    def _finish(self, segment: _Segment) -> None:
        self._close_head_of(segment)
        if segment is self._segments[-1]:
            self._close_tail()
        self._segments.popleft()
        segment.path.unlink(missing_ok=True)

    def _close_head_of(self, segment: _Segment) -> None:
        if self._head is not None and self._head.name == str(segment.path):
            self._head.close()
            self._head = None

    def close(self) -> None:
        """Let go of files and lock; what is left is delivered by the next process."""
        self._close_tail()
        if self._head is not None:
            self._head.close()
            self._head = None
        self._lock.close()
