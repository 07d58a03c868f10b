"""Accounts are made, changed and noted here. Every function works in the caller's transaction."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Iterable
from datetime import datetime
from typing import Final

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from portal.accounts.factors import new_totp_secret, totp_uri
from portal.accounts.identity import normalise, sign_in_hash
from portal.accounts.models import RoleGrant, User
from portal.accounts.passwords import hash_password
from portal.accounts.roles import check_separate
from portal.core.errors import ConflictError, DomainError
from portal.core.i18n import LANGUAGES, lazy
from portal.core.permissions import Role

LONGEST_NAME: Final = 64

__all__ = [
    "account_of_phone",
    "change_language",
    "create_resident_account",
    "create_staff",
    "create_user",
    "new_totp_secret",
    "random_password",
]


def create_user(
    session: Session,
    *,
    sign_in_name: str,
    password_hash: str,
    now: datetime,
    username: str | None = None,
    resident_id: int | None = None,
    totp_secret: str | None = None,
    language: str = "",
) -> User:
    """Make an account; the others build on this.

    Args:
        sign_in_name: what the person types: user name or phone number.
        password_hash: argon2id, from :func:`portal.accounts.passwords.hash_password`.
        totp_secret: base 32; makes the authenticator code a condition of sign-in.

    Raises:
        ConflictError: ``name_taken``.
    """
    user = User(
        username=username,
        sign_in_hash=sign_in_hash(sign_in_name),
        password=password_hash,
        active=True,
        fs_uniquifier=uuid.uuid4().hex,
        language=language if language in LANGUAGES else "",
        resident_id=resident_id,
        created_at=now,
    )
    if totp_secret:
        user.tf_primary_method = "authenticator"
        user.tf_totp_secret = totp_uri(totp_secret, username or "")
    try:
        with session.begin_nested():
            session.add(user)
    except IntegrityError:
        raise ConflictError(
            "name_taken", lazy("This name is already in use. Choose another one.")
        ) from None
    return user


def create_staff(
    session: Session,
    *,
    username: str,
    password: str,
    roles: Iterable[tuple[Role, int]],
    now: datetime,
    totp_secret: str | None = None,
    language: str = "",
) -> User:
    """Make an account for a member of staff.

    Args:
        roles: pairs of role and region id.
        totp_secret: base 32, see :func:`new_totp_secret`; ``None`` has it set up at the first sign-in.

    Raises:
        DomainError: ``bad_username``, ``not_separate``; ConflictError: ``name_taken``.
    """
    name = normalise(username)
    if not name or len(name) > LONGEST_NAME or name.isdigit():
        raise DomainError(
            "bad_username",
            lazy("A user name has 1 to 64 characters and is not only digits."),
            field="username",
        )
    user = create_user(
        session,
        sign_in_name=name,
        username=name,
        password_hash=hash_password(password),
        now=now,
        totp_secret=totp_secret,
        language=language,
    )
    wanted = sorted(set(roles))
    check_separate(role for role, _ in wanted)
    user.region_id = wanted[0][1] if wanted else None
    for role, region_id in wanted:
        session.add(RoleGrant(user_id=user.id, role=role.value, region_id=region_id))
    session.flush()
    return user


def create_resident_account(
    session: Session,
    *,
    resident_id: int,
    phone: str,
    password_hash: str,
    now: datetime,
    language: str = "",
) -> User:
    """Make the account with which a resident signs in by phone number.

    Raises:
        ConflictError: ``name_taken``: the phone already has an account.
    """
    return create_user(
        session,
        sign_in_name=phone,
        password_hash=password_hash,
        now=now,
        resident_id=resident_id,
        language=language,
    )


def account_of_phone(session: Session, phone: str) -> User | None:
    """The account that signs in with this phone number."""
    return session.scalars(
        select(User).where(User.sign_in_hash == sign_in_hash(phone))
    ).one_or_none()


def change_language(session: Session, user_id: int, language: str) -> None:
    """Remember the language a person chose; an unknown one is refused.

    Raises:
        DomainError: ``bad_language``.
    """
    if language not in LANGUAGES:
        raise DomainError("bad_language", lazy("This language is not available."))
    session.execute(update(User).where(User.id == user_id).values(language=language))


def random_password() -> str:
    """A password for somebody who will be told it: 16 characters that cannot be mistaken, 80 bits and more."""
    letters = "abcdefghjkmnpqrstuvwxyzACDEFGHJKLMNPQRTUVWXY34679"
    return "".join(secrets.choice(letters) for _ in range(16))
