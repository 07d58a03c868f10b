"""Passes are issued, shown and withdrawn (A4, B5).

Three kinds of codes:

* *Short-lived* (residents, staff, whoever may pass any number of times): signed for a minute, renewed
  by the page, let through once per gate, so that a photograph of a screen opens nothing later.
* *Offline* (residents): signed for some minutes and kept by the phone, which shows it only while it has no
  network; let through once per gate as well. See ``adr/0002-a-code-for-when-there-is-no-network.md``.
* *Lasting* (passes with a number of uses, cards): one code until the pass ends; the use count of the
  pass row is what stops a copy.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import ColumnElement, CursorResult, select, update
from sqlalchemy.orm import Session

from portal.core.errors import ConflictError, DomainError
from portal.core.i18n import lazy
from portal.core.permissions import found
from portal.passes.claims import PassClaims
from portal.passes.claims import PassKind as ClaimedKind
from portal.passes.models import Pass, PassKind
from portal.passes.signing import LONGEST_CODE, ensure_key, load_keyset, signing_key
from portal.passes.token import issue
from portal.regions.models import Dwelling, Region, Unit

__all__ = [
    "RESIDENT_LIFE",
    "ShownCode",
    "issue_resident_pass",
    "issue_visitor_pass",
    "load_keyset",
    "replayable",
    "revoke",
    "revoke_of_resident",
    "show_code",
]

RESIDENT_LIFE: Final = timedelta(days=3650)
"""A resident's pass ends with the residency; this is its outer bound."""


@dataclass(frozen=True, slots=True)
class ShownCode:
    """A code for a screen: the text of the QR code and when it stops being valid."""

    token: str
    expires_at: datetime


def replayable(kind: str, max_uses: int) -> bool:
    """Whether the codes of such a pass are lasting ones, to be shown more than once at a gate."""
    return max_uses > 0 or kind == PassKind.CARD


def issue_resident_pass(
    session: Session, resident_id: int, dwelling_id: int, now: datetime
) -> Pass:
    """Give a resident the pass of their dwelling; one that is valid already is kept.

    Raises:
        NotFoundError: there is no such dwelling.
    """
    community_id, building_id = _place(session, dwelling_id)
    ensure_key(session, now)
    existing = session.scalars(
        select(Pass).where(
            Pass.resident_id == resident_id,
            Pass.dwelling_id == dwelling_id,
            Pass.kind == PassKind.RESIDENT,
            Pass.revoked_at.is_(None),
            Pass.not_after > now,
        )
    ).first()
    if existing is not None:
        return existing
    return _add(
        session,
        community_id=community_id,
        kind=PassKind.RESIDENT,
        resident_id=resident_id,
        dwelling_id=dwelling_id,
        building_id=building_id,
        not_before=now,
        not_after=now + RESIDENT_LIFE,
        max_uses=0,
        now=now,
    )


def issue_visitor_pass(
    session: Session,
    *,
    resident_id: int,
    dwelling_id: int,
    valid_from: datetime,
    valid_until: datetime,
    now: datetime,
    max_uses: int = 1,
    scope: Sequence[int] = (),
) -> Pass:
    """Give a visitor of a dwelling a pass for a time and a number of uses.

    Args:
        resident_id: the resident who invites.
        max_uses: passages allowed, at least 1.
        scope: gate ids; empty means the gates the dwelling's residents go through.

    Raises:
        DomainError: the time is over, ends before it begins, or is longer than a code may last.
        NotFoundError: there is no such dwelling.
    """
    if max_uses < 1:
        raise ValueError("a visitor's pass has a number of uses")
    if valid_until <= max(valid_from, now):
        raise DomainError(
            "ends_before_it_begins",
            lazy("The visit must end after it begins, and not in the past."),
            field="valid_until",
        )
    if valid_until - now > LONGEST_CODE:
        raise DomainError(
            "visit_too_long",
            lazy("A visit may end at most 30 days from now."),
            field="valid_until",
        )
    community_id, building_id = _place(session, dwelling_id)
    ensure_key(session, now)
    return _add(
        session,
        community_id=community_id,
        kind=PassKind.VISITOR,
        resident_id=resident_id,
        dwelling_id=dwelling_id,
        building_id=building_id,
        not_before=valid_from,
        not_after=valid_until,
        max_uses=max_uses,
        scope=list(scope),
        now=now,
    )


