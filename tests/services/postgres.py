"""A real PostgreSQL server in a temporary folder, and fresh databases on it."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import psycopg
from psycopg import sql

from tests.services.child import Child, free_port, lesser_user

_USER = "linli"
# Durability is not what these tests look at, and a server that dies takes its folder along.
_SETTINGS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "100",
    "timezone": "UTC",
}


def find_programs() -> Path | None:
    """The folder with `initdb` and `postgres` of the newest version on this machine."""
    on_path = shutil.which("initdb")
    if on_path:
        return Path(on_path).resolve().parent
    folders = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    folders += [path.parent for path in Path("/usr").glob("pgsql-*/bin/initdb")]
    return max(folders, key=lambda folder: float(folder.parent.name.split("-")[-1]), default=None)


@dataclass(frozen=True)
class PostgresServer:
    """The server on 127.0.0.1."""

    port: int
    child: Child

    @contextmanager
    def database(self) -> Iterator[str]:
        """A new empty database; gives its SQLAlchemy URL and drops it afterwards."""
        name = f"linli_{next(_numbers)}"
        with _connect(self.port) as connection:
            connection.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8'").format(
                    sql.Identifier(name)
                )
            )
        try:
            yield f"postgresql+psycopg://{_USER}@127.0.0.1:{self.port}/{name}"
        finally:
            with _connect(self.port) as connection:
                connection.execute(
                    sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
                )


_numbers = count(1)


def _connect(port: int) -> psycopg.Connection[tuple[object, ...]]:
    return psycopg.connect(
        host="127.0.0.1", port=port, user=_USER, dbname="postgres", autocommit=True
    )


def _answers(port: int) -> bool:
    try:
        _connect(port).close()
    except psycopg.OperationalError:
        return False
    return True


@contextmanager
def postgres_server(programs: Path) -> Iterator[PostgresServer]:
    """A server made by initdb; as another user than root, which PostgreSQL refuses."""
    # Not pytest's own folder: that one is closed to the user the server runs as.
    folder = Path(tempfile.mkdtemp(prefix="linli-postgres-"))
    user = lesser_user()
    try:
        if user:
            owner = pwd.getpwnam(user)
            os.chown(folder, owner.pw_uid, owner.pw_gid)
        data = folder / "data"
        made = subprocess.run(
            [
                str(programs / "initdb"),
                *("-D", str(data), "-U", _USER, "-A", "trust", "-E", "UTF8"),
                *("--locale", "C.UTF-8", "--no-sync"),
            ],
            user=user,
            group=pwd.getpwnam(user).pw_gid if user else None,
            extra_groups=[] if user else None,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if made.returncode:
            raise RuntimeError(f"initdb failed\n{made.stdout}{made.stderr}")
        port = free_port()
        settings = [part for key, value in _SETTINGS.items() for part in ("-c", f"{key}={value}")]
        child = Child(
            name="PostgreSQL",
            command=[str(programs / "postgres"), "-D", str(data), "-p", str(port), *settings],
            log=folder / "postgres.log",
            user=user,
            stop_signal=signal.SIGINT,  # "fast": breaks off open sessions
            answers=lambda: _answers(port),
        )
        child.start()
        try:
            yield PostgresServer(port, child)
        finally:
            child.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
