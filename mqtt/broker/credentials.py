"""Credentials of our own processes at the broker, made at first start, kept in one file (mode 0600).

``<data>/broker/credentials.json``::

    {"version": 1, "services": {"worker": {"username": "linli-worker", "password": "…"}, …}}

A service that the file lacks (a later release added it) is added; nothing there is ever changed.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, unquote, urlsplit

from mqtt.broker.accounts import SERVICE_RULES, BrokerAccount, Service
from mqtt.broker.files import read_private, write_private
from mqtt.broker.passwords import hash_password

FILE: Final = "broker/credentials.json"
"""Where it lies inside the data folder."""
VERSION: Final = 1


class CredentialsError(RuntimeError):
    """The file is missing or damaged; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Credential:
    """User name and password of one service."""

    username: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class BrokerAccess:
    """Where the broker is and as whom a process signs in."""

    host: str
    port: int
    username: str
    password: str = field(repr=False)
    tls: bool = False

    @property
    def credential(self) -> Credential:
        """User name and password."""
        return Credential(self.username, self.password)

    @property
    def url(self) -> str:
        """The same as one URL, secrets included: for a setting, never for a log."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        who = f"{quote(self.username, safe='')}:{quote(self.password, safe='')}"
        return f"{'mqtts' if self.tls else 'mqtt'}://{who}@{host}:{self.port}"


def broker_access(url: str, data_dir: Path, service: Service) -> BrokerAccess:
    """How a service reaches the broker: as the URL says, else by its own credentials.

    Args:
        url: ``mqtt://host:port`` or ``mqtts://user:password@host``; percent-encoding is undone.

    Raises:
        CredentialsError: the URL names nobody and there are no credentials yet.
    """
    parts = urlsplit(url)
    tls = parts.scheme == "mqtts"
    if parts.username is not None:
        username, password = unquote(parts.username), unquote(parts.password or "")
    else:
        own = load_credentials(data_dir).get(service)
        if own is None:
            raise CredentialsError(f"{data_dir / FILE} has no credentials for {service}")
        username, password = own.username, own.password
    port = parts.port or (8883 if tls else 1883)
    return BrokerAccess(parts.hostname or "127.0.0.1", port, username, password, tls)


def load_credentials(data_dir: Path) -> dict[Service, Credential]:
    """Read the credentials of every service.

    Raises:
        CredentialsError: the file is not there yet, or not what this release reads.
    """
    path = data_dir / FILE
    try:
        return _parse(json.loads(read_private(path)), path)
    except FileNotFoundError:
        raise CredentialsError(
            f"there are no broker credentials at {path}: start `linli up` once, "
            "or set LINLI_MQTT_URL with a user name and a password"
        ) from None
    except (OSError, ValueError) as error:
        raise CredentialsError(f"{path} cannot be read: {error}") from error


def ensure_credentials(data_dir: Path) -> dict[Service, Credential]:
    """Read the credentials, making those that are missing.

    Raises:
        CredentialsError: the file is damaged; it is never overwritten then.
    """
    path = data_dir / FILE
    known: dict[Service, Credential] = load_credentials(data_dir) if path.exists() else {}
    missing = [service for service in Service if service not in known]
    if missing:
        for service in missing:
            known[service] = Credential(f"linli-{service}", secrets.token_urlsafe(24))
        services = {
            service.value: {"username": c.username, "password": c.password}
            for service, c in known.items()
        }
        text = json.dumps({"version": VERSION, "services": services}, indent=2)
        write_private(path, text + "\n")
    return known


def service_accounts(credentials: Mapping[Service, Credential]) -> list[BrokerAccount]:
    """The broker accounts of our processes, each with the rules of its service."""
    return [
        BrokerAccount(
            username=credential.username,
            password_hash=hash_password(credential.password),
            rules=SERVICE_RULES[service],
            password=credential.password,
        )
        for service, credential in credentials.items()
    ]


def _parse(document: Any, path: Path) -> dict[Service, Credential]:
    if not isinstance(document, dict) or document.get("version") != VERSION:
        raise CredentialsError(f"{path} is not of version {VERSION}")
    services = document.get("services")
    if not isinstance(services, dict):
        raise CredentialsError(f"{path} names no services")
    found: dict[Service, Credential] = {}
    for name, entry in services.items():
        if name not in set(Service):
            continue  # of a later release
        if not isinstance(entry, dict) or not all(
            isinstance(entry.get(key), str) and entry[key] for key in ("username", "password")
        ):
            raise CredentialsError(f"{path}: {name} lacks a user name or a password")
        found[Service(name)] = Credential(entry["username"], entry["password"])
    return found
