"""What has to be there before the first process starts: folder, keys, schema, demo community."""

from __future__ import annotations

import stat
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select

from portal.config import Config, ConfigError
from portal.core import migrate
from portal.core.db import Database
from portal.core.keys import install_keys
from portal.models import Region


@dataclass(frozen=True, slots=True)
class Prepared:
    """What was done. ``seeded`` is set when the demo community was made now."""

    migrated_from: str | None
    migrated_to: str | None
    seeded: bool


def make_folder(data_dir: Path) -> None:
    """Make the data folder, for its owner only; one that others may read is closed to them.

    Raises:
        ConfigError: it cannot be made or used.
    """
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        mode = stat.S_IMODE(data_dir.stat().st_mode)
        if mode & 0o077:
            data_dir.chmod(0o700)
    except OSError as error:
        raise ConfigError("LINLI_DATA_DIR", f"{data_dir}: {error.strerror}") from error


def prepare(config: Config, database: Database, *, demo: bool) -> Prepared:
    """Bring the schema to this release, make missing keys, seed the demo into an empty database.

    Raises:
        portal.core.crypto.master_key.MasterKeyError: the master key is unusable.
        sqlalchemy.exc.SQLAlchemyError: the database cannot be used.
    """
    before = migrate.current(database)
    migrate.upgrade(database)
    install_keys(config, database)
    seeded = False
    if demo and is_empty(database):
        from portal.demo.seed import seed

        seed(config, database)
        seeded = True
    return Prepared(before, migrate.current(database), seeded)


def is_empty(database: Database) -> bool:
    """Whether there is no region yet."""
    with database.read() as session:
        return session.scalar(select(Region.id).limit(1)) is None
