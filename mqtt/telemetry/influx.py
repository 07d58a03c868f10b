"""InfluxDB 1.x, 2.x and 3: written in line protocol, read in InfluxQL, which all of them speak.

Two ways of writing: ``/api/v2/write`` (1.8 and later, 2.x, 3 Core) and the older ``/write?db=&rp=``
(1.x, still there in 2.x and 3). Tested against 1.6.7 (the older way) and, for ``/api/v2/write``,
against VictoriaMetrics; 2.x and 3 follow their documentation and have not been run here. On 2.x the
bucket needs a DBRP mapping to be read; 2.x makes one for a bucket by itself.
Only MEAN, MIN, MAX, COUNT and LAST are used; no Flux, which 3 has not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
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

_NO_DATABASE: Final = "database not found"


@dataclass(frozen=True, slots=True)
class Place:
    """What is written to and read from on the server.

    ``database`` and ``policy`` (retention policy, may be empty) name it for InfluxQL and the older write
    path; ``bucket`` is set when writing goes through ``/api/v2/write``.
    """

    database: str
    policy: str = ""
    bucket: str = ""


class InfluxStore(Closing):
    """See ``TelemetryStore``."""

    def __init__(self, address: Address, place: Place) -> None:
        self._server = Server(address)
        self._place = place

    def close(self) -> None:
        """See ``TelemetryStore``."""
        self._server.close()

    # --- writing -------------------------------------------------------------------------------

    def _send(self, body: str) -> None:
        if self._place.bucket:
            self._server.write_v2(self._place.bucket, body)
            return
        query = {"db": self._place.database, "precision": "ms"}
        if self._place.policy:
            query["rp"] = self._place.policy
        self._server.request("POST", "/write", query, body)

    def write(self, points: Sequence[Point]) -> None:
        """See ``TelemetryStore``. A point written again with another value replaces the first."""
        if points:
            self._send(lines(points))

    def prune(self, before: datetime) -> int:
        """Nothing to do: the database's retention policy forgets."""
        return 0

    # --- reading -------------------------------------------------------------------------------

    def _select(self, text: str) -> list[dict[str, Any]]:
        """The series of a statement's one result: ``{"tags":…, "columns":…, "values":…}``."""
        query = {"db": self._place.database, "q": text, "epoch": "ms"}
        if self._place.policy:
            query["rp"] = self._place.policy
        try:
            answer = self._server.json("/query", query)
        except StoreRejected as error:
            raise ServerFailure(Advice.FAILED, str(error)) from error
        results = answer.get("results") or [{}]
        said = answer.get("error") or results[0].get("error")
        if said:
            advice = Advice.MISSING_DATABASE if _NO_DATABASE in str(said) else Advice.FAILED
            raise ServerFailure(advice, f"InfluxDB: {str(said)[:200]}")
        series = results[0].get("series") or []
        return list(series)

    @staticmethod
    def _where(series: Series, start: int, end: int) -> str:
        return (
            f'FROM "{MEASUREMENT}" WHERE "community" = \'{series.community}\''
            f" AND \"device\" = '{series.device}' AND \"measure\" = '{series.measure_key}'"
            f" AND time >= {start}ms AND time < {end}ms"
        )

    def query(
        self,
        community: str,
        device: str,
        measure: str,
        start: datetime,
        end: datetime,
        step: timedelta,
    ) -> list[Bucket]:
        """See ``TelemetryStore``."""
        window = Window.covering(start, end, step)
        source = self._where(Series(community, device, measure), window.start, window.end)
        found = self._select(
            'SELECT MEAN("value"), MIN("value"), MAX("value"), COUNT("value")'
            f" {source} GROUP BY time({window.step}ms) fill(none)"
        )
        return [
            Bucket(from_ms(int(at)), float(mean), float(low), float(high), int(count))
            for part in found
            for at, mean, low, high, count in part["values"]
            if count
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
        if limit < 1:
            return []
        source = self._where(Series(community, device, measure), to_ms(start), to_ms(end))
        found = self._select(f'SELECT "value" {source} ORDER BY time ASC LIMIT {limit}')
        return [
            Point(community, device, measure, from_ms(int(at)), float(value))
            for part in found
            for at, value in part["values"]
        ]

    def last(self, community: str, device: str) -> dict[str, LastValue]:
        """See ``TelemetryStore``."""
        Series(community, device, STATUS_MEASURE)
        found = self._select(
            # keys are checked above and cannot hold a quote
            f'SELECT LAST("value") FROM "{MEASUREMENT}" WHERE "community" = \'{community}\''  # noqa: S608
            f' AND "device" = \'{device}\' GROUP BY "measure"'
        )
        return {
            str(part["tags"]["measure"]): LastValue(from_ms(int(at)), float(value))
            for part in found
            for at, value in part["values"]
        }

    def check(self) -> StoreReport:
        """See ``TelemetryStore``."""
        version, readable = "", False
        try:
            _, headers = self._server.request("GET", "/ping", {})
            named = {key.lower(): value for key, value in headers.items()}
            version = named.get("x-influxdb-version", "")
            self._select("SHOW MEASUREMENTS LIMIT 1")
            readable = True
            hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
            self._send(f"{PROBE} value=1.0 {to_ms(hour)}")
        except StoreRejected as error:
            return StoreReport("influxdb", version, False, readable, Advice.FAILED, str(error))
        except StoreUnavailable as error:
            advice = error.advice if isinstance(error, ServerFailure) else Advice.FAILED
            return StoreReport("influxdb", version, False, readable, advice, str(error))
        return StoreReport("influxdb", version, True, True)
