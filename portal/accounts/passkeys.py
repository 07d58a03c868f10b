"""Passkeys (WebAuthn): registered, named, removed, used to sign in (ADR 0001 of this room).

A passkey asks for the finger, face or PIN of its owner (user verification), so that it is two factors in one
and stands in for password and code. Challenges are kept here until they come back, each once.
"""

from __future__ import annotations

import ipaddress
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urlsplit

import webauthn
from sqlalchemy import CursorResult, delete, func, select, update
from sqlalchemy.orm import Session, joinedload
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from portal.accounts.models import Passkey, PasskeyChallenge, User
from portal.accounts.sessions import digest_of
from portal.core import audit
from portal.core.errors import ConflictError, DomainError
from portal.core.i18n import lazy
from portal.core.permissions import Actor, found, not_found

CHALLENGE_LASTS: Final = timedelta(minutes=5)
MOST: Final = 10
NAME_LENGTH: Final = 60
_VERIFIED: Final = UserVerificationRequirement.REQUIRED


@dataclass(frozen=True, slots=True)
class Site:
    """Where passkeys count: the host's name and the address of pages, as browsers see them."""

    host: str
    origin: str


def site_of(public_url: str, asked_host: str) -> Site | None:
    """The site, or ``None`` where browsers offer no passkeys: at a number instead of a name.

    A portal on a loopback address (a demo) may be asked for as ``localhost`` as well.

    Args:
        asked_host: host and port of the request at hand.
    """
    parts = urlsplit(public_url)
    host = parts.hostname or ""
    try:
        number = ipaddress.ip_address(host)
    except ValueError:
        return Site(host, f"{parts.scheme}://{parts.netloc}".lower())
    asked = urlsplit(f"//{asked_host}")
    if number.is_loopback and asked.hostname == "localhost":
        return Site("localhost", f"{parts.scheme}://{asked.netloc}")
    return None


def _refused() -> DomainError:
    return DomainError(
        "passkey", lazy("This passkey could not be used. Try again, or sign in another way.")
    )


def _challenge(session: Session, now: datetime) -> bytes:
    challenge = secrets.token_bytes(32)
    session.add(
        PasskeyChallenge(
            digest=digest_of(bytes_to_base64url(challenge)), expires_at=now + CHALLENGE_LASTS
        )
    )
    return challenge


def _take_challenge(session: Session, challenge: str, now: datetime) -> bytes:
    """A challenge that came back, once. Raises DomainError otherwise."""
    taken = session.execute(
        delete(PasskeyChallenge).where(
            PasskeyChallenge.digest == digest_of(challenge), PasskeyChallenge.expires_at > now
        )
    )
    assert isinstance(taken, CursorResult)  # noqa: S101 - narrows the type for mypy
    if taken.rowcount != 1:
        raise _refused()
    return base64url_to_bytes(challenge)


def registration_options(
    session: Session, user_id: int, site: Site, now: datetime, *, label: str
) -> tuple[str, str]:
    """What the browser needs to make a passkey (JSON), and the challenge in it.

    Args:
        label: what the browser calls the account; for residents no number and no name.

    Raises:
        ConflictError: ``passkeys``: the account has as many as it may.
    """
    user = found(session.get(User, user_id))
    have = session.scalars(select(Passkey).where(Passkey.user_id == user_id)).all()
    if len(have) >= MOST:
        raise ConflictError(
            "passkeys", lazy("You have ten passkeys. Remove one that you no longer use.")
        )
    if user.passkey_handle is None:
        user.passkey_handle = secrets.token_urlsafe(32)
        session.flush()
    challenge = _challenge(session, now)
    options = webauthn.generate_registration_options(
        rp_id=site.host,
        rp_name="Linli 邻里",
        user_id=user.passkey_handle.encode(),
        user_name=label,
        user_display_name=label,
        challenge=challenge,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED, user_verification=_VERIFIED
        ),
        exclude_credentials=[
            PublicKeyCredentialDescriptor(id=base64url_to_bytes(key.credential_id)) for key in have
        ],
    )
    return webauthn.options_to_json(options), bytes_to_base64url(challenge)


