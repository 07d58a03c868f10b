"""Pages that hear at once that something has changed: server-sent events (WHATWG HTML, section 9.2).

Each process has one :class:`Hub`. While somebody listens, its one watcher asks every :data:`INTERVAL`
seconds a few cheap questions (:class:`Probe`: the largest id of a log, say) and wakes the streams when an
answer differs. A stream then looks for itself (``snapshot``) and speaks only when its own mark has changed;
every :data:`HEARTBEAT` seconds it looks anyway, for what time alone changes. Nothing is told between
processes: each sees the others' commits in the database.

::

    open ──► mark told ──► waits ──woken or heartbeat──► looks ──mark differs──► told
                             │                              └──same──► a comment, so that proxies keep it
                             ├──LIFE is over, process stops, nobody there──► ends; the page comes back
                             └──the same person opened too many──► "displaced"; the page asks by the clock

Event ids are the marks: whoever comes back with ``Last-Event-ID``, to any process, is told only when
something has happened in between. A stream holds a thread of the server, so there are :data:`MOST_STREAMS`
at most, for which :mod:`portal.serving` has threads besides those for requests.
"""

from __future__ import annotations

import json
import select as sockets
import socket
import threading
import time
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import structlog
from sqlalchemy import Select, func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from portal.core.audit import AuditEntry
from portal.core.db import Database
from portal.core.errors import TooManyError
from portal.core.i18n import lazy

log = structlog.get_logger("portal.live")

EXTENSION: Final = "linli.live"
INTERVAL: Final = 1.0
"""Seconds between two looks of the watcher, and the longest that an end takes to be noticed."""
HEARTBEAT: Final = 15.0
LIFE: Final = 240.0
"""Seconds after which a stream ends: the page comes back at once, with its permissions asked anew."""
MOST_STREAMS: Final = 16
MOST_OF_ONE: Final = 3
"""Streams of one owner; one more ends the oldest."""
RETRY_MS: Final = 2000
RECENT: Final = 200
"""Ids behind the newest that are counted: PostgreSQL commits them out of their order."""


@dataclass(frozen=True, slots=True)
class Probe:
    """A cheap question whose answer differs when something of the topic has changed.

    A feature offers ``PROBES`` in its module ``live``; what people do is in the audit and needs none.
    """

    topic: str
    look: Callable[[Session], Hashable]


def newest(column: Any, *conditions: Any) -> Callable[[Session], Hashable]:
    """A probe's look at a log that only grows: its largest id, and how many of the last ids are there.

    Args:
        conditions: which rows count; among the last :data:`RECENT` ids only.
    """
    last = select(func.max(column)).scalar_subquery()
    statement: Select[Any] = select(func.max(column), func.count(column)).where(
        column > func.coalesce(last, 0) - RECENT, *conditions
    )

    def look(session: Session) -> Hashable:
        return tuple(session.execute(statement).one())

    return look


AUDIT: Final = Probe("audit", newest(AuditEntry.id))
"""Every act of a person, of any feature."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a stream's page should show. ``mark`` is short, without spaces, and differs when ``data`` does."""

    mark: str
    data: Mapping[str, Any]


class Stream:
    """One listener's place in the hub."""

    def __init__(self, hub: Hub, owner: Hashable) -> None:
        self.owner = owner
        self.displaced = False
        self._hub = hub
        self._heard = hub.turn

    def wait(self, seconds: float) -> bool:
        """Wait until something may have changed; False when nothing has."""
        with self._hub.condition:
            self._hub.condition.wait_for(lambda: self._hub.turn != self._heard, seconds)
            woken = self._hub.turn != self._heard
            self._heard = self._hub.turn
        return woken

    def close(self) -> None:
        """Give the place back; a second time changes nothing."""
        self._hub.leave(self)


