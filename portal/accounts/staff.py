"""Accounts of staff, as system administrators keep them: invited, disabled, asked for new secrets.

::

    invited ──accept, once, in time──► account without a role ──grant (roles.py)──► at work
       │ revoke, or 3 days pass            │        ▲
       ▼                                   ▼        │ enable
     gone                               disabled ───┘     (by hand, or dormant: upkeep.py)

Nobody but the invited ever knows a password: the link lets them set name, password and second factor. A link
for an existing account sets password and second factor anew, for who has lost them.
"""

from __future__ import annotations

import secrets
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import CursorResult, select, update
from sqlalchemy.orm import Session, joinedload, selectinload

from portal.accounts import factors, sessions
from portal.accounts.models import Invitation, User
from portal.accounts.operations import create_staff
from portal.accounts.passwords import hash_password, weakness
from portal.core import audit
from portal.core.errors import ConflictError, DomainError
from portal.core.i18n import lazy
from portal.core.permissions import SYSTEM, Actor, Permission, Role, found, not_found, require
from portal.regions.models import Region

LINK_LASTS: Final = timedelta(days=3)
NOTE_LENGTH: Final = 60


@dataclass(frozen=True, slots=True)
class Invited:
    """A new invitation; ``token`` is for its link and kept nowhere."""

    id: int
    token: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Acceptance:
    """What the invited person sets. ``secret`` is base 32, ``code`` proves that the phone has it."""

    username: str
    display_name: str
    password: str
    secret: str
    code: str


def reaches(actor: Actor, permission: Permission, user: User, session: Session) -> Region:
    """Where the permission holds of the account's regions: its own and those of its roles.

    Raises:
        NotFoundError: none of them is the actor's; ForbiddenError: the actor's role is too weak.
    """
    ids = {row.region_id for row in user.role_grants}
    if user.region_id is not None:
        ids.add(user.region_id)
    regions = session.scalars(select(Region).where(Region.id.in_(ids))).all()
    known = [region for region in regions if actor.knows(region.path)]
    if not known:
        raise not_found()
    for region in known:
        if actor.may(permission, region.path):
            return region
    require(actor, permission, known[0].path)
    return known[0]


def invite(
    session: Session,
    actor: Actor,
    region_id: int,
    note: str,
    now: datetime,
    *,
    role: Role | None = None,
) -> Invited:
    """Make a one-time link for a new account that belongs to a region.

    Args:
        note: whom it is for, as the list of open invitations shows it.
        role: given with the account; only the command line (``SYSTEM``) may, for the first administrators.

    Raises:
        NotFoundError, ForbiddenError: the region is not the actor's, or the actor invites nobody.
        DomainError: ``note``.
    """
    region = found(session.get(Region, region_id))
    if actor is not SYSTEM:
        require(actor, Permission.ACCOUNT_MANAGE, region.path)
        role = None
    if not note.strip() or len(note) > NOTE_LENGTH or not note.strip().isprintable():
        raise DomainError(
            "note", lazy("Say whom it is for, in 1 to 60 characters on one line."), field="note"
        )
    return _make(session, actor, region, note.strip(), now, role=role, user_id=None)


def renew(session: Session, actor: Actor, user_id: int, now: datetime) -> Invited:
    """Make a link with which an account gets a new password and second factor. Its sessions end.

    Raises:
        NotFoundError, ForbiddenError, as :func:`disable`.
    """
    user = _managed(session, actor, user_id)
    region = (
        found(session.get(Region, user.region_id))
        if actor is SYSTEM
        else reaches(actor, Permission.ACCOUNT_MANAGE, user, session)
    )
    session.execute(
        update(Invitation)
        .where(Invitation.user_id == user_id, Invitation.accepted_at.is_(None))
        .values(revoked_at=now)
    )
    sessions.end_all(session, user_id, now, "disabled")
    return _make(session, actor, region, "", now, role=None, user_id=user_id)


def _make(
    session: Session,
    actor: Actor,
    region: Region,
    note: str,
    now: datetime,
    *,
    role: Role | None,
    user_id: int | None,
) -> Invited:
    token = secrets.token_urlsafe(32)
    row = Invitation(
        digest=sessions.digest_of(token),
        note=note or None,
        region_id=region.id,
        role=role.value if role else None,
        user_id=user_id,
        invited_by=actor.user_id,
        created_at=now,
        expires_at=now + LINK_LASTS,
    )
    session.add(row)
    session.flush()
    audit.record(
        session,
        actor,
        "account.renew" if user_id else "account.invite",
        ("account", user_id) if user_id else ("invitation", row.id),
        path=region.path,
        role=role.value if role else None,
    )
    return Invited(row.id, token, row.expires_at)


def invitation_of(session: Session, token: str, now: datetime) -> Invitation:
    """The open invitation behind a link.

    Raises:
        NotFoundError: there is none, or it was used, taken back or has lapsed: all look the same.
    """
    row = session.scalars(
        select(Invitation)
        .where(
            Invitation.digest == sessions.digest_of(token[:200]),
            Invitation.accepted_at.is_(None),
            Invitation.revoked_at.is_(None),
            Invitation.expires_at > now,
        )
        .options(joinedload(Invitation.region))
    ).first()
    return found(row)


