"""A device that publishes scalars, each value once in its life: what is lost or double can be counted."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from paho.mqtt.client import MQTT_ERR_SUCCESS, Client, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion

from mqtt.contract.telemetry import UPTIME
from mqtt.simulator.connection import BrokerSettings
from mqtt.simulator.population import SimulatedDevice
from mqtt.telemetry import TelemetryStore, open_store

LIMIT = 1_000_000


class Meter:
    """Publishes 1, 2, 3 … as uptime, every ``pace_s``, whether the broker is there or not.

    With ``qos`` 1 paho keeps what the broker has not confirmed and repeats it; with 0, as devices do,
    a value is published when there is a connection that the broker has accepted.
    """

    def __init__(
        self, broker: BrokerSettings, spec: SimulatedDevice, *, qos: int, pace_s: float
    ) -> None:
        self.spec = spec
        self.qos = qos
        self.published: dict[int, float] = {}
        self._pace = pace_s
        self._value_of: dict[int, int] = {}
        self._confirmed: list[tuple[int, float]] = []
        self._stop = threading.Event()
        self._client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=f"{spec.community}.{spec.device}",
            protocol=MQTTv5,
        )
        self._client.username_pw_set(spec.username, spec.password)
        self._client.max_inflight_messages = 1000
        self._client.reconnect_delay_set(1, 1)
        self._client.on_publish = self._on_publish
        self._client.connect(broker.host, broker.port)
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _on_publish(self, _client: Client, _data: object, mid: int, *_rest: object) -> None:
        self._confirmed.append((mid, time.time()))

    def _run(self) -> None:
        topic = self.spec.address.state(UPTIME.component, UPTIME.name)
        value = 0
        while not self._stop.wait(self._pace):
            value += 1
            if not self.qos and not self._client.is_connected():
                continue  # as ESPHome does; paho would write it before its CONNECT is answered
            now = time.time()
            info = self._client.publish(topic, str(value), self.qos, retain=True)
            if self.qos:
                self._value_of[info.mid] = value
                self.published[value] = now
            elif info.rc == MQTT_ERR_SUCCESS:
                self.published[value] = now

    @property
    def confirmed(self) -> dict[int, float]:
        """When the broker confirmed each value, seconds since 1970; QoS 1 only."""
        return {
            self._value_of[mid]: at for mid, at in list(self._confirmed) if mid in self._value_of
        }

    def stop(self) -> None:
        """Publish no more; the connection stays until the end."""
        self._stop.set()
        self._thread.join(10)

    @contextmanager
    def running(self) -> Iterator["Meter"]:
        """Publishing inside the block."""
        self._client.loop_start()
        self._thread.start()
        try:
            yield self
        finally:
            self.stop()
            self._client.disconnect()
            self._client.loop_stop()

    def stored(self, store: TelemetryStore) -> dict[int, list[float]]:
        """When each value arrived at the store, as often as it did, seconds since 1970."""
        now = datetime.now(UTC)
        points = store.raw(
            self.spec.community,
            self.spec.device,
            UPTIME.key,
            now - timedelta(hours=1),
            now + timedelta(minutes=1),
            LIMIT,
        )
        found: dict[int, list[float]] = {}
        for point in points:
            found.setdefault(int(point.value), []).append(point.at.timestamp())
        return found


@contextmanager
def store_of(url: str) -> Iterator[TelemetryStore]:
    """The store, for reading."""
    with open_store(url) as store:
        yield store
