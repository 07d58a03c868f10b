"""What ingest counts, for Prometheus. Labels are faults and channels, never devices or people."""

from __future__ import annotations

import threading
from types import TracebackType
from typing import Final, Self
from wsgiref.simple_server import WSGIServer

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, start_http_server

LOOPBACK: Final = "127.0.0.1"
_SECONDS: Final = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10)


class IngestMetrics:
    """The collectors, registered with the registry given."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.received = Counter(
            "linli_ingest_received", "Messages received, ignored ones too", registry=registry
        )
        self.ignored = Counter(
            "linli_ingest_ignored", "Messages that are not telemetry", registry=registry
        )
        self.redelivered = Counter(
            "linli_ingest_redelivered", "Messages known from before a reconnect", registry=registry
        )
        self.stored = Counter(
            "linli_ingest_stored", "Points the store has accepted", registry=registry
        )
        self.rejected = Counter(
            "linli_ingest_rejected", "Messages put aside", ["fault"], registry=registry
        )
        self.dropped = Counter(
            "linli_ingest_dropped", "QoS 0 messages without room", registry=registry
        )
        self.spool_bytes = Gauge("linli_ingest_spool_bytes", "Size of the spool", registry=registry)
        self.spool_batches = Gauge(
            "linli_ingest_spool_batches", "Batches in the spool", registry=registry
        )
        self.waiting = Gauge(
            "linli_ingest_waiting", "Messages received and not yet handled", registry=registry
        )
        self.connected = Gauge(
            "linli_ingest_connected", "1 while connected to the broker", registry=registry
        )
        self.store_up = Gauge(
            "linli_ingest_store_up", "1 while the store accepts points", registry=registry
        )
        self.lag = Gauge(
            "linli_ingest_lag_seconds",
            "From arrival to the store, of the oldest point of the last batch",
            registry=registry,
        )
        self.batch_seconds = Histogram(
            "linli_ingest_batch_seconds",
            "Time the store took for a batch",
            buckets=_SECONDS,
            registry=registry,
        )
        self.store_up.set(1)


class MetricsServer:
    """Serves a registry on loopback until closed. ``port`` is the one really used."""

    def __init__(self, registry: CollectorRegistry, port: int) -> None:
        server, thread = start_http_server(port, addr=LOOPBACK, registry=registry)
        self._server: WSGIServer = server
        self._thread: threading.Thread = thread
        self.port = int(server.server_port)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
