"""What accounts may do at a real broker: a truth table by forged topics."""

from collections.abc import Callable, Iterator
from pathlib import Path
from queue import Empty, SimpleQueue

import pytest
from paho.mqtt.client import Client, MQTTMessage, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

from mqtt.broker.accounts import BrokerAccount, Service, device_rules
from mqtt.broker.binaries import find_mosquitto
from mqtt.broker.credentials import Credential, ensure_credentials, service_accounts
from mqtt.broker.embedded import EmbeddedBroker, signs_in
from mqtt.broker.passwords import hash_password
from mqtt.contract.topics import DeviceAddress, everything
from tests.services.child import free_port
from tests.services.requirement import lacking
from tests.services.wait import wait_until

pytestmark = pytest.mark.broker

OWN = DeviceAddress("linli-a", "gate-1")
NEIGHBOUR = DeviceAddress("linli-a", "gate-2")
ELSEWHERE = DeviceAddress("linli-b", "gate-1")
DEVICE = Credential("linli-a.gate-1", "one")
OTHER_DEVICE = Credential("linli-a.gate-2", "two")


def device_account(credential: Credential, address: DeviceAddress) -> BrokerAccount:
    return BrokerAccount(
        credential.username, hash_password(credential.password), device_rules(address)
    )


class Peer:
    """A client that keeps what it receives and knows whether a publication was accepted."""

    def __init__(self, port: int, credential: Credential) -> None:
        self.received: SimpleQueue[MQTTMessage] = SimpleQueue()
        self.verdicts: SimpleQueue[str] = SimpleQueue()
        self.subscribed: SimpleQueue[object] = SimpleQueue()
        self.client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTv5)
        self.client.username_pw_set(credential.username, credential.password)
        self.client.on_message = lambda _c, _d, message: self.received.put(message)
        self.client.on_publish = lambda _c, _d, _m, code, _p: self.verdicts.put(
            str(code) if code.is_failure else "Success"
        )
        self.client.on_subscribe = lambda _c, _d, _m, codes, _p: self.subscribed.put(codes)
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()
        wait_until(self.client.is_connected)

    def listen(self, topic_filter: str) -> None:
        """Subscribe, retained messages left out, and wait for the answer."""
        self.client.subscribe(topic_filter, options=SubscribeOptions(qos=1, retainHandling=2))
        self.subscribed.get(timeout=5)

    def publish(self, topic: str, text: str = "x") -> str:
        """Publish with QoS 1 and return the broker's verdict."""
        self.client.publish(topic, text, qos=1, properties=Properties(PacketTypes.PUBLISH))
        return self.verdicts.get(timeout=5)

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("data")


@pytest.fixture(scope="module")
def services(folder: Path) -> dict[Service, Credential]:
    return ensure_credentials(folder)


@pytest.fixture(scope="module")
def broker(folder: Path, services: dict[Service, Credential]) -> Iterator[EmbeddedBroker]:
    if find_mosquitto() is None:
        lacking("mosquitto")
    accounts = [
        *service_accounts(services),
        device_account(DEVICE, OWN),
        device_account(OTHER_DEVICE, NEIGHBOUR),
    ]
    with EmbeddedBroker(folder, free_port(), accounts, services[Service.ADMIN], "mosquitto") as up:
        yield up


@pytest.fixture
def peer(broker: EmbeddedBroker) -> Iterator[Callable[[Credential], Peer]]:
    opened: list[Peer] = []

    def connect(credential: Credential) -> Peer:
        opened.append(Peer(broker.port, credential))
        return opened[-1]

    yield connect
    for one in opened:
        one.close()


def topics_of(address: DeviceAddress) -> dict[str, str]:
    return {
        "status": address.status,
        "state": address.state("sensor", "signal"),
        "event": address.event("scan"),
        "result": address.result("unlock"),
        "command": address.command("unlock"),
    }


DEVICE_WRITES = {"status", "state", "event", "result"}
WORKER_WRITES = {"command"}


