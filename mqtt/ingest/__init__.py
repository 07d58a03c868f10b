"""MQTT to the telemetry store, nothing lost: ``run(settings)`` is the process."""

from mqtt.ingest.health import Health, read_health
from mqtt.ingest.quarantine import BadMessage, Quarantine, QuarantineError
from mqtt.ingest.service import IngestService, run
from mqtt.ingest.settings import BrokerSettings, IngestSettings
from mqtt.ingest.spool import SpoolLockedError, spooled_bytes

__all__ = [
    "BadMessage",
    "BrokerSettings",
    "Health",
    "IngestService",
    "IngestSettings",
    "Quarantine",
    "QuarantineError",
    "SpoolLockedError",
    "read_health",
    "run",
    "spooled_bytes",
]
