"""Configuration, read once at start into a frozen object.

Every value comes, in this order of strength, from the environment (``LINLI_HTTP_PORT``), from a file
named by the environment for secrets (``LINLI_SECRET_KEY_FILE``), from one TOML file (``LINLI_CONFIG``,
or ``linli.toml`` in the data folder: ``http_port = 8080``), or from its default. A malformed or
unknown key stops the process and names itself; `linli config` shows values and where each comes from.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

PREFIX: Final = "LINLI_"
FILE_NAME: Final = "linli.toml"
LANGUAGES: Final = ("zh_Hans_CN", "en")


class ConfigError(ValueError):
    """A key is unknown or its value malformed; ``key`` names it as the user wrote it."""

    def __init__(self, key: str, problem: str) -> None:
        super().__init__(f"{key}: {problem}")
        self.key = key
        self.problem = problem


def _text(value: str) -> str:
    if not value.strip():
        raise ValueError("must not be empty")
    return value.strip()


def _optional(value: str) -> str:
    return value.strip()


def _port(value: str) -> int:
    try:
        port = int(value)
    except ValueError:
        raise ValueError(f"{value!r} is not a whole number") from None
    if not 0 < port < 65_536:
        raise ValueError(f"{port} is not a port (1–65535)")
    return port


def _seconds(lowest: int, highest: int) -> Callable[[str], int]:
    def convert(value: str) -> int:
        try:
            seconds = int(value)
        except ValueError:
            raise ValueError(f"{value!r} is not a whole number of seconds") from None
        if not lowest <= seconds <= highest:
            raise ValueError(f"must be between {lowest} and {highest} seconds")
        return seconds

    return convert


def _count(lowest: int, highest: int) -> Callable[[str], int]:
    def convert(value: str) -> int:
        try:
            count = int(value)
        except ValueError:
            raise ValueError(f"{value!r} is not a whole number") from None
        if not lowest <= count <= highest:
            raise ValueError(f"must be between {lowest} and {highest}")
        return count

    return convert


def _choice(*allowed: str) -> Callable[[str], str]:
    def convert(value: str) -> str:
        if value not in allowed:
            raise ValueError(f"must be one of {', '.join(allowed)}")
        return value

    return convert


def _url(*schemes: str) -> Callable[[str], str]:
    def convert(value: str) -> str:
        value = value.strip()
        if not value:
            return value
        try:
            parts = urlsplit(value)
            _ = parts.port
        except ValueError as error:
            raise ValueError(f"not a URL ({error})") from None
        if parts.scheme not in schemes:
            raise ValueError(f"must start with {' or '.join(s + '://' for s in schemes)}")
        return value

    return convert


def _zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError):
        raise ValueError(f"{value!r} is not a time zone") from None
    return value


def _setting(
    default: Any, convert: Callable[[str], Any], about: str, *, secret: bool = False
) -> Any:
    return field(default=default, metadata={"convert": convert, "about": about, "secret": secret})


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """All settings. Empty URL settings mean "the embedded one"; properties give the effective value."""

    data_dir: Path = field(
        default=Path("data"),
        metadata={"convert": Path, "about": "Folder that holds everything", "secret": False},
    )
    http_host: str = _setting("127.0.0.1", _text, "Address the portal listens on")
    http_port: int = _setting(8080, _port, "Port of the portal")
    public_url: str = _setting("", _url("http", "https"), "Address people use, put into QR codes")
    metrics_port: int = _setting(
        9464, _port, "First loopback port of Prometheus metrics: web, worker, ingest take three"
    )
    mqtt_port: int = _setting(1883, _port, "Port of the broker that `linli up` starts")
    mqtt_url: str = _setting(
        "", _url("mqtt", "mqtts"), "Broker to use instead of starting one", secret=True
    )
    broker: str = _setting(
        "auto", _choice("auto", "mosquitto", "iotcore"), "Broker that `linli up` starts"
    )
    database_url: str = _setting(
        "",
        _url("sqlite", "postgresql", "postgresql+psycopg"),
        "Relational database (default: SQLite in the data folder)",
        secret=True,
    )
    telemetry_url: str = _setting(
        "",
        _url("sqlite", "influxdb", "influxdb+v1", "victoria"),
        "Telemetry store (default: embedded, in the data folder)",
        secret=True,
    )
    secret_key: str = _setting(
        "", _optional, "Signs sessions (default: made at first start)", secret=True
    )
    master_key: str = _setting(
        "",
        _optional,
        "64 hex digits; wraps the data keys (default: made at first start)",
        secret=True,
    )
    language: str = _setting(
        "zh_Hans_CN", _choice(*LANGUAGES), "Language of pages when none is chosen"
    )
    timezone: str = _setting("Asia/Shanghai", _zone, "Time zone on screen")
    pass_seconds: int = _setting(
        60, _seconds(10, 3600), "How long a code on a resident's screen is valid"
    )
    pass_offline_seconds: int = _setting(
        900,
        _seconds(0, 3600),
        "How long the code is valid that a resident's phone keeps for when it has no network; 0: none",
    )
    unlock_seconds: int = _setting(10, _seconds(1, 120), "How long an unlock command stays valid")
    redis_url: str = _setting(
        "",
        _url("redis", "rediss"),
        "Counts rate limits for several web processes (default: each counts its own)",
        secret=True,
    )
    trusted_proxies: int = _setting(
        0, _count(0, 8), "How many proxies stand before the portal and set X-Forwarded-* headers"
    )
    staff_idle_minutes: int = _setting(
        30, _count(1, 480), "Minutes without a click after which staff are signed out"
    )
    staff_session_hours: int = _setting(
        12, _count(1, 24), "Hours after which staff sign in again in any case"
    )
    resident_session_days: int = _setting(
        30, _count(1, 365), "Days after which residents sign in again"
    )
    dormant_days: int = _setting(
        90, _count(7, 730), "Days without a sign-in after which a staff account is disabled"
    )
    password_classes: int = _setting(
        0, _count(0, 4), "Kinds of characters (aA1#) that a staff password must mix; 0: none"
    )
    audit_months: int = _setting(36, _count(6, 600), "Months that the audit is kept, 6 at least")
    sms: str = _setting(
        "off",
        _choice("off", "console", "http"),
        "How codes reach phones; console shows them on this machine, for demos only",
    )
    sms_url: str = _setting("", _url("http", "https"), "Gateway for LINLI_SMS=http")
    sms_token: str = _setting("", _optional, "Bearer token for that gateway", secret=True)
    log_level: str = _setting(
        "info", _choice("debug", "info", "warning", "error"), "How much is logged"
    )
    log_format: str = _setting(
        "console", _choice("console", "json"), "Log lines for people or machines"
    )

    @property
    def effective_public_url(self) -> str:
        """Base of links, without a trailing slash."""
        return (self.public_url or f"http://{self.http_host}:{self.http_port}").rstrip("/")

    @property
    def effective_database_url(self) -> str:
        """SQLAlchemy URL; plain ``postgresql://`` means psycopg 3."""
        url = self.database_url or f"sqlite:///{self.data_dir / 'linli.db'}"
        if url.startswith("postgresql://"):
            return url.replace("postgresql://", "postgresql+psycopg://", 1)
        return url

    @property
    def effective_telemetry_url(self) -> str:
        """URL for :func:`mqtt.telemetry.open_store`."""
        return self.telemetry_url or f"sqlite:///{self.data_dir / 'telemetry.db'}"

    @property
    def effective_mqtt_url(self) -> str:
        """Broker address without credentials when embedded; services read theirs from the data folder."""
        return self.mqtt_url or f"mqtt://127.0.0.1:{self.mqtt_port}"

    @property
    def embedded_broker(self) -> bool:
        """Whether `linli up` starts a broker itself."""
        return not self.mqtt_url

    def path(self, name: str) -> Path:
        """A path inside the data folder."""
        return self.data_dir / name


