"""Failed attempts to sign in, as pages count them: lock-out of name and address, an entry in the audit."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from flask import request

from portal.accounts import lockouts, sessions
from portal.accounts.models import User
from portal.core import audit
from portal.core.actors import NOBODY
from portal.core.i18n import ngettext
from portal.core.protected import find_hash
from portal.services import current_services

SHOWN_OF_A_HASH: Final = 12
"""Digits of a keyed hash in the audit: enough to see that two attempts came from the same place."""


def address() -> str:
    """Where the request comes from; the proxy's word counts as far as proxies are trusted."""
    return request.remote_addr or "?"


def wait_for(sign_in_hash: str) -> timedelta | None:
    """How long the next attempt has to wait; ``None`` when it need not."""
    services = current_services()
    now = services.clock()
    keys = [lockouts.account_key(sign_in_hash), lockouts.address_key(address())]
    with services.db.read() as session:
        until = lockouts.locked_until(session, keys, now)
    return until - now if until is not None else None


def please_wait(wait: timedelta) -> str:
    """The sentence for who has to wait."""
    minutes = max(1, -(-int(wait.total_seconds()) // 60))
    sentence: str = ngettext(
        "Too many wrong attempts. Wait %(num)s minute and try again.",
        "Too many wrong attempts. Wait %(num)s minutes and try again.",
        minutes,
    )
    return sentence


def failed(sign_in_hash: str, user: User | None, why: str) -> None:
    """Count a failure for name and address, and write it down."""
    services = current_services()
    now = services.clock()
    with services.db.write() as session:
        locked = lockouts.failed(session, lockouts.account_key(sign_in_hash), now)
        lockouts.failed(session, lockouts.address_key(address()), now)
        audit.record(
            session,
            sessions.actor_label(user) if user is not None else NOBODY,
            "sign_in.fail",
            ("account", user.id if user is not None else sign_in_hash[:SHOWN_OF_A_HASH]),
            result=why,
            source=find_hash(address(), "address")[:SHOWN_OF_A_HASH],
            locked=locked is not None,
        )


def succeeded(user: User) -> None:
    """The name's failures are forgotten."""
    services = current_services()
    key = lockouts.account_key(user.sign_in_hash)
    with services.db.write() as session:
        lockouts.forget(session, key)
