"""Telemetry stores behind one small interface: ``open_store(url)`` gives a ``TelemetryStore``."""

from mqtt.telemetry.model import STATUS_MEASURE, Bucket, LastValue, Point, Series
from mqtt.telemetry.opening import StoreUrlError, masked, open_store
from mqtt.telemetry.store import (
    Advice,
    StoreRejected,
    StoreReport,
    StoreUnavailable,
    TelemetryStore,
)

__all__ = [
    "STATUS_MEASURE",
    "Advice",
    "Bucket",
    "LastValue",
    "Point",
    "Series",
    "StoreRejected",
    "StoreReport",
    "StoreUnavailable",
    "StoreUrlError",
    "TelemetryStore",
    "masked",
    "open_store",
]