@dataclass(frozen=True, slots=True)
class Origin:
    """One line of `linli config`: key, value fit to show, where it came from, what it is for."""

    key: str
    shown: str
    source: str
    about: str


def _mask_url(url: str) -> str:
    parts = urlsplit(url)
    if "@" not in parts.netloc:
        return url
    user, _, host = parts.netloc.rpartition("@")
    name = user.partition(":")[0]
    shown = f"{name}:***@{host}" if ":" in user else f"***@{host}"
    return urlunsplit(parts._replace(netloc=shown))


def _show(value: Any, *, secret: bool) -> str:
    text = str(value)
    if not secret or not text:
        return text
    return _mask_url(text) if "://" in text else "***"


def _read_file(path: Path, *, required: bool) -> dict[str, Any]:
    try:
        with path.open("rb") as stream:
            return tomllib.load(stream)
    except FileNotFoundError:
        if required:
            raise ConfigError(f"{PREFIX}CONFIG", f"no file at {path}") from None
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(str(path), f"not TOML: {error}") from None
    except OSError as error:
        raise ConfigError(str(path), f"cannot be read: {error.strerror}") from None


def _find(
    name: str, env: Mapping[str, str], from_file: Mapping[str, Any], file: Path
) -> tuple[str, str | None, str]:
    """Where a value stands: label for errors, raw text or ``None``, source for people."""
    key = f"{PREFIX}{name.upper()}"
    if key in env:
        return key, env[key], f"environment {key}"
    secret = f"{key}_FILE"
    if secret in env:
        try:
            return (
                secret,
                Path(env[secret]).read_text(encoding="utf-8").strip(),
                f"file {env[secret]}",
            )
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(secret, f"cannot be read: {error}") from None
    if name in from_file:
        return f"{file}: {name}", str(from_file[name]), f"file {file}"
    return key, None, "default"


