"""Requests to a telemetry server through influxdb-client, with failures told apart.

The client's own exceptions print response headers and bodies whole; nothing of a request (it carries the
token) and at most a short piece of an answer ends up in the errors raised here.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

import urllib3
from influxdb_client import InfluxDBClient, WritePrecision
from influxdb_client.client.write_api import SYNCHRONOUS
from influxdb_client.rest import ApiException

from mqtt.telemetry.model import Point, to_ms
from mqtt.telemetry.store import Advice, StoreRejected, StoreUnavailable

MEASUREMENT: Final = "linli"
"""One measurement with the tags community, device, measure and the one float field ``value``: no type
conflict can arise, and every last value of a device is one query."""
PROBE: Final = "linli_check"
"""Where ``check`` writes: one point an hour at most."""
TIMEOUT_MS: Final = 10_000
_REJECTED: Final = {400, 413, 422}
_REFUSED: Final = {401, 403}
_DETAIL: Final = 200


class ServerFailure(StoreUnavailable):
    """``StoreUnavailable`` with what a person should do about it."""

    def __init__(self, advice: Advice, detail: str) -> None:
        super().__init__(detail)
        self.advice = advice


@dataclass(frozen=True, slots=True)
class Address:
    """Where a server is. ``secret`` is a token, or ``user:password`` when ``basic``."""

    host: str
    port: int
    secret: str = field(default="", repr=False)
    basic: bool = False
    tls: bool = False
    organisation: str = ""
    timeout_ms: int = TIMEOUT_MS

    @property
    def base(self) -> str:
        """Scheme, host and port; no secret."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self.tls else 'http'}://{host}:{self.port}"


def line(point: Point) -> str:
    """A point in line protocol with millisecond time. Keys need no escaping, see ``Series``."""
    series = point.series
    return (
        f"{MEASUREMENT},community={series.community},device={series.device},"
        f"measure={series.measure_key} value={float(point.value)!r} {to_ms(point.at)}"
    )


def lines(points: Iterable[Point]) -> str:
    """A batch in line protocol. Raises ``StoreRejected`` if a point's keys are not valid."""
    try:
        return "\n".join([line(point) for point in points])
    except ValueError as error:
        raise StoreRejected(str(error)) from error


def _message(body: object) -> str:
    """The server's own words, shortened: ``error`` or ``message`` of its JSON, or plain text."""
    text = body.decode("utf-8", "replace") if isinstance(body, bytes) else str(body or "")
    try:
        answer = json.loads(text)
    except ValueError:
        answer = None
    if isinstance(answer, dict):
        text = str(answer.get("error") or answer.get("message") or "")
    return " ".join(text.split())[:_DETAIL]


def _failure(status: int, said: str) -> Exception:
    """The error that an HTTP status stands for."""
    text = f"the telemetry server answered {status}: {said}"
    if status in _REJECTED:
        return StoreRejected(text)
    if status in _REFUSED:
        return ServerFailure(Advice.UNAUTHORISED, text)
    if status == 404:
        return ServerFailure(Advice.MISSING_DATABASE, text)
    return ServerFailure(Advice.FAILED, text)


class Server:
    """One server, kept-alive connections, safe for several threads."""

    def __init__(self, address: Address) -> None:
        self.address = address
        self._client: Any = InfluxDBClient(
            url=address.base,
            token=address.secret or None,
            org=address.organisation or "-",
            timeout=address.timeout_ms,
            enable_gzip=True,
            auth_basic=address.basic and bool(address.secret),
        )
        if not address.secret:
            self._client.api_client.default_headers.pop("Authorization", None)
        self._writer: Any = self._client.write_api(write_options=SYNCHRONOUS)

    def _translate(self, error: Exception) -> Exception:
        if isinstance(error, ApiException):
            return _failure(int(error.status or 0), _message(error.body))
        return ServerFailure(
            Advice.UNREACHABLE, f"no answer from {self.address.base}: {type(error).__name__}"
        )

    def write_v2(self, bucket: str, body: str) -> None:
        """``POST /api/v2/write``, gzip, milliseconds. One attempt."""
        try:
            self._writer.write(bucket=bucket, record=body, write_precision=WritePrecision.MS)
        except (ApiException, urllib3.exceptions.HTTPError, OSError) as error:
            raise self._translate(error) from None

    def request(
        self, method: str, path: str, query: dict[str, str], body: str | None = None
    ) -> tuple[str, dict[str, str]]:
        """The answer's text and headers.

        Raises:
            StoreUnavailable, StoreRejected: as ``TelemetryStore``; the cause is left out on purpose, it
                would print the request.
        """
        headers = {"Accept": "application/json"}
        if body is not None:
            headers["Content-Type"] = "text/plain; charset=utf-8"
        try:
            response = self._client.api_client.call_api(
                path,
                method,
                query_params=list(query.items()),
                header_params=headers,
                body=body,
                response_type=None,
                _preload_content=False,
                _return_http_data_only=True,
            )
            return response.data.decode("utf-8", "replace"), dict(response.headers)
        except (ApiException, urllib3.exceptions.HTTPError, OSError) as error:
            raise self._translate(error) from None

    def json(self, path: str, query: dict[str, str]) -> dict[str, Any]:
        """``GET`` of a JSON object."""
        text, _ = self.request("GET", path, query)
        try:
            answer = json.loads(text)
        except ValueError:
            answer = None
        if not isinstance(answer, dict):
            raise ServerFailure(Advice.FAILED, f"{self.address.base}{path} sent no JSON object")
        return answer

    def close(self) -> None:
        """Let go of the connections."""
        self._writer.close()
        self._client.close()
