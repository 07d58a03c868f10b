"""What the worker counts, for Prometheus. Labels are outcomes, reasons and faults; never devices or people."""

from __future__ import annotations

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_SECONDS: Final = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10)
_SIZES: Final = (1, 2, 4, 8, 16, 32, 64, 128, 256)


class WorkerMetrics:
    """The collectors, registered with the registry given."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.registry = registry
        self.scans = Counter(
            "linli_scans", "Scans decided", ["outcome", "reason"], registry=registry
        )
        self.decision_seconds = Histogram(
            "linli_scan_decision_seconds",
            "From the arrival of a scan at the worker to its answer being sent",
            buckets=_SECONDS,
            registry=registry,
        )
        self.batch_scans = Histogram(
            "linli_scan_batch_size", "Scans in one commit", buckets=_SIZES, registry=registry
        )
        self.recorded = Counter(
            "linli_messages_recorded", "Messages recorded that are no scans", registry=registry
        )
        self.quarantined = Counter(
            "linli_messages_quarantined", "Messages put aside", ["fault"], registry=registry
        )
        self.retries = Counter(
            "linli_database_retries", "Transactions that had to be tried again", registry=registry
        )
        self.waiting = Gauge(
            "linli_messages_waiting", "Messages received and not yet handled", registry=registry
        )
        self.unconfirmed = Gauge(
            "linli_commands_unconfirmed",
            "Commands sent and not yet taken by the broker",
            registry=registry,
        )
        self.connected = Gauge(
            "linli_worker_connected", "1 while connected to the broker", registry=registry
        )
        self.database_up = Gauge(
            "linli_worker_database_up", "1 while transactions succeed", registry=registry
        )
