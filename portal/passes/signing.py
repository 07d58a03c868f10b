"""The installation's signing keys: made at first need, renewed in time, loaded as a key set.

Codes name their key, so several keys are valid side by side::

    not_before ........ signs codes ........ | only checks codes | not_after
                                             └ RENEW_BEFORE ┘

A key signs only codes that end before it does. Keys name no community: the installation signs for
all of its communities, and whoever reads says which it accepts.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.core.crypto.signing import SigningKey, VerifyKey
from portal.core.errors import ConflictError
from portal.core.i18n import lazy
from portal.passes.keys import KeySet, PassKey
from portal.passes.models import SigningKeyRow

KEY_LIFE: Final = timedelta(days=400)
RENEW_BEFORE: Final = timedelta(days=35)
"""A newer key takes over this long before a key ends."""
LONGEST_CODE: Final = timedelta(days=30)
"""No code is valid for longer than this, so that every code ends before its key."""
EARLY: Final = timedelta(minutes=5)
"""A new key counts from a little earlier, for readers whose clocks are behind."""


def ensure_key(session: Session, now: datetime) -> bool:
    """Make a signing key when none lasts long enough any more. Needs a write transaction.

    Two processes may each make one at the same moment; both are valid, the newer one signs.

    Returns:
        Whether a key was made.
    """
    if _newest(session, now, now + RENEW_BEFORE) is not None:
        return False
    key = SigningKey.generate()
    session.add(
        SigningKeyRow(
            kid=key.key_id.hex(),
            public=key.public.raw.hex(),
            private=key.private_bytes().hex(),
            not_before=now - EARLY,
            not_after=now + KEY_LIFE,
            created_at=now,
        )
    )
    session.flush()
    return True


def signing_key(session: Session, now: datetime, until: datetime) -> SigningKey:
    """The newest key that counts from now until the end of a code.

    Raises:
        ConflictError: there is none; the worker makes new ones in time, issuing a pass does too.
    """
    row = _newest(session, now, until)
    if row is None:
        raise ConflictError(
            "no_signing_key", lazy("Codes cannot be signed right now. Try again in a minute.")
        )
    return SigningKey.from_private_bytes(bytes.fromhex(row.private))


def load_keyset(session: Session, known: Mapping[bytes, PassKey] | None = None) -> KeySet:
    """Every public key there is, ended ones too: a verdict says why one does not count.

    Args:
        known: keys by id read before, to be taken over instead of being built again.
    """
    known = known or {}
    rows = session.execute(
        select(
            SigningKeyRow.kid,
            SigningKeyRow.public,
            SigningKeyRow.not_before,
            SigningKeyRow.not_after,
        )
    )
    return KeySet(
        known.get(bytes.fromhex(row.kid))
        or PassKey(VerifyKey(bytes.fromhex(row.public)), None, row.not_before, row.not_after)
        for row in rows
    )


def _newest(session: Session, now: datetime, until: datetime) -> SigningKeyRow | None:
    return session.scalars(
        select(SigningKeyRow)
        .where(SigningKeyRow.not_before <= now, SigningKeyRow.not_after >= until)
        .order_by(SigningKeyRow.not_before.desc(), SigningKeyRow.kid)
        .limit(1)
    ).first()