def register(
    session: Session,
    actor: Actor,
    credential: dict[str, Any],
    name: str,
    challenge: str,
    site: Site,
    now: datetime,
) -> Passkey:
    """Keep the passkey that a browser has made.

    Raises:
        DomainError: ``passkey``: it does not fit challenge and site; ``name``.
        ConflictError: ``passkey_known``.
    """
    assert actor.user_id is not None  # noqa: S101 - asked of people only
    expected = _take_challenge(session, challenge, now)
    try:
        made = webauthn.verify_registration_response(
            credential=credential,
            expected_challenge=expected,
            expected_rp_id=site.host,
            expected_origin=site.origin,
            require_user_verification=True,
        )
    except (WebAuthnException, ValueError, KeyError, TypeError):
        raise _refused() from None
    credential_id = bytes_to_base64url(made.credential_id)
    if session.scalar(select(func.count()).where(Passkey.credential_id == credential_id)):
        raise ConflictError("passkey_known", lazy("This passkey is registered already."))
    key = Passkey(
        user_id=actor.user_id,
        credential_id=credential_id,
        public_key=made.credential_public_key,
        sign_count=made.sign_count,
        name=_checked(name),
        created_at=now,
    )
    session.add(key)
    session.flush()
    audit.record(session, actor, "passkey.add", ("account", actor.user_id), passkey=key.id)
    return key


def sign_in_options(session: Session, site: Site, now: datetime) -> tuple[str, str]:
    """What the browser needs to offer the passkeys it has for this site (JSON), and the challenge in it."""
    challenge = _challenge(session, now)
    options = webauthn.generate_authentication_options(
        rp_id=site.host, challenge=challenge, user_verification=_VERIFIED
    )
    return webauthn.options_to_json(options), bytes_to_base64url(challenge)


def sign_in(
    session: Session, credential: dict[str, Any], challenge: str, site: Site, now: datetime
) -> User:
    """The account whose passkey this is.

    Raises:
        DomainError: ``passkey``: unknown, not for this site or challenge, a copy of a key (its counter went
            back), or of a disabled account.
    """
    expected = _take_challenge(session, challenge, now)
    key = session.scalars(
        select(Passkey).where(Passkey.credential_id == str(credential.get("id", ""))[:1400])
    ).first()
    if key is None:
        raise _refused()
    try:
        proven = webauthn.verify_authentication_response(
            credential=credential,
            expected_challenge=expected,
            expected_rp_id=site.host,
            expected_origin=site.origin,
            credential_public_key=key.public_key,
            credential_current_sign_count=key.sign_count,
            require_user_verification=True,
        )
    except (WebAuthnException, ValueError, KeyError, TypeError):
        raise _refused() from None
    counted = session.execute(
        update(Passkey)
        .where(Passkey.id == key.id, Passkey.sign_count == key.sign_count)
        .values(sign_count=proven.new_sign_count, last_used_at=now)
    )
    assert isinstance(counted, CursorResult)  # noqa: S101 - narrows the type for mypy
    user = (
        session.scalars(
            select(User)
            .where(User.id == key.user_id, User.active.is_(True))
            .options(joinedload(User.role_grants))
        )
        .unique()
        .first()
    )
    if counted.rowcount != 1 or user is None:
        raise _refused()
    return user


def _checked(name: str) -> str:
    text = name.strip()
    if not text or len(text) > NAME_LENGTH or not text.isprintable():
        raise DomainError(
            "name", lazy("Give the passkey a name of 1 to 60 characters."), field="name"
        )
    return text


def listed(session: Session, user_id: int) -> list[Passkey]:
    """One's passkeys, oldest first."""
    return list(
        session.scalars(select(Passkey).where(Passkey.user_id == user_id).order_by(Passkey.id))
    )


def _own(session: Session, actor: Actor, passkey_id: int) -> Passkey:
    key = found(session.get(Passkey, passkey_id))
    if key.user_id != actor.user_id:
        raise not_found()
    return key


def rename(session: Session, actor: Actor, passkey_id: int, name: str) -> None:
    """Call it otherwise. Raises NotFoundError, DomainError ``name``."""
    key = _own(session, actor, passkey_id)
    key.name = _checked(name)
    session.flush()


def remove(session: Session, actor: Actor, passkey_id: int) -> None:
    """It opens nothing any more. Raises NotFoundError."""
    session.delete(_own(session, actor, passkey_id))
    audit.record(session, actor, "passkey.remove", ("account", actor.user_id), passkey=passkey_id)
