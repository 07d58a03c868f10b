"""A PostgreSQL of the bench's own: made by initdb in a temporary folder, durable as by default."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from provisioning.bench.form import free_port

_USER = "linli"


def find_programs() -> Path | None:
    """The folder with `initdb` and `postgres` of the newest version on this machine."""
    on_path = shutil.which("initdb")
    if on_path:
        return Path(on_path).resolve().parent
    folders = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: float(p.parts[-3])
    )
    return folders[-1].parent if folders else None


@contextmanager
def postgres_server(programs: Path, folder: Path) -> Iterator[str]:
    """A running server with one empty database; gives its SQLAlchemy URL.

    Raises:
        RuntimeError: it does not start; the message holds what it said.
    """
    account = _account()
    user = None if account is None else account.pw_name
    folder.mkdir(parents=True, exist_ok=True)
    if account is not None:
        os.chown(folder, account.pw_uid, account.pw_gid)
    common: dict[str, Any] = {
        "user": user,
        "group": None if account is None else account.pw_gid,
        "extra_groups": None if account is None else [],
        "cwd": folder,
        "stdin": subprocess.DEVNULL,
    }
    data, port = folder / "data", free_port()
    made = subprocess.run(
        [
            str(programs / "initdb"),
            *("-D", str(data), "-U", _USER, "-A", "trust", "-E", "UTF8"),
            *("--locale", "C.UTF-8", "--no-sync"),
        ],
        capture_output=True,
        text=True,
        check=False,
        **common,
    )
    if made.returncode:
        raise RuntimeError(f"initdb failed: {made.stdout}{made.stderr}")
    settings = {
        "listen_addresses": "127.0.0.1",
        "unix_socket_directories": "",
        "timezone": "UTC",
        "shared_buffers": "256MB",
    }
    log_path = folder / "postgres.log"
    with log_path.open("wb") as log:
        process = subprocess.Popen(
            [
                str(programs / "postgres"),
                *("-D", str(data), "-p", str(port)),
                *(part for key, value in settings.items() for part in ("-c", f"{key}={value}")),
            ],
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            **common,
        )
    try:
        _create_database(port, process, log_path)
        yield f"postgresql+psycopg://{_USER}@127.0.0.1:{port}/linli"
    finally:
        process.send_signal(signal.SIGINT)  # "fast": breaks off open sessions
        with suppress(subprocess.TimeoutExpired):
            process.wait(20)
        if process.poll() is None:
            process.kill()
            process.wait()


def _account() -> pwd.struct_passwd | None:
    """Who runs the server: PostgreSQL refuses root."""
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name: entry for entry in pwd.getpwall()}
    return names.get("postgres") or names["nobody"]


def _create_database(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    import psycopg

    deadline = time.monotonic() + 30
    while True:
        try:
            with psycopg.connect(
                host="127.0.0.1", port=port, user=_USER, dbname="postgres", autocommit=True
            ) as connection:
                connection.execute("CREATE DATABASE linli")
        except psycopg.OperationalError as error:
            if process.poll() is not None or time.monotonic() > deadline:
                words = log.read_text("utf-8", "replace")[-2000:]
                raise RuntimeError(f"PostgreSQL does not start: {words}") from error
            time.sleep(0.1)
        else:
            return
