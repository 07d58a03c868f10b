"""Streams: who hears what and when, how many there may be, how they end. Time is that of conditions."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError

from portal.core import audit, live
from portal.core.db import Base, Database
from portal.core.errors import TooManyError
from portal.core.live import Hub, Probe, Snapshot, Stream
from portal.core.permissions import SYSTEM
from tests.services.wait import wait_until


@pytest.fixture
def db(database_url: str) -> Iterator[Database]:
    opened = Database(database_url)
    Base.metadata.create_all(opened.engine)
    yield opened
    opened.close()


@pytest.fixture
def hub(db: Database) -> Iterator[Hub]:
    made = quick(db)
    yield made
    made.stopping = lambda: True
    wait_until(lambda: made._watcher is None, 5, what="the end of the watcher")


def quick(db: Database, *probes: Probe) -> Hub:
    made = Hub(db, probes)
    made.interval = 0.01
    return made


def something_happens(db: Database) -> None:
    with db.write() as session:
        audit.record(session, SYSTEM, "test.act", ("test", 1))


class Listener:
    """Listens on a thread of its own, as a request does."""

    def __init__(self, hub: Hub, stream: Stream, known: str = "") -> None:
        self.mark = "a"
        self.looks = 0
        self.text: list[str] = []
        self.stay = True
        self._hub, self._stream, self._known = hub, stream, known
        self.thread = threading.Thread(target=self._listen, daemon=True)
        self.thread.start()

    def _look(self) -> Snapshot:
        self.looks += 1
        return Snapshot(self.mark, {"total": ord(self.mark)})

    def _listen(self) -> None:
        gone = lambda: not self.stay  # noqa: E731
        for text in live.speak(self._hub, self._stream, self._look, self._known, gone):
            self.text.append(text)

    @property
    def marks(self) -> list[str]:
        return [line.partition("\n")[0][4:] for line in self.text if line.startswith("id: ")]

    def ended(self) -> None:
        self.thread.join(10)
        assert not self.thread.is_alive()


def test_a_page_hears_what_another_process_has_committed(
    db: Database, hub: Hub, database_url: str
) -> None:
    listener = Listener(hub, hub.open(1))
    wait_until(lambda: listener.marks == ["a"], 5, what="the first look")
    other = Database(database_url)
    try:
        listener.mark = "b"
        something_happens(other)
        wait_until(lambda: listener.marks == ["a", "b"], 5, what="the news")
    finally:
        other.close()
    assert listener.text[0] == "retry: 2000\n\n"
    assert json.loads(listener.text[-1].split("data: ")[1]) == {"total": 98}
    assert listener.text[-1].startswith("id: b\nevent: changed\n")
    assert listener.text[-1].endswith("\n\n")


def test_what_is_known_already_is_not_told_again(db: Database, hub: Hub) -> None:
    listener = Listener(hub, hub.open(1), known="a")
    wait_until(lambda: ": same\n\n" in listener.text, 5, what="the first look")
    before = listener.looks
    something_happens(db)
    wait_until(lambda: listener.looks > before, 5, what="the next look")
    assert listener.marks == []


def test_without_any_change_a_look_is_taken_now_and_then(hub: Hub) -> None:
    hub.heartbeat = 0.02
    listener = Listener(hub, hub.open(1))
    wait_until(lambda: listener.looks >= 3, 5, what="heartbeats")
    assert listener.marks == ["a"]
    listener.mark = "b"
    wait_until(lambda: listener.marks == ["a", "b"], 5, what="what time has changed")


def test_a_commit_that_comes_late_is_seen_too(db: Database, hub: Hub) -> None:
    """PostgreSQL hands out ids before the commit: a smaller one may appear after a larger one."""
    look = live.newest(audit.AuditEntry.id)
    for _ in range(3):
        something_happens(db)
    with db.write() as session:
        missing = session.get_one(audit.AuditEntry, 2)
        values = {"at": missing.at, "actor": "x", "action": "x", "object_type": "x"}
        session.delete(missing)
    with db.read() as session:
        before = look(session)
    with db.write() as session:
        session.add(audit.AuditEntry(id=2, object_id="1", **values))
    with db.read() as session:
        assert look(session) != before


def test_there_are_only_so_many_streams(hub: Hub) -> None:
    hub.most = 2
    places = [hub.open(1), hub.open(2)]
    with pytest.raises(TooManyError) as caught:
        hub.open(3)
    assert caught.value.code == "streams_exhausted"
    places[0].close()
    places[0].close()
    hub.open(3)
    assert hub.streams == 2


def test_one_person_has_only_so_many_and_the_oldest_goes(hub: Hub) -> None:
    hub.most_of_one = 2
    first = Listener(hub, hub.open("me"))
    second = Listener(hub, hub.open("me"))
    other = Listener(hub, hub.open("you"))
    Listener(hub, hub.open("me"))
    first.ended()
    assert first.text[-1] == "event: displaced\ndata: {}\n\n"
    assert second.thread.is_alive()
    assert other.thread.is_alive()
    assert hub.streams == 3


@pytest.mark.parametrize("cause", ["stopping", "life", "gone"])
def test_a_stream_ends_and_gives_its_place_back(hub: Hub, cause: str) -> None:
    listener = Listener(hub, hub.open(1))
    wait_until(lambda: listener.marks == ["a"], 5, what="the first look")
    if cause == "stopping":
        hub.stopping = lambda: True
    elif cause == "life":
        hub.life = 0.0
    else:
        listener.stay = False
    listener.ended()
    assert hub.streams == 0


def test_the_watcher_rests_while_nobody_listens(db: Database, hub: Hub) -> None:
    for _ in range(2):
        place = hub.open(1)
        assert hub._watcher is not None
        place.close()
        wait_until(lambda: hub._watcher is None, 5, what="the watcher to rest")


def test_a_database_that_is_away_ends_no_watcher(db: Database) -> None:
    answers: Iterator[object] = iter([1, None, None, 2])

    def look(_session: object) -> object:
        answer = next(answers, 2)
        if answer is None:
            raise OperationalError("away", {}, Exception())
        return answer

    hub = quick(db, Probe("test", look))  # type: ignore[arg-type]
    place = hub.open(1)
    assert place.wait(5), "the first look"
    assert place.wait(5), "the answer after the failures"
    place.close()


def test_a_snapshot_that_fails_ends_the_stream(hub: Hub) -> None:
    def look() -> Snapshot:
        raise OperationalError("away", {}, Exception())

    assert list(live.speak(hub, hub.open(1), look)) == ["retry: 2000\n\n"]
    assert hub.streams == 0


def test_it_is_noticed_when_the_other_end_hangs_up(tmp_path: Path) -> None:
    ours, theirs = socket.socketpair()
    with ours:
        gone = live.hung_up({"gunicorn.socket": ours})
        assert not gone()
        theirs.sendall(b"GET /next")
        assert not gone()
        ours.recv(64)
        theirs.close()
        assert gone()
    assert gone()
    assert not live.hung_up({})()
