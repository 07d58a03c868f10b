"""VictoriaMetrics: written through ``/api/v2/write`` like InfluxDB 2, read through its query API.

It names the series ``linli_value`` with the labels community, device and measure, keeps milliseconds,
and makes new points readable after about a second, a new series after ten. Start it with

    -retentionPeriod=10y -dedup.minScrapeInterval=1ms -search.latencyOffset=0s

Without the second flag a batch that is written twice counts twice (``check`` says so); without the
third the newest half minute of a fine-grained chart repeats older values.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from mqtt.telemetry.http import MEASUREMENT, PROBE, Address, Server, ServerFailure, lines
from mqtt.telemetry.model import (
    STATUS_MEASURE,
    Bucket,
    LastValue,
    Point,
    Series,
    Window,
    from_ms,
    to_ms,
)
from mqtt.telemetry.store import (
    RAW_LIMIT,
    Advice,
    Closing,
    StoreRejected,
    StoreReport,
    StoreUnavailable,
)

LAST_DAYS: Final = 400
"""A series without a point for this long has no last value any more."""
_NAME: Final = f"{MEASUREMENT}_value"
_FUNCTIONS: Final = ("avg_over_time", "min_over_time", "max_over_time", "count_over_time")
_VERSION: Final = re.compile(r'vm_app_version\{[^}]*short_version="([^"]*)"')
_DEDUPLICATION: Final = re.compile(r"dedup\.minScrapeInterval[^0-9\n]*([0-9.]+)")


def _selector(series: Series) -> str:
    return (
        f'{_NAME}{{community="{series.community}",device="{series.device}",'
        f'measure="{series.measure_key}"}}'
    )


def _seconds(milliseconds: int) -> str:
    return f"{milliseconds // 1000}.{milliseconds % 1000:03d}"


class VictoriaStore(Closing):
    """See ``TelemetryStore``."""

    def __init__(self, address: Address) -> None:
        self._server = Server(address)

    def close(self) -> None:
        """See ``TelemetryStore``."""
        self._server.close()

    def write(self, points: Sequence[Point]) -> None:
        """See ``TelemetryStore``. Of two values at one moment the larger is read back."""
        if points:
            self._server.write_v2("linli", lines(points))

    def prune(self, before: datetime) -> int:
        """Nothing to do: ``-retentionPeriod`` forgets."""
        return 0

    def _ask(self, path: str, query: dict[str, str]) -> list[dict[str, Any]]:
        """The ``result`` list of a query; ``nocache`` keeps the times exactly as asked."""
        try:
            answer = self._server.json(path, {**query, "nocache": "1"})
        except StoreRejected as error:
            raise ServerFailure(Advice.FAILED, str(error)) from error
        if answer.get("status") != "success":
            raise ServerFailure(Advice.FAILED, f"VictoriaMetrics: {answer.get('error', '')!s:.200}")
        return list(answer["data"]["result"])

    def query(
        self,
        community: str,
        device: str,
        measure: str,
        start: datetime,
        end: datetime,
        step: timedelta,
    ) -> list[Bucket]:
        """See ``TelemetryStore``.

        The query language looks back from a moment t over (t - step, t], so each bucket is asked for at
        its last millisecond.
        """
        window = Window.covering(start, end, step)
        selector = _selector(Series(community, device, measure))
        if window.end == window.start:
            return []
        names = ",".join(f'"{name}"' for name in _FUNCTIONS)
        found = self._ask(
            "/api/v1/query_range",
            {
                "query": f"aggr_over_time(({names}), {selector}[{window.step}ms])",
                "start": _seconds(window.start + window.step - 1),
                "end": _seconds(window.end - 1),
                "step": f"{window.step}ms",
            },
        )
        columns: dict[str, dict[int, float]] = {name: {} for name in _FUNCTIONS}
        for part in found:
            columns[part["metric"]["rollup"]] = {
                round(at * 1000) + 1 - window.step: float(value) for at, value in part["values"]
            }
        mean, low, high, count = (columns[name] for name in _FUNCTIONS)
        return [
            Bucket(from_ms(at), mean[at], low[at], high[at], int(count[at]))
            for at in sorted(count)
            if count[at] and at in mean
        ]

    def raw(
        self,
        community: str,
        device: str,
        measure: str,
        start: datetime,
        end: datetime,
        limit: int = RAW_LIMIT,
    ) -> list[Point]:
        """See ``TelemetryStore``."""
        first, last = to_ms(start), to_ms(end) - 1
        selector = _selector(Series(community, device, measure))
        if last < first:
            return []
        try:
            text, _ = self._server.request(
                "GET",
                "/api/v1/export",
                {"match[]": selector, "start": _seconds(first), "end": _seconds(last)},
            )
        except StoreRejected as error:
            raise ServerFailure(Advice.FAILED, str(error)) from error
        found: dict[int, float] = {}
        for row in text.splitlines():
            part = json.loads(row)
            found.update(zip(part["timestamps"], part["values"], strict=True))
        return [
            Point(community, device, measure, from_ms(at), float(found[at]))
            for at in sorted(found)[: max(0, limit)]
        ]

    def last(self, community: str, device: str) -> dict[str, LastValue]:
        """See ``TelemetryStore``; looks back ``LAST_DAYS``."""
        Series(community, device, STATUS_MEASURE)
        selector = f'{_NAME}{{community="{community}",device="{device}"}}[{LAST_DAYS}d]'
        names = '"last_over_time","tlast_over_time"'
        found = self._ask("/api/v1/query", {"query": f"aggr_over_time(({names}), {selector})"})
        columns: dict[str, dict[str, float]] = {}
        for part in found:
            labels = part["metric"]
            columns.setdefault(labels["measure"], {})[labels["rollup"]] = float(part["value"][1])
        return {
            measure: LastValue(
                from_ms(round(column["tlast_over_time"] * 1000)), column["last_over_time"]
            )
            for measure, column in sorted(columns.items())
        }

    def check(self) -> StoreReport:
        """See ``TelemetryStore``; also looks for the flag that makes repeated writes harmless."""
        name, version, readable = "victoriametrics", "", False
        try:
            metrics, _ = self._server.request("GET", "/metrics", {})
            match = _VERSION.search(metrics)
            version = match[1] if match else ""
            self._ask("/api/v1/query", {"query": "1"})
            readable = True
            hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
            self._server.write_v2("linli", f"{PROBE} value=1.0 {to_ms(hour)}")
            flags, _ = self._server.request("GET", "/flags", {})
        except StoreRejected as error:
            return StoreReport(name, version, False, readable, Advice.FAILED, str(error))
        except StoreUnavailable as error:
            advice = error.advice if isinstance(error, ServerFailure) else Advice.FAILED
            return StoreReport(name, version, False, readable, advice, str(error))
        flag = _DEDUPLICATION.search(flags)
        if flag is None or not float(flag[1]):
            return StoreReport(name, version, True, True, Advice.NO_DEDUPLICATION)
        return StoreReport(name, version, True, True)
