"""The process gets its keys: master key from file or setting, data keys from the database.

Called once at start by the portal, the worker and the command line. The first process of a new
installation makes what is missing; two starting at once end with the same keys, for the file appears
whole or not at all and a data key's number is its primary key.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from portal.config import Config
from portal.core import protected
from portal.core.clock import utc_now
from portal.core.crypto.envelope import (
    FieldCipher,
    KeyedHash,
    KeyRing,
    KeyUse,
    WrappedKey,
    new_data_key,
)
from portal.core.crypto.master_key import MasterKey, load_master_key
from portal.core.db import Database
from portal.core.keystore import DataKey

FILE: Final = "keys/master.key"
"""Where the master key lies inside the data folder."""


def master_key(config: Config, *, create: bool = True) -> MasterKey:
    """The master key: the setting when there is one, else the file, made at first start.

    Raises:
        MasterKeyError: it is malformed, missing (without ``create``) or readable by others.
    """
    if config.master_key:
        return MasterKey.from_text(config.master_key)
    return load_master_key(config.path(FILE), create=create)


def install_keys(config: Config, database: Database) -> None:
    """Make personal columns readable and writable in this process.

    Raises:
        MasterKeyError: see :func:`master_key`.
        EnvelopeError: the master key does not open the data keys of this database.
    """
    stored = _stored(database)
    # A database with data keys needs the master key that wrapped them, not a new one.
    master = master_key(config, create=not stored)
    missing = [use for use in KeyUse if use not in {key.use for key in stored}]
    if missing:
        first = max((key.key_id for key in stored), default=0) + 1
        _store(database, [new_data_key(master, first + n, use) for n, use in enumerate(missing)])
        stored = _stored(database)
    ring = KeyRing(master, stored)
    protected.install(FieldCipher(ring), KeyedHash(ring))


def _stored(database: Database) -> list[WrappedKey]:
    with database.read() as session:
        rows = session.execute(
            select(DataKey.id, DataKey.use, DataKey.wrapped).order_by(DataKey.id)
        )
        return [WrappedKey(row.id, KeyUse(row.use), row.wrapped) for row in rows]


def _store(database: Database, keys: list[WrappedKey]) -> None:
    now = utc_now()
    try:
        with database.write() as session:
            session.add_all(
                DataKey(id=key.key_id, use=key.use, wrapped=key.wrapped, created_at=now)
                for key in keys
            )
    except IntegrityError:
        return  # another process was first: its keys count
