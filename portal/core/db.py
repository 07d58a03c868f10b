"""The database: one engine, short read sessions, short write transactions.

SQLite runs in WAL mode with ``synchronous=FULL`` (a commit survives a power cut) and takes its write
lock at the start of a write transaction, so that two writers queue instead of failing half-way.
PostgreSQL runs at READ COMMITTED; operations that count or claim use conditional UPDATEs, correct on both.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import CursorResult, DateTime, Engine, MetaData, create_engine, event
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.types import TypeDecorator

NAMING = {
    "ix": "ix_%(column_0_label)s",
    "uq": "uq_%(table_name)s_%(column_0_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """Parent of every table."""

    metadata = MetaData(naming_convention=NAMING)


class Moment(TypeDecorator[datetime]):
    """Aware UTC in and out. Stored as timestamptz on PostgreSQL, as naive UTC text on SQLite."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse a naive moment."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("naive datetime")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give it its zone back."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def _prepare_sqlite(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def pragmas(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            "busy_timeout=10000",
            "cache_size=-65536",
            "temp_store=MEMORY",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: Any) -> None:
        write = connection.get_execution_options().get("linli_write", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")


class Database:
    """An engine with its two ways in: :meth:`read` and :meth:`write`."""

    def __init__(
        self, url: str, *, pool_size: int = 8, echo: bool = False, ping: bool = True
    ) -> None:
        """Open nothing yet.

        Args:
            ping: ask before each use whether a pooled connection still lives; off where a failed
                transaction is repeated anyway.
        """
        options: dict[str, Any] = {"echo": echo, "pool_pre_ping": ping}
        if url.startswith("sqlite"):
            options["connect_args"] = {"check_same_thread": False, "timeout": 10}
        options["pool_size"] = pool_size
        options["max_overflow"] = pool_size
        self.engine = create_engine(url, **options)
        self.is_sqlite = self.engine.dialect.name == "sqlite"
        if self.is_sqlite:
            _prepare_sqlite(self.engine)
        self._writer = self.engine.execution_options(linli_write=True)

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A session that only reads; nothing it changes is kept."""
        with Session(self.engine, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """One transaction: committed when the block ends, rolled back when it raises."""
        with Session(self._writer, expire_on_commit=False) as session, session.begin():
            yield session

    def close(self) -> None:
        """Give back every connection."""
        self.engine.dispose()


def won(session: Session, statement: Any) -> bool:
    """Carry out an UPDATE or DELETE that names the state before it: whether it found its one row so.

    Of several at once exactly one wins. Objects that the session holds are not touched: refresh them.
    """
    result = session.execute(statement.execution_options(synchronize_session=False))
    assert isinstance(result, CursorResult)  # noqa: S101 - narrows the type for mypy
    return result.rowcount == 1