def accept(
    session: Session,
    token: str,
    wanted: Acceptance,
    now: datetime,
    moment: datetime,
    *,
    classes: int = 0,
) -> tuple[User, list[str]]:
    """Make the account, or give an existing one new secrets; returns it and its recovery codes.

    Args:
        moment: by the clock that the phone has too, for its code.

    Raises:
        NotFoundError: see :func:`invitation_of`.
        DomainError: ``bad_username``, ``display_name``, ``weak``, ``bad_code`` with the field.
        ConflictError: ``name_taken``; ``used``: somebody used the link at the same moment.
    """
    row = invitation_of(session, token, now)
    fault = weakness(wanted.password, wanted.username, wanted.display_name, classes=classes)
    if fault is not None:
        raise DomainError("weak", fault, field="password")
    if factors.counter_of(wanted.secret, wanted.code, moment) is None:
        raise DomainError(
            "bad_code",
            lazy("This code is not right or not valid any more. Enter the next one."),
            field="code",
        )
    taken = session.execute(
        update(Invitation)
        .where(
            Invitation.id == row.id,
            Invitation.accepted_at.is_(None),
            Invitation.revoked_at.is_(None),
        )
        .values(accepted_at=now)
    )
    assert isinstance(taken, CursorResult)  # noqa: S101 - narrows the type for mypy
    if taken.rowcount != 1:
        raise ConflictError("used", lazy("This link was used already. Ask for a new one."))
    user = (
        _new_account(session, row, wanted, now)
        if row.user_id is None
        else _renewed(session, row, wanted, now)
    )
    actor = sessions.actor_label(user)
    codes = factors.set_authenticator(session, actor, user, wanted.secret, wanted.code, now, moment)
    audit.record(
        session,
        actor,
        "account.accept",
        ("account", user.id),
        path=row.region.path,
        invitation=row.id,
    )
    return user, codes


def _new_account(session: Session, row: Invitation, wanted: Acceptance, now: datetime) -> User:
    name = wanted.display_name.strip()
    if not name or len(name) > 40 or not name.isprintable():
        raise DomainError(
            "display_name",
            lazy("Enter your name, in 1 to 40 characters on one line."),
            field="display_name",
        )
    user = create_staff(
        session,
        username=wanted.username,
        password=wanted.password,
        roles=[(Role(row.role), row.region_id)] if row.role else [],
        now=now,
    )
    user.display_name = name
    user.region_id = row.region_id
    user.password_changed_at = now
    session.flush()
    return user


def _renewed(session: Session, row: Invitation, wanted: Acceptance, now: datetime) -> User:
    user = found(session.get(User, row.user_id))
    user.password = hash_password(wanted.password)
    user.password_changed_at = now
    user.must_change_password = False
    session.flush()
    sessions.end_all(session, user.id, now, "password")
    return user


def revoke(session: Session, actor: Actor, invitation_id: int, now: datetime) -> bool:
    """Take an invitation back; ``False`` when it was used or taken back before.

    Raises:
        NotFoundError, ForbiddenError: it is not in the actor's subtree, or not for the actor to say.
    """
    row = found(session.get(Invitation, invitation_id))
    require(actor, Permission.ACCOUNT_MANAGE, row.region.path)
    changed = session.execute(
        update(Invitation)
        .where(
            Invitation.id == invitation_id,
            Invitation.accepted_at.is_(None),
            Invitation.revoked_at.is_(None),
        )
        .values(revoked_at=now)
    )
    assert isinstance(changed, CursorResult)  # noqa: S101 - narrows the type for mypy
    if changed.rowcount != 1:
        return False
    audit.record(
        session,
        actor,
        "account.revoke_invitation",
        ("invitation", invitation_id),
        path=row.region.path,
    )
    return True


def _managed(session: Session, actor: Actor, user_id: int) -> User:
    """An account of staff that the actor may change."""
    user = found(
        session.scalars(
            select(User).where(User.id == user_id).options(selectinload(User.role_grants))
        ).first()
    )
    if user.resident_id is not None:
        raise not_found()
    if actor is not SYSTEM:
        reaches(actor, Permission.ACCOUNT_MANAGE, user, session)
        if user.id == actor.user_id:
            raise ConflictError(
                "own_account", lazy("Not on your own account. Ask another administrator.")
            )
    return user


def _set_active(
    session: Session, actor: Actor, user_id: int, now: datetime, *, active: bool
) -> bool:
    user = _managed(session, actor, user_id)
    changed = session.execute(
        update(User)
        .where(User.id == user_id, User.active.is_(not active))
        .values(
            active=active,
            active_changed_at=now,
            disabled_reason="" if active else "by_hand",
            fs_uniquifier=uuid.uuid4().hex,
        )
    )
    assert isinstance(changed, CursorResult)  # noqa: S101 - narrows the type for mypy
    if changed.rowcount != 1:
        return False
    sessions.end_all(session, user_id, now, "disabled")
    region = session.get(Region, user.region_id) if user.region_id else None
    audit.record(
        session,
        actor,
        "account.enable" if active else "account.disable",
        ("account", user_id),
        path=region.path if region else "",
    )
    return True


def disable(session: Session, actor: Actor, user_id: int, now: datetime) -> bool:
    """Shut an account at once, its sessions too; ``False`` when it was.

    Raises:
        NotFoundError: no such account of staff in the actor's subtree.
        ForbiddenError: the actor does not keep accounts; ConflictError: ``own_account``.
    """
    return _set_active(session, actor, user_id, now, active=False)


def enable(session: Session, actor: Actor, user_id: int, now: datetime) -> bool:
    """Open it again; raises as :func:`disable`."""
    return _set_active(session, actor, user_id, now, active=True)


def require_new_password(session: Session, actor: Actor, user_id: int, now: datetime) -> None:
    """At the next click, the person has to choose a new password; raises as :func:`disable`."""
    user = _managed(session, actor, user_id)
    user.must_change_password = True
    session.flush()
    audit.record(session, actor, "account.require_password", ("account", user_id))
