"""Accounts: who can sign in, with which roles where; tokens for machines (S2).

Residents sign in with their phone number: only its keyed hash is stored (``sign_in_hash``). Staff have
a user name. Sign-in itself, two factors included, is Flask-Security's.
"""

from __future__ import annotations

from datetime import datetime

from flask_security import RoleMixin, UserMixin
from sqlalchemy import JSON, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.core.db import Base, Moment
from portal.core.protected import Encrypted
from portal.regions.models import Region


class User(Base, UserMixin):  # type: ignore[misc]  # flask_security ships no types
    """An account. ``resident_id`` is set for residents, ``role_grants`` for staff."""

    __tablename__ = "users"

    id: Mapped[int] = mapped_column(primary_key=True)
    username: Mapped[str | None] = mapped_column(String(64), unique=True)
    sign_in_hash: Mapped[str] = mapped_column(String(64), unique=True)
    email: Mapped[str | None] = mapped_column(String(255), unique=True)
    password: Mapped[str] = mapped_column(String(255))
    active: Mapped[bool] = mapped_column(default=True)
    fs_uniquifier: Mapped[str] = mapped_column(String(64), unique=True)
    language: Mapped[str] = mapped_column(String(16), default="")
    resident_id: Mapped[int | None] = mapped_column(ForeignKey("residents.id"), unique=True)
    tf_primary_method: Mapped[str | None] = mapped_column(String(64))
    tf_totp_secret: Mapped[str | None] = mapped_column(Encrypted("users.tf_totp_secret"))
    created_at: Mapped[datetime] = mapped_column(Moment)
    last_sign_in_at: Mapped[datetime | None] = mapped_column(Moment)

    role_grants: Mapped[list[RoleGrant]] = relationship(back_populates="user")

    @property
    def roles(self) -> list[RoleMixin]:
        """Flask-Security's roles are not used: grants carry a region, its roles cannot."""
        return []


class RoleGrant(Base):
    """A role on a region and all below it."""

    __tablename__ = "role_grants"
    __table_args__ = (UniqueConstraint("user_id", "role", "region_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    role: Mapped[str] = mapped_column(String(32))
    region_id: Mapped[int] = mapped_column(ForeignKey("regions.id"))

    user: Mapped[User] = relationship(back_populates="role_grants")
    region: Mapped[Region] = relationship()


class ApiToken(Base):
    """A machine's bearer token: only its SHA-256 is stored; 256 random bits need no slow hash."""

    __tablename__ = "api_tokens"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(80))
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    permissions: Mapped[list[str]] = mapped_column(JSON)
    region_id: Mapped[int] = mapped_column(ForeignKey("regions.id"))
    created_at: Mapped[datetime] = mapped_column(Moment)
    expires_at: Mapped[datetime] = mapped_column(Moment)
    revoked_at: Mapped[datetime | None] = mapped_column(Moment)
    last_used_at: Mapped[datetime | None] = mapped_column(Moment)

    region: Mapped[Region] = relationship()
