"""The fallback broker as a real child process."""

from pathlib import Path
from queue import SimpleQueue

from paho.mqtt.client import Client, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion

from mqtt.broker.accounts import Service
from mqtt.broker.credentials import Credential, ensure_credentials, service_accounts
from mqtt.broker.embedded import EmbeddedBroker, plan, signs_in
from mqtt.contract.topics import DeviceAddress
from tests.services.child import free_port, listens
from tests.services.wait import wait_until


def client_of(port: int, credential: Credential) -> Client:
    client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTv5)
    client.username_pw_set(credential.username, credential.password)
    client.connect("127.0.0.1", port)
    client.loop_start()
    wait_until(client.is_connected)
    return client


def test_iotcore_passes_a_message_to_a_shared_subscription_and_asks_for_passwords(
    tmp_path: Path,
) -> None:
    services = ensure_credentials(tmp_path)
    port = free_port()
    with EmbeddedBroker(
        tmp_path, port, service_accounts(services), services[Service.ADMIN], "iotcore"
    ):
        assert signs_in("127.0.0.1", port, Credential("", "")) is not None
        assert signs_in("127.0.0.1", port, Credential("linli-worker", "wrong")) is not None
        worker = client_of(port, services[Service.WORKER])
        admin = client_of(port, services[Service.ADMIN])
        received: SimpleQueue[bytes] = SimpleQueue()
        subscribed: SimpleQueue[None] = SimpleQueue()
        worker.on_message = lambda _c, _d, message: received.put(message.payload)
        worker.on_subscribe = lambda *_: subscribed.put(None)
        worker.subscribe("$share/worker/linli/v1/+/+/event/+", qos=1)
        subscribed.get(timeout=5)
        admin.publish(DeviceAddress("linli-a", "gate-1").event("scan"), b"hello", qos=1)
        assert received.get(timeout=5) == b"hello"
        for client in (worker, admin):
            client.disconnect()
            client.loop_stop()
    assert not listens(port)


def test_the_plan_for_iotcore_says_what_it_lacks(tmp_path: Path) -> None:
    chosen = plan(tmp_path, "iotcore")
    assert chosen.kind == "iotcore"
    assert any("no rules per device" in lack for lack in chosen.lacks)
    assert not chosen.reloads
