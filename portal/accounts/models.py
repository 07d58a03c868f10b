"""Accounts: who can sign in, with which roles where; tokens for machines (S2).

Residents sign in with their phone number: only its keyed hash is stored (``sign_in_hash``). Staff have
a user name. Sign-in itself, two factors included, is Flask-Security's.
"""

from __future__ import annotations

from datetime import datetime

from flask_security import RoleMixin, UserMixin
from sqlalchemy import JSON, ForeignKey, Index, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.core.db import Base, Moment
from portal.core.protected import Encrypted
from portal.regions.models import Region


class User(Base, UserMixin):  # type: ignore[misc]  # flask_security ships no types
    """An account. ``resident_id`` is set for residents, ``role_grants`` for staff.

    ``region_id`` is where a member of staff was invited: administrators of that subtree see the account
    before it has a role. ``totp_last_counter`` is the time step of the last code used: none works twice.
    """

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
    display_name: Mapped[str | None] = mapped_column(Encrypted("users.display_name"))
    region_id: Mapped[int | None]
    must_change_password: Mapped[bool] = mapped_column(default=False)
    password_changed_at: Mapped[datetime | None] = mapped_column(Moment)
    active_changed_at: Mapped[datetime | None] = mapped_column(Moment)
    disabled_reason: Mapped[str] = mapped_column(String(16), default="")
    totp_last_counter: Mapped[int | None]
    passkey_handle: Mapped[str | None] = mapped_column(String(64), index=True, unique=True)
    unseen_session_id: Mapped[int | None]

    role_grants: Mapped[list[RoleGrant]] = relationship(back_populates="user")

    @property
    def roles(self) -> list[RoleMixin]:
        """Flask-Security's roles are not used: grants carry a region, its roles cannot."""
        return []


class RoleGrant(Base):
    """A role on a region and all below it, from a moment until another where they are set."""

    __tablename__ = "role_grants"
    __table_args__ = (UniqueConstraint("user_id", "role", "region_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    role: Mapped[str] = mapped_column(String(32))
    region_id: Mapped[int] = mapped_column(ForeignKey("regions.id"))
    valid_from: Mapped[datetime | None] = mapped_column(Moment)
    valid_until: Mapped[datetime | None] = mapped_column(Moment)
    granted_by: Mapped[int | None]
    granted_at: Mapped[datetime | None] = mapped_column(Moment)

    user: Mapped[User] = relationship(back_populates="role_grants")
    region: Mapped[Region] = relationship()


class SignInSession(Base):
    """One browser that is signed in. The cookie holds a random token, this row only its hash.

    ``address`` is for the person's own list; ``device_hash`` tells a device that came before.
    """

    __tablename__ = "sign_in_sessions"
    __table_args__ = (Index("ix_sign_in_sessions_user", "user_id", "ended_at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    method: Mapped[str] = mapped_column(String(32))
    device: Mapped[str] = mapped_column(String(80), default="")
    device_hash: Mapped[str] = mapped_column(String(64), default="")
    new_device: Mapped[bool] = mapped_column(default=False)
    address: Mapped[str | None] = mapped_column(Encrypted("sign_in_sessions.address"))
    created_at: Mapped[datetime] = mapped_column(Moment)
    last_seen_at: Mapped[datetime] = mapped_column(Moment)
    ended_at: Mapped[datetime | None] = mapped_column(Moment)
    end_reason: Mapped[str] = mapped_column(String(16), default="")

    user: Mapped[User] = relationship()


class LockOut(Base):
    """Failed attempts in a row: of an account (by the hash of the name typed, known or not) or an address."""

    __tablename__ = "lock_outs"

    key: Mapped[str] = mapped_column(String(80), primary_key=True)
    failures: Mapped[int] = mapped_column(default=0)
    last_failed_at: Mapped[datetime] = mapped_column(Moment, index=True)
    locked_until: Mapped[datetime | None] = mapped_column(Moment)


class Invitation(Base):
    """A link with which somebody makes a staff account, or gives an existing one new secrets (``user_id``).

    ``role`` is set by the command line only, for the first administrators of an installation.
    """

    __tablename__ = "staff_invitations"

    id: Mapped[int] = mapped_column(primary_key=True)
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    note: Mapped[str | None] = mapped_column(Encrypted("staff_invitations.note"))
    region_id: Mapped[int] = mapped_column(ForeignKey("regions.id"))
    role: Mapped[str | None] = mapped_column(String(32))
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    invited_by: Mapped[int | None]
    created_at: Mapped[datetime] = mapped_column(Moment)
    expires_at: Mapped[datetime] = mapped_column(Moment)
    accepted_at: Mapped[datetime | None] = mapped_column(Moment)
    revoked_at: Mapped[datetime | None] = mapped_column(Moment)

    region: Mapped[Region] = relationship()


class RecoveryCode(Base):
    """A code that stands in for the authenticator once; only its keyed hash is kept."""

    __tablename__ = "recovery_codes"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    code_hash: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime] = mapped_column(Moment)
    used_at: Mapped[datetime | None] = mapped_column(Moment)


class Passkey(Base):
    """A WebAuthn credential: its public key, and the name its owner gave it."""

    __tablename__ = "passkeys"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    credential_id: Mapped[str] = mapped_column(String(1400), unique=True)
    public_key: Mapped[bytes] = mapped_column(LargeBinary)
    sign_count: Mapped[int] = mapped_column(default=0)
    name: Mapped[str] = mapped_column(String(60))
    created_at: Mapped[datetime] = mapped_column(Moment)
    last_used_at: Mapped[datetime | None] = mapped_column(Moment)


class PasskeyChallenge(Base):
    """A challenge that was given to a browser and has not come back; each counts once."""

    __tablename__ = "passkey_challenges"

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    expires_at: Mapped[datetime] = mapped_column(Moment, index=True)


class PhoneCode(Base):
    """A code sent to a phone. Neither the number nor the code is here, only keyed hashes."""

    __tablename__ = "phone_codes"
    __table_args__ = (Index("ix_phone_codes_phone", "phone_hash", "created_at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    phone_hash: Mapped[str] = mapped_column(String(64))
    purpose: Mapped[str] = mapped_column(String(16))
    code_hash: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(Moment)
    expires_at: Mapped[datetime] = mapped_column(Moment)
    tries: Mapped[int] = mapped_column(default=0)
    used_at: Mapped[datetime | None] = mapped_column(Moment)


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
