"""The broker's files: mosquitto's configuration, passwords and rules; iotcore's configuration.

All are written whole or not at all, and can be read by their owner only. What stands in
mosquitto.conf and why:

* ``autosave_interval 1``: sessions, queues and retained messages reach the disk when more than one
  whole second has passed, so that a killed broker forgets less than the last two seconds (1.9 were
  seen; devices repeat unanswered events anyway).
* ``upgrade_outgoing_qos``: scalars are published with QoS 0, as ESPHome does, and such messages the
  broker would drop while ingest is away. Ingest subscribes with QoS 1; so upgraded, they are queued,
  saved and repeated like all others. (``queue_qos0_messages`` is no way: with it, mosquitto 2.0.11
  lost saved QoS 1 messages as well when it was killed.)
* ``max_queued_messages``: a consumer that is away for a while loses nothing; the default keeps 1,000.
  Not 0, "no limit": mosquitto 2.0.11 then delivers no QoS 1 message any more to a client that once
  published what it may not.
* ``message_size_limit``: above the contract's 64 KiB, so that the first oversized messages reach the
  consumers, which count them; what is far too large ends the connection that sent it.
* ``set_tcp_nodelay``: an unlock command does not wait for company.
"""

from __future__ import annotations

import json
import os
import pwd
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from mqtt.broker.accounts import BrokerAccount
from mqtt.contract.topics import MAX_PAYLOAD_BYTES

MESSAGE_SIZE_LIMIT: Final = 2 * MAX_PAYLOAD_BYTES
PACKET_SIZE_LIMIT: Final = MESSAGE_SIZE_LIMIT + 4096
FOLDER: Final = "broker"
"""Folder of the broker's files inside the data folder."""


@dataclass(frozen=True, slots=True)
class BrokerFiles:
    """Where the files of one broker lie."""

    folder: Path

    @property
    def configuration(self) -> Path:
        """mosquitto.conf."""
        return self.folder / "mosquitto.conf"

    @property
    def passwords(self) -> Path:
        """Mosquitto's password file."""
        return self.folder / "passwords"

    @property
    def rules(self) -> Path:
        """Mosquitto's access rules."""
        return self.folder / "rules"

    @property
    def iotcore(self) -> Path:
        """iotcore's TOML file."""
        return self.folder / "iotcore.toml"


def write_private(path: Path, text: str) -> None:
    """Write a file whole or not at all, mode 0600, its folder 0700; it has reached the disk on return."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # mode 0600
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def read_private(path: Path) -> str:
    """A file's text.

    Raises:
        PermissionError: others than its owner may read it.
    """
    with path.open(encoding="utf-8") as stream:
        if os.fstat(stream.fileno()).st_mode & 0o077:
            raise PermissionError(f"others can read it: run chmod 600 {path}")
        return stream.read()


def passwords_text(accounts: Iterable[BrokerAccount]) -> str:
    """Mosquitto's password file."""
    return "".join(f"{account.username}:{account.password_hash}\n" for account in accounts)


def rules_text(accounts: Iterable[BrokerAccount]) -> str:
    """Mosquitto's rules: one block an account, nothing for everybody, nothing by pattern."""
    blocks = []
    for account in accounts:
        lines = [f"user {account.username}"]
        lines += [f"topic {rule.access} {rule.topic}" for rule in account.rules]
        blocks.append("\n".join(lines) + "\n")
    return "\n".join(blocks)


def mosquitto_text(files: BrokerFiles, port: int) -> str:
    """mosquitto.conf of a broker on the loopback address."""
    lines = [
        "# Written at every start of `linli up`; changes here are lost.",
        "per_listener_settings false",
        "allow_anonymous false",
        f"password_file {files.passwords}",
        f"acl_file {files.rules}",
        "persistence true",
        f"persistence_location {files.folder}/",
        "persistence_file mosquitto.db",
        "autosave_interval 1",
        "autosave_on_changes false",
        "max_queued_messages 1000000",
        "max_queued_bytes 0",
        "upgrade_outgoing_qos true",
        "max_inflight_messages 4096",
        "persistent_client_expiration 14d",
        f"message_size_limit {MESSAGE_SIZE_LIMIT}",
        f"max_packet_size {PACKET_SIZE_LIMIT}",
        "set_tcp_nodelay true",
        "sys_interval 10",
        "log_dest stderr",
        "log_type error",
        "log_type warning",
        "log_type notice",
        "log_timestamp true",
        "log_timestamp_format %Y-%m-%dT%H:%M:%S",
        "connection_messages true",
    ]
    if os.geteuid() == 0:  # else it becomes another user, who cannot read these files
        lines.append(f"user {pwd.getpwuid(0).pw_name}")
    lines.append(f"listener {port} 127.0.0.1")
    return "\n".join([*lines, ""])


def iotcore_text(port: int, accounts: Iterable[BrokerAccount]) -> str:
    """iotcore's TOML: one MQTT 5 listener on the loopback address, names and passwords, no rules."""
    known = [account for account in accounts if account.password is not None]
    lines = [
        "# Written at every start of `linli up`; changes here are lost.",
        "id = 0",
        "[router]",
        "id = 0",
        "max_connections = 10010",
        "max_outgoing_packet_count = 200",
        "max_segment_size = 104857600",
        "max_segment_count = 10",
        "[v5.linli]",
        'name = "linli"',
        f'listen = "127.0.0.1:{port}"',
        "next_connection_delay_ms = 1",
        "[v5.linli.connections]",
        "connection_timeout_ms = 60000",
        f"max_payload_size = {PACKET_SIZE_LIMIT}",
        "max_inflight_count = 1000",
        "dynamic_filters = true",
        "[v5.linli.connections.auth]",
    ]
    # A JSON string of these characters is a TOML string.
    lines += [f"{json.dumps(a.username)} = {json.dumps(a.password)}" for a in known]
    return "\n".join([*lines, ""])


def write_accounts(files: BrokerFiles, accounts: Iterable[BrokerAccount]) -> None:
    """Write passwords and rules; a running mosquitto takes them on SIGHUP.

    Raises:
        ValueError: two accounts have the same name.
    """
    listed = sorted(accounts, key=lambda account: account.username)
    names = [account.username for account in listed]
    twice = (
        sorted({name for name in names if names.count(name) > 1})
        if len(set(names)) != len(names)
        else []
    )
    if twice:
        raise ValueError(f"two broker accounts have the same name: {', '.join(twice)}")
    # Rules first: a new account without rules may do nothing, rules without an account harm nobody.
    write_private(files.rules, rules_text(listed))
    write_private(files.passwords, passwords_text(listed))
