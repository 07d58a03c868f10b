"""Messages that no device of ours would send, each with the faults that worker and ingest must count.

What is expected stands here by hand; it is not asked of the code that is tested.
"""

import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from mqtt.contract.codec import Fault, encode
from mqtt.contract.messages import Door, Scan
from mqtt.contract.topics import MAX_PAYLOAD_BYTES, ROOT, DeviceAddress


@dataclass(frozen=True)
class BadMessage:
    """One message; ``worker`` and ``ingest`` name the fault each counts, None where it is not looked at."""

    topic: str
    payload: bytes
    worker: Fault | None = None
    ingest: Fault | None = None


class Nonsense:
    """A seeded source of bad messages about one enrolled gate."""

    def __init__(self, rng: random.Random, gate: DeviceAddress) -> None:
        self._rng = rng
        self._gate = gate
        self._nobody = DeviceAddress(gate.community, "nobody")
        self._kinds: list[Callable[[], BadMessage]] = [
            self._malformed,
            self._random_bytes,
            self._wrong_type,
            self._unknown_kind,
            self._unknown_device,
            self._oversized,
            self._stale,
            self._future,
            self._bad_result,
            self._bad_status,
            self._bad_scalar,
            self._large_scalar,
            self._unknown_measure,
            self._strange_topic,
            self._invalid_key,
        ]

    def flood(self, each: int) -> list[BadMessage]:
        """So many of each kind, in any order."""
        found = [make() for make in self._kinds for _ in range(each)]
        self._rng.shuffle(found)
        return found

    def _scan(self, **fields: object) -> dict[str, object]:
        now = datetime.now(UTC)
        return {"id": uuid4().hex, "at": now.isoformat(), "code": "LL1:X"} | fields

    def _event(self, payload: object, fault: Fault) -> BadMessage:
        data = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        return BadMessage(self._gate.event(Scan.NAME), data, worker=fault)

    def _malformed(self) -> BadMessage:
        whole = json.dumps(self._scan()).encode()
        cut = self._rng.randint(1, len(whole) - 1)
        return self._event(self._rng.choice((whole[:cut], b"", b"{]")), Fault.JSON)

    def _random_bytes(self) -> BadMessage:
        return self._event(b"\xff" + self._rng.randbytes(self._rng.randint(0, 500)), Fault.JSON)

    def _wrong_type(self) -> BadMessage:
        wrong: list[object] = [
            [],
            b"[" * 5000,  # no object, whatever may follow
            None,
            17,
            "LL1:",
            {},
            self._scan(id=5),
            self._scan(id="x" * 65),
            self._scan(at="yesterday"),
            self._scan(at="2026-03-02T08:00:00"),
            self._scan(code=""),
            self._scan(code="x" * 1025),
            self._scan(direction="up"),
            self._scan(body_temperature="hot"),
        ]
        return self._event(self._rng.choice(wrong), Fault.SHAPE)

    def _unknown_kind(self) -> BadMessage:
        payload = json.dumps(self._scan()).encode()
        return BadMessage(self._gate.event("teleported"), payload, worker=Fault.KIND)

    def _unknown_device(self) -> BadMessage:
        now = datetime.now(UTC)
        event: Scan | Door = Scan(id=uuid4().hex, at=now, code="LL1:X")
        if self._rng.random() < 0.5:
            event = Door(id=uuid4().hex, at=now, state="opened")
        return BadMessage(self._nobody.event(event.NAME), encode(event), worker=Fault.DEVICE)

    def _oversized(self) -> BadMessage:
        size = self._rng.randint(MAX_PAYLOAD_BYTES + 1, MAX_PAYLOAD_BYTES + 2000)
        return self._event(b" " * size, Fault.SIZE)

    def _stale(self) -> BadMessage:
        at = datetime.now(UTC) - timedelta(days=7, minutes=self._rng.randint(1, 10_000))
        return self._event(self._scan(at=at.isoformat()), Fault.STALE)

    def _future(self) -> BadMessage:
        at = datetime.now(UTC) + timedelta(minutes=self._rng.randint(10, 10_000))
        return self._event(self._scan(at=at.isoformat()), Fault.FUTURE)

    def _bad_result(self) -> BadMessage:
        if self._rng.random() < 0.5:
            return BadMessage(self._gate.result("unlock"), b"{}", worker=Fault.SHAPE)
        return BadMessage(self._gate.result("sing"), b"{}", worker=Fault.KIND)

    def _bad_status(self) -> BadMessage:
        payload = self._rng.choice((b"ONLINE", b"\xff\xfe", b"{}", b"online "))
        return BadMessage(self._gate.status, payload, worker=Fault.SHAPE, ingest=Fault.SHAPE)

    def _bad_scalar(self) -> BadMessage:
        topic = self._gate.state("sensor", "uptime")
        payload = self._rng.choice((b"warm", b"nan", b"-1", b"1e99", b"\xff", b"1_0", b"inf"))
        return BadMessage(topic, payload, ingest=Fault.SHAPE)

    def _large_scalar(self) -> BadMessage:
        size = self._rng.choice((65, 5000, MAX_PAYLOAD_BYTES + 1))
        topic = self._gate.state("sensor", "uptime")
        return BadMessage(topic, b"1" * size, ingest=Fault.SIZE)

    def _unknown_measure(self) -> BadMessage:
        return BadMessage(self._gate.state("sensor", "mood"), b"1", ingest=Fault.TOPIC)

    def _strange_topic(self) -> BadMessage:
        tail = self._rng.choice(
            ("x", "a/b/c", "a/b/event/scan/more", "a/b/event", "//", "a/b/c/d/e/f")
        )
        return BadMessage(f"{ROOT}/{tail}", b"{}", ingest=Fault.TOPIC)

    def _invalid_key(self) -> BadMessage:
        key = self._rng.choice(("UPPER", "a" * 33, "门", "-x", "a b"))
        topic = f"{ROOT}/{self._gate.community}/{key}/event/scan"
        return BadMessage(topic, b"{}", worker=Fault.TOPIC, ingest=Fault.TOPIC)