def show_code(
    session: Session, pass_id: str, now: datetime, seconds: int, *, offline: bool = False
) -> ShownCode:
    """Sign a code for a pass, with an id of its own.

    Only reads the database. The caller has checked whose pass it is.

    Args:
        seconds: life of a short-lived code; lasting codes live until the pass ends.
        offline: mark the code as one that a phone keeps.

    Raises:
        NotFoundError: there is no such pass.
        ConflictError: the pass is withdrawn, over or used up, its community has no unified social
            credit code, or no signing key is there.
    """
    row = found(session.get(Pass, pass_id))
    _require_alive(row, now)
    issuer = session.scalar(select(Region.uscc).where(Region.id == row.community_id))
    if not issuer:
        raise ConflictError(
            "community_without_code",
            lazy("The community has no unified social credit code yet. Ask your administrator."),
        )
    if replayable(row.kind, row.max_uses):
        begins, ends = row.not_before, min(row.not_after, now + LONGEST_CODE)
    else:
        begins, ends = now, min(row.not_after, now + timedelta(seconds=seconds))
    key = signing_key(session, now, ends)
    claims = PassClaims(
        issuer=issuer,
        pass_id=bytes.fromhex(row.id),
        kind=ClaimedKind.from_word(row.kind),
        issued_at=now,
        not_before=begins,
        expires_at=ends,
        scope=tuple(row.scope),
        use_limit=row.max_uses,
        offline=offline,
    )
    return ShownCode(issue(claims, key), claims.expires_at)


def revoke(session: Session, pass_id: str, now: datetime, reason: str) -> bool:
    """Withdraw a pass; takes effect with the next scan.

    Args:
        reason: a code such as ``moved_out``; never a text about a person.

    Returns:
        Whether it was valid until now.
    """
    return _revoke(session, Pass.id == pass_id, now, reason) == 1


def revoke_of_resident(session: Session, resident_id: int, now: datetime, reason: str) -> int:
    """Withdraw every pass of a resident, those of their visitors too; returns how many."""
    return _revoke(session, Pass.resident_id == resident_id, now, reason)


def _revoke(session: Session, which: ColumnElement[bool], now: datetime, reason: str) -> int:
    result = session.execute(
        update(Pass)
        .where(which, Pass.revoked_at.is_(None))
        .values(revoked_at=now, revoked_reason=reason)
    )
    assert isinstance(result, CursorResult)  # noqa: S101 - narrows the type for mypy
    return result.rowcount


def _require_alive(row: Pass, now: datetime) -> None:
    if row.revoked_at is not None:
        raise ConflictError(
            "revoked", lazy("The pass has been withdrawn: ask at the community office.")
        )
    if row.not_after <= now:
        raise ConflictError("expired", lazy("The pass is over."))
    if row.max_uses and row.uses >= row.max_uses:
        raise ConflictError("used_up", lazy("The pass has been used."))


def _place(session: Session, dwelling_id: int) -> tuple[int, int]:
    row = found(
        session.execute(
            select(Dwelling.community_id, Unit.building_id)
            .join(Unit, Dwelling.unit_id == Unit.id)
            .where(Dwelling.id == dwelling_id)
        ).first()
    )
    return row.community_id, row.building_id


def _add(
    session: Session,
    *,
    community_id: int,
    kind: PassKind,
    resident_id: int,
    dwelling_id: int,
    building_id: int,
    not_before: datetime,
    not_after: datetime,
    max_uses: int,
    now: datetime,
    scope: Sequence[int] = (),
) -> Pass:
    row = Pass(
        id=secrets.token_hex(16),
        community_id=community_id,
        kind=kind,
        resident_id=resident_id,
        dwelling_id=dwelling_id,
        building_id=building_id,
        scope=list(scope),
        not_before=not_before,
        not_after=not_after,
        max_uses=max_uses,
        created_at=now,
    )
    session.add(row)
    session.flush()
    return row
