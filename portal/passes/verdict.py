"""The verdict on a token: one reason, and claims only when the signature holds.

Order: prefix, structure, key, signature, time, community, revocation. The first that fails is the
reason. Where a pass may be used and how often is decided by the gate, not here.
"""

from collections.abc import Callable, Container
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from portal.core.i18n import lazy
from portal.passes.claims import PassClaims
from portal.passes.keys import KeySet
from portal.passes.token import MalformedError, NotAPassError, read

SKEW = timedelta(seconds=30)
"""How far clocks of signer and reader may be apart."""


class Reason(StrEnum):
    """Why a token was accepted or refused; a machine's word, kept stable."""

    OK = "ok"
    NOT_A_PASS = "not_a_pass"  # noqa: S105 - a reason, not a password
    MALFORMED = "malformed"
    UNKNOWN_KEY = "unknown_key"
    KEY_NOT_VALID = "key_not_valid"
    BAD_SIGNATURE = "bad_signature"
    NOT_YET_VALID = "not_yet_valid"
    EXPIRED = "expired"
    WRONG_COMMUNITY = "wrong_community"
    REVOKED = "revoked"


SENTENCES: dict[Reason, Any] = {
    Reason.OK: lazy("The pass is valid."),
    Reason.NOT_A_PASS: lazy("This code is not a pass of this system."),
    Reason.MALFORMED: lazy("The pass cannot be read: show it again, larger and brighter."),
    Reason.UNKNOWN_KEY: lazy("The pass is signed with a key that is not known here."),
    Reason.KEY_NOT_VALID: lazy("The key of this pass is not in use now: renew the pass."),
    Reason.BAD_SIGNATURE: lazy("The signature of the pass is wrong: it was altered or forged."),
    Reason.NOT_YET_VALID: lazy("The pass is not valid yet."),
    Reason.EXPIRED: lazy("The pass has expired: renew it."),
    Reason.WRONG_COMMUNITY: lazy("The pass belongs to another community."),
    Reason.REVOKED: lazy("The pass has been withdrawn: ask at the community office."),
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer. `claims` are trusted and given only when the signature holds.

    `key_id` is what the token names, known or not; None when it could not be read.
    """

    reason: Reason
    claims: PassClaims | None = None
    key_id: bytes | None = None

    @property
    def ok(self) -> bool:
        """Whether the pass is valid."""
        return self.reason is Reason.OK

    @property
    def sentence(self) -> str:
        """The reason as a translated sentence."""
        return str(SENTENCES[self.reason])


def verify(
    token: str,
    keys: KeySet,
    now: datetime,
    *,
    skew: timedelta = SKEW,
    issuer: str | None = None,
    revoked: Container[bytes] | Callable[[PassClaims], bool] = (),
) -> Verdict:
    """Judge a token at `now` (aware). No token makes it raise; a naive `now` is a ValueError.

    `issuer` is the one community accepted; None accepts each that the signing key may sign for.
    `revoked` is a set of pass ids, or asks about the claims of a pass.
    """
    if now.tzinfo is None:
        raise ValueError("the present time needs its zone")
    try:
        signed = read(token)
    except NotAPassError:
        return Verdict(Reason.NOT_A_PASS)
    except MalformedError:
        return Verdict(Reason.MALFORMED)
    key = keys.find(signed.key_id)
    if key is None:
        return Verdict(Reason.UNKNOWN_KEY, None, signed.key_id)
    if not key.valid_at(now, skew):
        return Verdict(Reason.KEY_NOT_VALID, None, signed.key_id)
    if not key.key.verify(signed.signature, signed.signed):
        return Verdict(Reason.BAD_SIGNATURE, None, signed.key_id)
    claims = signed.claims
    community_fits = key.may_sign_for(claims.issuer) and issuer in (None, claims.issuer)
    return Verdict(
        _judge(claims, now, skew, community_fits=community_fits, revoked=revoked),
        claims,
        signed.key_id,
    )


def _judge(
    claims: PassClaims,
    now: datetime,
    skew: timedelta,
    *,
    community_fits: bool,
    revoked: Container[bytes] | Callable[[PassClaims], bool],
) -> Reason:
    if now + skew < claims.not_before:
        return Reason.NOT_YET_VALID
    if now - skew >= claims.expires_at:
        return Reason.EXPIRED
    if not community_fits:
        return Reason.WRONG_COMMUNITY
    withdrawn = revoked(claims) if callable(revoked) else claims.pass_id in revoked
    return Reason.REVOKED if withdrawn else Reason.OK