def load(environ: Mapping[str, str] | None = None) -> tuple[Config, list[Origin]]:
    """Read the configuration.

    Returns:
        The frozen configuration, and one :class:`Origin` per key.

    Raises:
        ConfigError: a key is unknown or malformed.
    """
    env = os.environ if environ is None else environ
    known = {f.name: f for f in fields(Config)}
    data_dir = Path(env.get(f"{PREFIX}DATA_DIR", "data")).expanduser().absolute()
    named = env.get(f"{PREFIX}CONFIG", "")
    file = Path(named).expanduser() if named else data_dir / FILE_NAME
    from_file = _read_file(file, required=bool(named))
    for key in from_file:
        if key not in known:
            raise ConfigError(f"{file}: {key}", "is not a setting; see `linli config`")
    allowed = {f"{PREFIX}{n.upper()}{tail}" for n in known for tail in ("", "_FILE")}
    reserved = {f"{PREFIX}CONFIG", f"{PREFIX}TEST_REQUIRE"}
    for key in env:
        if key.startswith(PREFIX) and key not in allowed | reserved:
            raise ConfigError(key, "is not a setting; see `linli config`")
    values: dict[str, Any] = {}
    origins: list[Origin] = []
    for name, spec in known.items():
        label, raw, source = _find(name, env, from_file, file)
        value: Any = spec.default
        if raw is not None:
            try:
                value = spec.metadata["convert"](raw)
            except ValueError as error:
                raise ConfigError(label, str(error)) from None
        if name == "data_dir":
            value = data_dir
        values[name] = value
        shown = _show(value, secret=spec.metadata["secret"])
        origins.append(Origin(f"{PREFIX}{name.upper()}", shown, source, spec.metadata["about"]))
    config = Config(**values)
    _check_together(config)
    return config, origins


def _check_together(config: Config) -> None:
    """Settings that only make sense beside each other."""
    if config.sms == "http" and not config.sms_url:
        raise ConfigError(f"{PREFIX}SMS_URL", f"is needed with {PREFIX}SMS=http")
    if config.sms == "console" and config.public_url.startswith("https://"):
        raise ConfigError(
            f"{PREFIX}SMS",
            "console is for demos: a portal that people reach by https sends codes by a gateway",
        )