@pytest.mark.parametrize(
    "address", [OWN, NEIGHBOUR, ELSEWHERE], ids=["own", "neighbour", "elsewhere"]
)
@pytest.mark.parametrize("channel", ["status", "state", "event", "result", "command"])
def test_a_device_publishes_in_its_own_subtree_only(
    peer: Callable[[Credential], Peer],
    services: dict[Service, Credential],
    address: DeviceAddress,
    channel: str,
) -> None:
    everywhere = peer(services[Service.ADMIN])
    everywhere.listen(everything())
    device = peer(DEVICE)
    allowed = address == OWN and channel in DEVICE_WRITES
    assert (device.publish(topics_of(address)[channel], "forged") == "Success") is allowed
    everywhere.publish(OWN.event("end"), "end")
    seen = _until_end(everywhere)
    assert seen == ([topics_of(address)[channel]] if allowed else [])


@pytest.mark.parametrize(
    "forged",
    [
        "linli/v1/linli-a/gate-1",
        "linli/v1/linli-a/gate-1/event",
        "linli/v1/linli-a/gate-1/event/scan/more",
        "linli/v1/linli-a/gate-1x/status",
        "linli/v1/linli-a/status",
        "linli/v1/linli-a//gate-1/status",
        "linli/v2/linli-a/gate-1/status",
        "/linli/v1/linli-a/gate-1/status",
        "$SYS/broker/version",
        "$CONTROL/dynamic-security/v1",
        "anything",
    ],
)
def test_a_device_publishes_on_no_forged_topic(
    peer: Callable[[Credential], Peer], forged: str
) -> None:
    assert peer(DEVICE).publish(forged) != "Success"


@pytest.mark.parametrize("wish", ["own", "neighbour", "wide", "shared"])
def test_a_device_hears_only_its_own_commands(
    peer: Callable[[Credential], Peer], services: dict[Service, Credential], wish: str
) -> None:
    filters = {
        "own": f"{OWN.prefix}/#",
        "neighbour": f"{NEIGHBOUR.prefix}/#",
        "wide": "#",
        "shared": "$share/thieves/linli/v1/#",
    }
    device = peer(DEVICE)
    device.listen(filters[wish])
    admin = peer(services[Service.ADMIN])
    for address in (NEIGHBOUR, ELSEWHERE, OWN):
        for topic in topics_of(address).values():
            assert admin.publish(topic) == "Success"
    own_command = OWN.command("unlock")
    if wish == "neighbour":
        device.listen(own_command)
        admin.publish(own_command)
    assert _until(device, own_command) == []


@pytest.mark.parametrize("channel", ["status", "state", "event", "result", "command"])
def test_the_worker_writes_commands_and_forges_nothing(
    peer: Callable[[Credential], Peer], services: dict[Service, Credential], channel: str
) -> None:
    verdict = peer(services[Service.WORKER]).publish(topics_of(OWN)[channel])
    assert (verdict == "Success") is (channel in WORKER_WRITES)


def test_the_worker_hears_events_results_and_statuses_only(
    peer: Callable[[Credential], Peer], services: dict[Service, Credential]
) -> None:
    worker = peer(services[Service.WORKER])
    worker.listen(everything())
    admin = peer(services[Service.ADMIN])
    topics = topics_of(OWN)
    for channel in ("state", "command", "event", "result", "status"):
        admin.publish(topics[channel])
    assert _until(worker, topics["status"]) == [topics["event"], topics["result"]]


@pytest.mark.parametrize("channel", ["status", "state", "event", "result", "command"])
def test_ingest_hears_everything_and_writes_nothing(
    peer: Callable[[Credential], Peer], services: dict[Service, Credential], channel: str
) -> None:
    ingest = peer(services[Service.INGEST])
    ingest.listen(everything())
    topic = topics_of(OWN)[channel]
    assert ingest.publish(topic) != "Success"
    peer(services[Service.ADMIN]).publish(topic, "seen")
    assert ingest.received.get(timeout=5).payload == b"seen"


