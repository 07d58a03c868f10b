"""In which order the broker hears that messages are safe."""

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.reasoncodes import ReasonCode
from prometheus_client import CollectorRegistry

from mqtt.contract.topics import DeviceAddress
from mqtt.ingest import BrokerSettings
from mqtt.ingest.intake import Intake
from mqtt.ingest.metrics import IngestMetrics

DEVICE = DeviceAddress("garden", "d1")
STATE = DEVICE.state("sensor", "battery")
EVENT = DEVICE.event("boot")
SUCCESS = ReasonCode(PacketTypes.CONNACK, "Success")
CLIENT = Client(CallbackAPIVersion.VERSION2)


class Broker:
    """An intake whose acknowledgements are written down instead of sent."""

    def __init__(self, monkeypatch):
        self.intake = Intake(
            BrokerSettings("127.0.0.1", 1), 100, IngestMetrics(CollectorRegistry())
        )
        self.heard = []
        client = self.intake._client
        monkeypatch.setattr(client, "ack", lambda mid, qos: self.heard.append(mid))
        monkeypatch.setattr(client, "subscribe", lambda *a, **k: None)

    def connect(self, session_present=False):
        self.intake._on_connect(CLIENT, None, ConnectFlags(session_present), SUCCESS, None)

    def disconnect(self):
        reason = ReasonCode(PacketTypes.DISCONNECT, "Unspecified error")
        self.intake._on_disconnect(CLIENT, None, DisconnectFlags(False), reason, None)

    def send(self, mid, topic, payload=b"80", dup=False):
        message = MQTTMessage(mid, topic.encode())
        message.payload, message.qos, message.dup = payload, 1, dup
        self.intake._on_message(CLIENT, None, message)


def test_a_message_that_is_safe_early_waits_for_those_before_it(monkeypatch):
    broker = Broker(monkeypatch)
    broker.connect()
    broker.send(1, STATE)
    broker.send(2, EVENT)  # nothing to store: safe at once
    broker.send(3, STATE)
    assert broker.heard == []
    first, third = broker.intake.inbox.get_nowait(), broker.intake.inbox.get_nowait()
    broker.intake.acknowledge([third])
    assert broker.heard == []
    broker.intake.acknowledge([first])
    assert broker.heard == [1, 2, 3]


def test_after_a_lost_connection_the_order_is_that_in_which_they_come_again(monkeypatch):
    broker = Broker(monkeypatch)
    broker.connect()
    broker.send(1, STATE)
    broker.send(2, STATE, b"81")
    broker.disconnect()
    one, two = broker.intake.inbox.get_nowait(), broker.intake.inbox.get_nowait()
    broker.intake.acknowledge([one])
    assert broker.heard == [], "there is no connection to acknowledge on"
    broker.connect(session_present=True)
    broker.send(1, STATE, dup=True)
    broker.send(2, STATE, b"81", dup=True)
    assert broker.heard == [1], "safe already, so not handled a second time"
    assert broker.intake.inbox.empty()
    broker.intake.acknowledge([two])
    assert broker.heard == [1, 2]


def test_a_new_session_forgets_what_the_old_one_owed(monkeypatch):
    broker = Broker(monkeypatch)
    broker.connect()
    broker.send(1, STATE)
    old = broker.intake.inbox.get_nowait()
    broker.disconnect()
    broker.connect(session_present=False)
    broker.send(1, STATE, b"50")
    broker.intake.acknowledge([old])
    assert broker.heard == [], "the id belongs to another message now"
    broker.intake.acknowledge([broker.intake.inbox.get_nowait()])
    assert broker.heard == [1]