class Hub:
    """The streams of this process and their watcher; for any number of threads.

    Args:
        probes: what the watcher asks; :data:`AUDIT` is always among it.
    """

    def __init__(self, db: Database, probes: Sequence[Probe] = ()) -> None:
        self.interval, self.heartbeat, self.life = INTERVAL, HEARTBEAT, LIFE
        self.most, self.most_of_one = MOST_STREAMS, MOST_OF_ONE
        self.stopping: Callable[[], bool] = lambda: False
        """Whether the process is to end: streams end within :data:`INTERVAL`."""
        self.turn = 0
        self.condition = threading.Condition()
        self._db = db
        self._probes = (AUDIT, *probes)
        self._streams: list[Stream] = []
        self._watcher: threading.Thread | None = None

    @property
    def streams(self) -> int:
        """How many are open."""
        with self.condition:
            return len(self._streams)

    def open(self, owner: Hashable) -> Stream:
        """A place for one more listener; the owner's oldest one goes when there are too many of them.

        Raises:
            TooManyError: ``streams_exhausted``; the page asks by the clock instead.
        """
        with self.condition:
            own = [s for s in self._streams if s.owner == owner]
            if len(own) >= self.most_of_one:
                own[0].displaced = True
                self._streams.remove(own[0])
            if len(self._streams) >= self.most:
                raise TooManyError(
                    "streams_exhausted", lazy("Too many pages are live now. Reload now and then.")
                )
            stream = Stream(self, owner)
            self._streams.append(stream)
            if self._watcher is None:
                self._watcher = threading.Thread(target=self._watch, name="live", daemon=True)
                self._watcher.start()
            return stream

    def leave(self, stream: Stream) -> None:
        """Take a listener out."""
        with self.condition:
            if stream in self._streams:
                self._streams.remove(stream)

    def _watch(self) -> None:
        """Ask the probes until nobody listens any more."""
        before: tuple[Hashable, ...] | None = None
        failed = False
        while True:
            try:
                with self._db.read() as session:
                    seen = tuple(probe.look(session) for probe in self._probes)
            except SQLAlchemyError as error:
                if not failed:
                    log.warning("live_probe_failed", cause=type(error).__name__)
                failed = True
            else:
                failed = False
                if seen != before:  # the first look too: something may have come before it
                    with self.condition:
                        self.turn += 1
                        self.condition.notify_all()
                before = seen
            time.sleep(self.interval)
            with self.condition:
                if not self._streams or self.stopping():
                    self._watcher = None
                    return


def event(name: str, data: Mapping[str, Any], mark: str = "") -> str:
    """One event as it goes over the wire."""
    head = f"id: {mark}\n" if mark else ""
    return f"{head}event: {name}\ndata: {json.dumps(data, separators=(',', ':'))}\n\n"


def speak(
    hub: Hub,
    stream: Stream,
    snapshot: Callable[[], Snapshot],
    known: str = "",
    gone: Callable[[], bool] = lambda: False,
) -> Iterator[str]:
    """The text of a stream, until it ends.

    Args:
        known: the mark that the page has seen last.
        gone: whether nobody is at the other end any more.
    """
    begun = looked = time.monotonic()
    try:
        yield f"retry: {RETRY_MS}\n\n"
        due = True
        while True:
            if due:
                looked = time.monotonic()
                now = snapshot()
                if now.mark != known:
                    known = now.mark
                    yield event("changed", now.data, known)
                else:
                    yield ": same\n\n"
            due = stream.wait(hub.interval) or time.monotonic() - looked >= hub.heartbeat
            if stream.displaced:
                yield event("displaced", {})
                return
            if hub.stopping() or gone() or time.monotonic() - begun >= hub.life:
                return
    except SQLAlchemyError as error:
        log.warning("live_snapshot_failed", cause=type(error).__name__)
    finally:
        stream.close()


def hung_up(environ: Mapping[str, Any]) -> Callable[[], bool]:
    """Asks the request's socket whether the other end has gone; without a socket, never."""
    found = environ.get("gunicorn.socket") or environ.get("werkzeug.socket")

    def gone() -> bool:
        if not isinstance(found, socket.socket):
            return False
        try:
            readable, _, _ = sockets.select([found], [], [], 0)
            return bool(readable) and found.recv(1, socket.MSG_PEEK) == b""
        except (OSError, ValueError):
            return True

    return gone
