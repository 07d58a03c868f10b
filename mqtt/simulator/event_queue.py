"""A device's memory of what the portal has not answered yet.

Each event stays until an answer names it and is due again every ``RESEND_SECONDS``. With a file, the
queue outlives the process: additions and answers are appended as JSON lines and read back, a torn
last line is left out::

    {"add": id, "kind": "scan", "at": "…", "payload": "…"}
    {"done": id}
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, TextIO

from mqtt.contract.codec import MAX_AGE, encode
from mqtt.contract.messages import RESEND_SECONDS, Event

RESEND: Final = timedelta(seconds=RESEND_SECONDS)
WINDOW: Final = 100
"""At most so many events are repeated at once; the rest waits its turn, oldest first."""
_COMPACT_LINES: Final = 2000


@dataclass(slots=True)
class Waiting:
    """An unanswered event as it goes over the wire; ``due`` is when it is sent next."""

    id: str
    kind: str
    at: datetime
    payload: bytes
    due: datetime


class EventQueue:
    """Events in the order they happened, until answered."""

    def __init__(self, path: Path | None = None) -> None:
        self._waiting: dict[str, Waiting] = {}
        self._path = path
        self._file: TextIO | None = None
        self._lines = 0
        if path is not None:
            self._read(path)
            self._compact()

    def __len__(self) -> int:
        return len(self._waiting)

    def __contains__(self, event: str) -> bool:
        return event in self._waiting

    def add(self, event: Event, now: datetime, *, sent: bool) -> Waiting:
        """Keep ``event``; ``sent`` says whether it also goes out now."""
        due = now + RESEND if sent else now
        waiting = Waiting(event.id, event.NAME, event.at, encode(event), due)
        self._waiting[event.id] = waiting
        self._append(
            {
                "add": waiting.id,
                "kind": waiting.kind,
                "at": waiting.at.isoformat(),
                "payload": waiting.payload.decode(),
            }
        )
        return waiting

    def answer(self, events: Iterable[str]) -> int:
        """Forget these events; returns how many were waiting."""
        found = [event for event in events if self._waiting.pop(event, None) is not None]
        for event in found:
            self._append({"done": event})
        if self._lines > _COMPACT_LINES and not self._waiting:
            self._compact()
        return len(found)

    def take_due(self, now: datetime, *, every: bool = False) -> list[Waiting]:
        """Events to send now, at most ``WINDOW``; ``every`` asks for those not yet due as well.

        Events too old for the portal to accept are forgotten.
        """
        self.answer([w.id for w in self._waiting.values() if w.at < now - MAX_AGE])
        found = [w for w in self._waiting.values() if every or w.due <= now][:WINDOW]
        for waiting in found:
            waiting.due = now + RESEND
        return found

    def next_due(self) -> datetime | None:
        """When the earliest event is due, or None when nothing waits."""
        return min((w.due for w in self._waiting.values()), default=None)

    def close(self) -> None:
        """Close the file, keeping its content."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _append(self, line: dict[str, str]) -> None:
        if self._file is not None:
            self._file.write(json.dumps(line) + "\n")
            self._file.flush()
            self._lines += 1

    def _read(self, path: Path) -> None:
        if not path.is_file():
            return
        for text in path.read_text("utf-8").splitlines():
            with suppress(ValueError, KeyError, TypeError, AttributeError):
                self._replay(json.loads(text))

    def _replay(self, line: dict[str, str]) -> None:
        if "done" in line:
            self._waiting.pop(line["done"], None)
            return
        at = datetime.fromisoformat(line["at"])
        self._waiting[line["add"]] = Waiting(
            line["add"], line["kind"], at, line["payload"].encode(), at
        )

    def _compact(self) -> None:
        """Write the file anew with what still waits, in one rename."""
        if self._path is None:
            return
        self.close()
        fresh = self._path.with_suffix(".new")
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._file = fresh.open("w", encoding="utf-8")
        fresh.chmod(0o600)
        self._lines = 0
        for waiting in self._waiting.values():
            self._append(
                {
                    "add": waiting.id,
                    "kind": waiting.kind,
                    "at": waiting.at.isoformat(),
                    "payload": waiting.payload.decode(),
                }
            )
        fresh.replace(self._path)
