"""Migrations: up, down, compare. Alembic does the work; this says where things are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config as AlembicConfig
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import MetaData

from portal.core.db import Database

FOLDER = Path(__file__).resolve().parent.parent / "migrations"


def _config() -> AlembicConfig:
    config = AlembicConfig()
    config.set_main_option("script_location", str(FOLDER))
    config.set_main_option("path_separator", "os")
    return config


def _run(database: Database, action: Any, *args: Any, **kwargs: Any) -> None:
    config = _config()
    with database.engine.connect() as connection:
        config.attributes["connection"] = connection
        action(config, *args, **kwargs)
        connection.commit()


def upgrade(database: Database, revision: str = "head") -> None:
    """Bring the schema up to ``revision``."""
    _run(database, command.upgrade, revision)


def downgrade(database: Database, revision: str) -> None:
    """Take the schema back to ``revision`` (``base`` empties it)."""
    _run(database, command.downgrade, revision)


def make(database: Database, message: str, revision: str) -> None:
    """Write a new migration from the difference; for developers."""
    _run(database, command.revision, message=message, autogenerate=True, rev_id=revision)


def current(database: Database) -> str | None:
    """The revision the database is at; ``None`` for an empty one."""
    with database.engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def head() -> str | None:
    """The newest revision there is."""
    return ScriptDirectory.from_config(_config()).get_current_head()


def differences(database: Database, metadata: MetaData) -> list[Any]:
    """What models and schema disagree on; empty when they agree."""
    with database.engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "target_metadata": metadata}
        )
        return list(compare_metadata(context, metadata))