@pytest.mark.parametrize(
    "credential",
    [
        Credential("", ""),
        Credential("linli-worker", ""),
        Credential("linli-worker", "wrong"),
        Credential("linli-a.gate-1", "two"),
        Credential("nobody", "one"),
    ],
    ids=["anonymous", "no password", "wrong", "another's", "unknown"],
)
def test_nobody_signs_in_without_the_right_password(
    broker: EmbeddedBroker, credential: Credential
) -> None:
    assert signs_in("127.0.0.1", broker.port, credential) == "Not authorized"


def test_a_reload_lets_a_new_device_in_and_a_retired_one_out(
    broker: EmbeddedBroker, services: dict[Service, Credential]
) -> None:
    new = Credential("linli-a.gate-3", "three")
    before = list(broker.accounts)
    assert signs_in("127.0.0.1", broker.port, new) == "Not authorized"
    kept = [account for account in before if account.username != OTHER_DEVICE.username]
    broker.reload([*kept, device_account(new, DeviceAddress("linli-a", "gate-3"))])
    wait_until(lambda: signs_in("127.0.0.1", broker.port, new) is None)
    assert signs_in("127.0.0.1", broker.port, OTHER_DEVICE) == "Not authorized"
    broker.reload(before)
    wait_until(lambda: signs_in("127.0.0.1", broker.port, OTHER_DEVICE) is None)


def test_a_killed_broker_keeps_what_it_held_for_an_absent_worker(
    tmp_path: Path,
) -> None:
    if find_mosquitto() is None:
        lacking("mosquitto")
    services = ensure_credentials(tmp_path)
    accounts = [*service_accounts(services), device_account(DEVICE, OWN)]
    up = EmbeddedBroker(tmp_path, free_port(), accounts, services[Service.ADMIN], "mosquitto")
    with up:
        session = Properties(PacketTypes.CONNECT)
        session.SessionExpiryInterval = 3600
        worker = _session(up.port, services[Service.WORKER], session)
        worker.disconnect()
        worker.loop_stop()
        device = Peer(up.port, DEVICE)
        for number in range(1500):
            device.client.publish(OWN.event("scan"), str(number), qos=1)
        for _ in range(1500):
            assert device.verdicts.get(timeout=10) == "Success"
        device.close()
        database = tmp_path / "broker" / "mosquitto.db"
        # Two saves after the last message have it all on disk.
        for _ in range(2):
            seen = database.stat().st_mtime_ns if database.exists() else 0
            wait_until(lambda seen=seen: database.exists() and database.stat().st_mtime_ns != seen)
        up.kill()
        up.start()
        received: SimpleQueue[bytes] = SimpleQueue()
        worker = _session(up.port, services[Service.WORKER], session, received)
        try:
            kept = [received.get(timeout=10) for _ in range(1500)]
        finally:
            worker.disconnect()
            worker.loop_stop()
    assert kept == [str(number).encode() for number in range(1500)]


def _session(
    port: int,
    credential: Credential,
    session: Properties,
    received: SimpleQueue[bytes] | None = None,
) -> Client:
    subscribed: SimpleQueue[object] = SimpleQueue()
    client = Client(CallbackAPIVersion.VERSION2, client_id="absent-worker", protocol=MQTTv5)
    client.username_pw_set(credential.username, credential.password)
    client.on_subscribe = lambda *_: subscribed.put(None)
    client.on_message = lambda _c, _d, message: received.put(message.payload) if received else None
    client.connect("127.0.0.1", port, clean_start=False, properties=session)
    client.loop_start()
    wait_until(client.is_connected)
    client.subscribe("$share/worker/linli/v1/+/+/event/+", qos=1)
    subscribed.get(timeout=5)
    return client


def _until(peer: Peer, last: str) -> list[str]:
    """Topics received before the first message on `last`."""
    seen: list[str] = []
    while True:
        try:
            topic = peer.received.get(timeout=5).topic
        except Empty:
            pytest.fail(f"never heard {last}, but {seen}")
        if topic == last:
            return seen
        seen.append(topic)


def _until_end(peer: Peer) -> list[str]:
    return _until(peer, OWN.event("end"))
