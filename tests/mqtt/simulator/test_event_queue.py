from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mqtt.contract.codec import MAX_AGE
from mqtt.contract.messages import RESEND_SECONDS, Tamper
from mqtt.simulator.event_queue import _COMPACT_LINES, WINDOW, EventQueue
from tests.mqtt.simulator.machines import NOW, seconds

Opener = Callable[[Path], EventQueue]


@pytest.fixture
def opened() -> Iterator[Opener]:
    """Opens queues and closes their files only after the test, as a killed process would."""
    queues: list[EventQueue] = []

    def open_one(path: Path) -> EventQueue:
        queues.append(EventQueue(path))
        return queues[-1]

    yield open_one
    for queue in queues:
        queue.close()


def _event(number: int) -> Tamper:
    return Tamper(id=f"event-{number:04}", at=NOW, active=True)


def _ids(queue: EventQueue, at: float) -> list[str]:
    return [waiting.id for waiting in queue.take_due(NOW + seconds(at))]


def test_an_event_is_due_again_after_the_resend_time() -> None:
    queue = EventQueue()
    queue.add(_event(1), NOW, sent=True)
    assert queue.next_due() == NOW + seconds(RESEND_SECONDS)
    assert _ids(queue, RESEND_SECONDS - 0.1) == []
    assert _ids(queue, RESEND_SECONDS) == ["event-0001"]
    assert _ids(queue, RESEND_SECONDS + 0.1) == []


def test_a_long_queue_is_sent_a_window_at_a_time_oldest_first() -> None:
    queue = EventQueue()
    for number in range(WINDOW + 5):
        queue.add(_event(number), NOW, sent=False)
    assert _ids(queue, 0) == [f"event-{n:04}" for n in range(WINDOW)]
    assert _ids(queue, 0) == [f"event-{n:04}" for n in range(WINDOW, WINDOW + 5)]
    assert _ids(queue, 0) == []


def test_an_event_too_old_to_be_accepted_is_forgotten() -> None:
    queue = EventQueue()
    queue.add(_event(1), NOW, sent=False)
    assert queue.take_due(NOW + MAX_AGE + seconds(1)) == []
    assert len(queue) == 0


def test_a_queue_outlives_its_process(tmp_path: Path, opened: Opener) -> None:
    path = tmp_path / "c1.gate.jsonl"
    queue = opened(path)
    for number in range(3):
        queue.add(_event(number), NOW, sent=True)
    queue.answer(["event-0001", "event-none"])
    # the process is killed here: nothing is closed
    again = opened(path)
    assert _ids(again, 0) == ["event-0000", "event-0002"]
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_torn_last_line_costs_only_itself(tmp_path: Path, opened: Opener) -> None:
    path = tmp_path / "c1.gate.jsonl"
    queue = opened(path)
    queue.add(_event(1), NOW, sent=True)
    queue.add(_event(2), NOW, sent=True)
    text = path.read_text()
    path.write_text(text[:-20] + "\n[]\n7\n")
    assert _ids(opened(path), 0) == ["event-0001"]


def test_a_busy_file_stays_short(tmp_path: Path, opened: Opener) -> None:
    path = tmp_path / "c1.gate.jsonl"
    queue = opened(path)
    for number in range(_COMPACT_LINES):
        queue.add(_event(number), NOW, sent=True)
        queue.answer([f"event-{number:04}"])
    assert len(path.read_text().splitlines()) <= _COMPACT_LINES
    assert len(opened(path)) == 0
