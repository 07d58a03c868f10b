"""Tokens for machines: made once, shown once, scoped to permissions and a region, always expiring."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select, update
from sqlalchemy.orm import Session, joinedload

from portal.accounts.models import ApiToken
from portal.core import audit
from portal.core.errors import DomainError
from portal.core.i18n import lazy
from portal.core.permissions import Actor, Grant, Permission, found
from portal.regions.models import Region

PREFIX: Final = "linli_"
LONGEST: Final = timedelta(days=730)
SEEN_EVERY: Final = timedelta(minutes=5)
"""How often the time of last use is written."""


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """A new token; ``text`` is not kept anywhere."""

    id: int
    text: str
    expires_at: datetime


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def create_token(
    session: Session,
    actor: Actor,
    *,
    name: str,
    permissions: Iterable[Permission],
    region: Region,
    now: datetime,
    lifetime: timedelta = timedelta(days=365),
) -> IssuedToken:
    """Make a token. The caller has checked that the actor may.

    Raises:
        DomainError: no name, no permission, or a lifetime of nothing or above two years.
    """
    chosen = sorted(set(permissions))
    if not name.strip() or len(name) > 80:
        raise DomainError(
            "name", lazy("Give the token a name of 1 to 80 characters."), field="name"
        )
    if not chosen:
        raise DomainError(
            "permissions", lazy("Choose at least one permission."), field="permissions"
        )
    if not timedelta() < lifetime <= LONGEST:
        raise DomainError(
            "lifetime", lazy("A token lasts from one day to two years."), field="lifetime"
        )
    text = PREFIX + secrets.token_urlsafe(32)
    token = ApiToken(
        name=name.strip(),
        digest=_digest(text),
        permissions=[str(p) for p in chosen],
        region_id=region.id,
        created_at=now,
        expires_at=now + lifetime,
    )
    session.add(token)
    session.flush()
    audit.record(
        session,
        actor,
        "token.create",
        ("token", token.id),
        path=region.path,
        permissions=[str(p) for p in chosen],
    )
    return IssuedToken(token.id, text, token.expires_at)


def authenticate(session: Session, text: str, now: datetime) -> Actor | None:
    """The actor a token stands for; ``None`` when it is unknown, expired or revoked."""
    if not text.startswith(PREFIX) or len(text) > 200:
        return None
    token = session.scalar(
        select(ApiToken)
        .where(ApiToken.digest == _digest(text))
        .options(joinedload(ApiToken.region))
    )
    if token is None or token.revoked_at is not None or token.expires_at <= now:
        return None
    known = {str(p): p for p in Permission}
    permissions = frozenset(known[p] for p in token.permissions if p in known)
    return Actor(
        label=f"token:{token.id}",
        token_id=token.id,
        grants=(Grant(token.region.path, permissions),),
    )


def seen(session: Session, token_id: int, now: datetime) -> None:
    """Note that a token is in use, at most every few minutes."""
    session.execute(
        update(ApiToken)
        .where(
            ApiToken.id == token_id,
            (ApiToken.last_used_at.is_(None)) | (ApiToken.last_used_at < now - SEEN_EVERY),
        )
        .values(last_used_at=now)
    )


def needs_seen(session: Session, token_id: int, now: datetime) -> bool:
    """Whether :func:`seen` would write; spares the write lock."""
    last = session.scalar(select(ApiToken.last_used_at).where(ApiToken.id == token_id))
    return last is None or last < now - SEEN_EVERY


def list_tokens(session: Session) -> list[ApiToken]:
    """Every token, newest first."""
    return list(
        session.scalars(
            select(ApiToken).options(joinedload(ApiToken.region)).order_by(ApiToken.id.desc())
        )
    )


def revoke_token(session: Session, actor: Actor, token_id: int, now: datetime) -> bool:
    """Stop a token at once. Returns ``False`` when it was revoked already.

    Raises:
        NotFoundError: there is no such token.
    """
    token = found(session.get(ApiToken, token_id))
    if token.revoked_at is not None:
        return False
    token.revoked_at = now
    audit.record(session, actor, "token.revoke", ("token", token_id))
    return True
