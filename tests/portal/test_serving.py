"""The web process as it runs: live streams leave room for requests and end with it."""

from __future__ import annotations

import http.client
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from portal.core.clock import utc_now
from portal.core.live import MOST_OF_ONE, MOST_STREAMS
from portal.serving import STOPS_WITHIN
from tests.portal.cast import STAFF, Town
from tests.services.child import free_port, three_free_ports
from tests.services.wait import wait_until

pytestmark = pytest.mark.system

PEOPLE = [who for who in STAFF for _ in range(MOST_OF_ONE)]


class Served:
    """One web process on the town's data folder."""

    def __init__(self, town: Town, log: Path) -> None:
        self.port = free_port()
        self._town = town
        self._open: dict[http.client.HTTPResponse, http.client.HTTPConnection] = {}
        ours = {k: v for k, v in os.environ.items() if not k.startswith("LINLI_")}
        with log.open("wb") as said:
            self.process = subprocess.Popen(
                [sys.executable, "-P", "-m", "portal", "serve", "web"],
                env={
                    **ours,
                    "LINLI_DATA_DIR": str(town.config.data_dir),
                    "LINLI_HTTP_PORT": str(self.port),
                    "LINLI_METRICS_PORT": str(three_free_ports()),
                    "PYTHONPATH": os.pathsep.join(p for p in sys.path if p),
                },
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=subprocess.STDOUT,
            )

    def get(self, path: str, who: str | None = None) -> http.client.HTTPResponse:
        """Ask, as somebody or nobody; the answer is not read."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        headers = {}
        if who is not None:
            cookie = self._town.person(who).client.get_cookie("linli")
            assert cookie is not None
            headers["Cookie"] = f"linli={cookie.value}"
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        self._open[answer] = connection
        return answer

    def hang_up(self, answer: http.client.HTTPResponse) -> None:
        """Close the connection that an answer comes by."""
        answer.close()
        self._open.pop(answer).close()

    def status(self, path: str, who: str | None = None) -> int:
        """Ask, and only see how it is answered."""
        answer = self.get(path, who)
        self.hang_up(answer)
        return answer.status

    def clear_away(self) -> None:
        """End everything at once."""
        for answer in list(self._open):
            self.hang_up(answer)
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def answers(self) -> bool:
        assert self.process.poll() is None
        try:
            return self.status("/healthz") == 200
        except OSError:
            return False


@pytest.fixture
def served(town: Town, tmp_path: Path) -> Iterator[Served]:
    town.clock.now = utc_now()  # the process has no other clock than the machine's
    one = Served(town, tmp_path / "web.log")
    try:
        wait_until(one.answers, 30, what="the web process")
        yield one
    finally:
        one.clear_away()


def test_streams_leave_room_for_requests_and_end_with_the_process(served: Served) -> None:
    streams = [served.get("/work/events", who) for who in PEOPLE[:MOST_STREAMS]]
    for stream in streams:
        assert stream.status == 200
        assert stream.readline() == b"retry: 2000\n"
    assert served.status("/work/events", PEOPLE[MOST_STREAMS]) == 429
    assert served.status("/healthz") == 200
    assert served.status("/work", "worker") == 200

    # Whoever goes away makes room at once.
    served.hang_up(streams.pop(0))

    def another() -> bool:
        answer = served.get("/work/events", PEOPLE[MOST_STREAMS])
        if answer.status == 200:
            streams.append(answer)
            return True
        served.hang_up(answer)
        return False

    wait_until(another, 5, what="a place")

    served.process.send_signal(signal.SIGTERM)
    for stream in streams:
        stream.read()  # to its end
        served.hang_up(stream)
    assert served.process.wait(STOPS_WITHIN) == 0
