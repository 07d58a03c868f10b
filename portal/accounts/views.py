"""The pages of accounts, all on one blueprint."""

from __future__ import annotations

from portal.accounts import (
    audit_views,
    factor_views,
    join_views,
    passkey_views,
    phone_views,
    self_views,
    staff_views,
)
from portal.accounts.pages import blueprint

__all__ = [
    "audit_views",
    "blueprint",
    "factor_views",
    "join_views",
    "passkey_views",
    "phone_views",
    "self_views",
    "staff_views",
]
