"""What ingest needs to know, read once by whoever starts it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Final

CLIENT_ID: Final = "linli-ingest"
MAX_SESSION_S: Final = 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class BrokerSettings:
    """How to reach the broker.

    ``client_id`` names the session that the broker keeps while ingest is away: it must stay the same
    over restarts, and no two processes may share it.
    """

    host: str
    port: int = 1883
    username: str = ""
    password: str = field(default="", repr=False)
    client_id: str = CLIENT_ID
    keepalive_s: int = 30
    session_expiry_s: int = 7 * 24 * 3600
    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None

    def __post_init__(self) -> None:
        if not self.host or not 0 < self.port < 65_536:
            raise ValueError("the broker needs a host and a port between 1 and 65535")
        if not self.client_id:
            raise ValueError("the broker session needs a client id")
        if not 0 < self.session_expiry_s <= MAX_SESSION_S:
            raise ValueError("session_expiry_s must be between 1 and 4294967295")
        if not 0 < self.keepalive_s < 65_536:
            raise ValueError("keepalive_s must be between 1 and 65535")
        if (self.cert_file is None) != (self.key_file is None):
            raise ValueError("cert_file and key_file go together")


@dataclass(frozen=True, slots=True)
class IngestSettings:
    """Everything ``run`` needs.

    Attributes:
        broker: the MQTT side.
        store_url: see ``mqtt.telemetry.open_store``.
        data_dir: where spool, quarantine and health file live; made if missing.
        batch_size, batch_seconds: a batch is written when it holds this many messages, when it is this
            old, or as soon as no further message is waiting.
        receive_maximum: how many messages the broker may send ahead of our acknowledgement.
        spool_max_bytes: bound of the spool; beyond it messages wait at the broker.
        quarantine_rows: how many bad messages are kept; the oldest go first.
        retention: how long the embedded store keeps points; None keeps all.
        metrics_port: Prometheus on loopback; None serves none, 0 takes a free port.
        retry_seconds: first and longest wait before the store is tried again.
        drain_seconds: how long a stop waits for what has already arrived.
    """

    broker: BrokerSettings
    store_url: str = field(repr=False)
    data_dir: Path
    batch_size: int = 500
    batch_seconds: float = 0.2
    receive_maximum: int = 2_000
    spool_max_bytes: int = 512 * 1024 * 1024
    quarantine_rows: int = 10_000
    retention: timedelta | None = None
    metrics_port: int | None = None
    retry_seconds: tuple[float, float] = (0.5, 30.0)
    drain_seconds: float = 10.0

    def __post_init__(self) -> None:
        if not 1 <= self.batch_size <= 10_000:
            raise ValueError("batch_size must be between 1 and 10000")
        if not 0 < self.batch_seconds <= 60:
            raise ValueError("batch_seconds must be above 0 and at most 60")
        if not 1 <= self.receive_maximum <= 65_535:
            raise ValueError("receive_maximum must be between 1 and 65535")
        if self.quarantine_rows < 1 or self.spool_max_bytes < 1:
            raise ValueError("quarantine_rows and spool_max_bytes must be positive")
        first, longest = self.retry_seconds
        if not 0 < first <= longest:
            raise ValueError("retry_seconds must be positive, the first no longer than the second")
        if self.retention is not None and self.retention < timedelta(hours=1):
            raise ValueError("retention must be at least an hour")

    @property
    def spool_dir(self) -> Path:
        """Where batches wait for the store."""
        return self.data_dir / "spool"

    @property
    def quarantine_path(self) -> Path:
        """Where bad messages are kept aside."""
        return self.data_dir / "quarantine.sqlite"

    @property
    def health_path(self) -> Path:
        """What ``health.read_health`` reads."""
        return self.data_dir / "health.json"
