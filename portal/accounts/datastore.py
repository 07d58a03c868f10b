"""What Flask-Security asks of the database, through our own short sessions.

Users come out detached with their grants loaded.
"""

from __future__ import annotations

from typing import Any

from flask_security import RoleMixin
from flask_security.datastore import Datastore, UserDatastore
from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from portal.accounts.identity import sign_in_hash
from portal.accounts.models import RoleGrant, User
from portal.core.db import Database


class NoRole(RoleMixin):  # type: ignore[misc]  # flask_security is not followed
    """Flask-Security wants a role model; ours are grants, see :mod:`portal.core.permissions`."""


def load_user(session: Session, *condition: Any) -> User | None:
    """An account with its grants and their regions, fit to be used after the session."""
    statement = (
        select(User)
        .where(*condition)
        .options(selectinload(User.role_grants).selectinload(RoleGrant.region))
    )
    return session.scalars(statement).one_or_none()


class AccountDatastore(Datastore, UserDatastore):  # type: ignore[misc]
    """Flask-Security's view of the accounts."""

    def __init__(self, database: Database) -> None:
        Datastore.__init__(self, database)
        UserDatastore.__init__(self, User, NoRole)
        self.database = database

    def find_user(self, case_insensitive: bool = False, **kwargs: Any) -> User | None:
        """By ``fs_uniquifier``, ``id`` or what the person typed (``identity``)."""
        if "identity" in kwargs:
            condition = User.sign_in_hash == sign_in_hash(str(kwargs["identity"]))
        else:
            ((name, value),) = kwargs.items()
            condition = getattr(User, name) == value
        with self.database.read() as session:
            return load_user(session, condition)

    def find_role(self, role: str) -> None:
        """There are none."""

    def put(self, model: User) -> User:
        """Nothing that Flask-Security would write is kept: operations change accounts, it only reads."""
        return model

    def delete(self, model: User) -> None:
        """Accounts are closed, not deleted, and not from here."""
        raise NotImplementedError("accounts are closed by an operation")

    def commit(self) -> None:
        """There is nothing to write, see :meth:`put`."""
