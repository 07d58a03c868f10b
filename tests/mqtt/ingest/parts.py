"""What the ingest tests share: a store that can be made to fail, an ingest that runs, a publisher."""

import threading
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from paho.mqtt.client import Client, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion

from mqtt.contract.topics import DeviceAddress
from mqtt.ingest import BrokerSettings, IngestService, IngestSettings
from mqtt.telemetry import Point, StoreRejected, StoreUnavailable
from mqtt.telemetry.embedded import EmbeddedStore
from tests.services.wait import wait_until

BODY = "sensor/body_temperature"
NOW = datetime.now(UTC).replace(microsecond=0)
ANONYMOUS = "allow_anonymous true\nmax_queued_messages 0\n"


class TroubledStore(EmbeddedStore):
    """The embedded store, away when told so and refusing points of devices named `bad…`."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.away = False
        self.broken = False
        self.batches: list[int] = []

    def write(self, points: Sequence[Point]) -> None:
        if self.broken:
            raise RuntimeError("a bug in the store")
        if self.away:
            raise StoreUnavailable("away for the test")
        if any(point.device.startswith("bad") for point in points):
            raise StoreRejected("refused for the test")
        super().write(points)
        self.batches.append(len(points))


def point(number: int, device: str = "d1") -> Point:
    """The nth of a row of different points."""
    return Point("garden", device, BODY, NOW + timedelta(seconds=number), float(number))


def all_points(store: EmbeddedStore, device: str = "d1", measure: str = BODY) -> list[Point]:
    """Everything a device has in the store."""
    return store.raw(
        "garden", device, measure, NOW - timedelta(days=1), NOW + timedelta(days=1), 10**6
    )


def settings(folder: Path, port: int, **changes: object) -> IngestSettings:
    """Settings with short waits, on a broker session of the test's own."""
    values: dict[str, object] = {
        "broker": BrokerSettings("127.0.0.1", port, client_id=f"ingest-{folder.name}"),
        "store_url": f"sqlite:///{folder}/telemetry.sqlite",
        "data_dir": folder / "ingest",
        "retry_seconds": (0.05, 0.2),
        **changes,
    }
    return IngestSettings(**values)  # type: ignore[arg-type]


@contextmanager
def running(
    given: IngestSettings, store: EmbeddedStore, *, subscribed: bool = True
) -> Iterator[IngestService]:
    """An ingest in a thread, stopped at the end in good order."""
    service = IngestService(given, store)
    stop = threading.Event()
    failure: list[BaseException] = []

    def work() -> None:
        try:
            service.run_forever(stop)
        except BaseException as error:
            failure.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        if subscribed:
            wait_until(lambda: service.intake.subscribed, what="subscribed")
        yield service
    finally:
        stop.set()
        thread.join(30)
    assert not failure, failure
    assert not thread.is_alive()


@contextmanager
def publisher(port: int) -> Iterator[Client]:
    """A connected client."""
    client = Client(
        CallbackAPIVersion.VERSION2, client_id=f"pub-{uuid.uuid4().hex[:8]}", protocol=MQTTv5
    )
    client.connect("127.0.0.1", port)
    client.loop_start()
    try:
        wait_until(client.is_connected, what="publisher connected")
        yield client
    finally:
        client.disconnect()
        client.loop_stop()


def publish(client: Client, topic: str, *payloads: str | bytes, qos: int = 1) -> None:
    """Publish, and wait until the broker has them all."""
    sent = [client.publish(topic, payload, qos=qos) for payload in payloads]
    for message in sent:
        message.wait_for_publish(30)


def body_topic(device: str = "d1") -> str:
    """Where a thermometer's body temperature arrives."""
    return DeviceAddress("garden", device).state("sensor", "body_temperature")
