"""A telemetry store from its URL, see ``open_store``."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from mqtt.telemetry.embedded import EmbeddedStore
from mqtt.telemetry.store import TelemetryStore

FORMS: Final = (
    "sqlite:///PATH, influxdb+v1://[USER:PASSWORD@]HOST[:PORT]/DATABASE[?rp=],"
    " influxdb://TOKEN@HOST[:PORT]/ORGANISATION/BUCKET, victoria://[USER:PASSWORD@]HOST[:PORT]"
)
INFLUX_PORT: Final = 8086
VICTORIA_PORT: Final = 8428
_TRUTH: Final = {"true": True, "1": True, "false": False, "0": False}


class StoreUrlError(ValueError):
    """The URL is not one of ``FORMS``. The message names what is wrong and holds no secret."""


def _split(url: str) -> SplitResult:
    if "#" in url:
        raise StoreUrlError("telemetry URL: '#' must be written as %23")
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        # urlsplit quotes the offending part, which may be a password
        raise StoreUrlError("telemetry URL: host or port cannot be read") from None
    return parts


def masked(url: str) -> str:
    """The URL with the secret replaced by ``***``, for people to read.

    Raises:
        StoreUrlError: it cannot be read as a URL at all.
    """
    parts = _split(url)
    if "@" not in parts.netloc:
        return url
    credentials, _, host = parts.netloc.rpartition("@")
    user, colon, _ = credentials.partition(":")
    shown = f"{user}:***" if colon else "***"
    return parts._replace(netloc=f"{shown}@{host}").geturl()


def _options(parts: SplitResult, allowed: Iterable[str]) -> dict[str, str]:
    known = set(allowed)
    found: dict[str, str] = {}
    try:
        pairs = parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query))
    except ValueError:
        raise StoreUrlError("telemetry URL: the part after '?' cannot be read") from None
    for name, value in pairs:
        if name not in known:
            listed = ", ".join(sorted(known))
            raise StoreUrlError(f"telemetry URL: unknown option {name!r}, known are {listed}")
        if name in found:
            raise StoreUrlError(f"telemetry URL: option {name!r} is given twice")
        found[name] = value
    return found


def _truth(options: dict[str, str], name: str) -> bool:
    text = options.get(name, "false")
    if text not in _TRUTH:
        raise StoreUrlError(f"telemetry URL: {name} must be true or false")
    return _TRUTH[text]


def _number(options: dict[str, str], name: str, default: int) -> int:
    text = options.get(name, str(default))
    if not text.isascii() or not text.isdecimal() or int(text) > 10**9:
        raise StoreUrlError(f"telemetry URL: {name} must be a whole number")
    return int(text)


def _host(parts: SplitResult, port: int) -> tuple[str, int]:
    if not parts.hostname:
        raise StoreUrlError("telemetry URL: the host is missing")
    return parts.hostname, parts.port or port


def _levels(parts: SplitResult) -> list[str]:
    return [unquote(level) for level in parts.path.strip("/").split("/") if level]


def _login(parts: SplitResult) -> str:
    """``user:password``, or nothing. A user without a password is a mistake."""
    if parts.username is None:
        return ""
    if not parts.username or not parts.password:
        raise StoreUrlError("telemetry URL: give user and password, or neither")
    return f"{unquote(parts.username)}:{unquote(parts.password)}"


def _sqlite(parts: SplitResult) -> TelemetryStore:
    if parts.netloc:
        raise StoreUrlError("telemetry URL: sqlite needs three slashes, sqlite:///PATH")
    path = unquote(parts.path.removeprefix("/"))
    if not path or path.endswith("/"):
        raise StoreUrlError("telemetry URL: the file is missing, sqlite:///PATH")
    megabytes = _number(_options(parts, ["max_mb"]), "max_mb", 0)
    return EmbeddedStore(Path(path), max_bytes=megabytes * 1_000_000)


def _influx_v1(parts: SplitResult) -> TelemetryStore:
    from mqtt.telemetry.http import TIMEOUT_MS, Address
    from mqtt.telemetry.influx import InfluxStore, Place

    options = _options(parts, ["rp", "tls", "timeout_ms"])
    host, port = _host(parts, INFLUX_PORT)
    levels = _levels(parts)
    if len(levels) != 1:
        raise StoreUrlError("telemetry URL: influxdb+v1 needs one database, …/DATABASE")
    address = Address(
        host,
        port,
        _login(parts),
        basic=True,
        tls=_truth(options, "tls"),
        timeout_ms=_number(options, "timeout_ms", TIMEOUT_MS),
    )
    return InfluxStore(address, Place(levels[0], policy=options.get("rp", "")))


def _influx_v2(parts: SplitResult) -> TelemetryStore:
    from mqtt.telemetry.http import TIMEOUT_MS, Address
    from mqtt.telemetry.influx import InfluxStore, Place

    options = _options(parts, ["db", "rp", "tls", "timeout_ms"])
    host, port = _host(parts, INFLUX_PORT)
    levels = _levels(parts)
    if len(levels) != 2:
        raise StoreUrlError("telemetry URL: influxdb needs …/ORGANISATION/BUCKET")
    if not parts.username or parts.password is not None:
        raise StoreUrlError("telemetry URL: influxdb needs TOKEN@ (a ':' in it as %3A)")
    organisation, bucket = levels
    database, _, policy = bucket.partition("/")
    address = Address(
        host,
        port,
        unquote(parts.username),
        tls=_truth(options, "tls"),
        organisation=organisation,
        timeout_ms=_number(options, "timeout_ms", TIMEOUT_MS),
    )
    place = Place(options.get("db", database), options.get("rp", policy), bucket)
    return InfluxStore(address, place)


def _victoria(parts: SplitResult) -> TelemetryStore:
    from mqtt.telemetry.http import TIMEOUT_MS, Address
    from mqtt.telemetry.victoria import VictoriaStore

    options = _options(parts, ["tls", "timeout_ms"])
    host, port = _host(parts, VICTORIA_PORT)
    if _levels(parts):
        raise StoreUrlError("telemetry URL: victoria takes no path")
    address = Address(
        host,
        port,
        _login(parts),
        basic=True,
        tls=_truth(options, "tls"),
        timeout_ms=_number(options, "timeout_ms", TIMEOUT_MS),
    )
    return VictoriaStore(address)


_OPENERS: Final = {
    "sqlite": _sqlite,
    "influxdb+v1": _influx_v1,
    "influxdb": _influx_v2,
    "victoria": _victoria,
}


def open_store(url: str) -> TelemetryStore:
    """The store a URL names. Nothing is connected to yet; ``check`` does that.

    ``sqlite:///PATH``
        The embedded store. ``sqlite:///data/t.db`` is relative, ``sqlite:////srv/t.db`` absolute.
        ``?max_mb=N`` refuses to grow beyond N million bytes.
    ``influxdb+v1://USER:PASSWORD@HOST:8086/DATABASE?rp=POLICY``
        InfluxDB through ``/write`` (1.x; also 2.x and 3). Without credentials where it needs none; ``rp``
        is the retention policy, the database's default when left out. The database must exist.
    ``influxdb://TOKEN@HOST:8086/ORGANISATION/BUCKET``
        InfluxDB 2.x, 3 Core, or 1.8 and later (token ``USER%3APASSWORD``, bucket
        ``DATABASE%2FPOLICY``) through ``/api/v2/write``. It is read as database = bucket; ``?db=`` and
        ``?rp=`` name another DBRP mapping.
    ``victoria://HOST:8428``
        VictoriaMetrics, with ``USER:PASSWORD@`` when a proxy asks for it.

    The servers also take ``?tls=true`` and ``?timeout_ms=N`` (10,000). Characters that mean something
    in a URL are written as ``%XX``.

    Raises:
        StoreUrlError: the URL is none of these; the message says which part is wrong.
    """
    parts = _split(url)
    opener = _OPENERS.get(parts.scheme)
    if opener is None:
        raise StoreUrlError(f"telemetry URL: the scheme is not one of {FORMS}")
    return opener(parts)
