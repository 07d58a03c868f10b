"""Every reason of a passage as a translated sentence, with the next step where there is one."""

from __future__ import annotations

from typing import Any, Final

from portal.access.decision import Reason
from portal.core.i18n import _, lazy

SENTENCES: Final[dict[Reason, Any]] = {
    Reason.OK: lazy("Let through."),
    Reason.STALE_SCAN: lazy("The scan reached the portal too late: show the code again."),
    Reason.NOT_A_PASS: lazy("This code is not a pass of this system."),
    Reason.MALFORMED: lazy("The pass cannot be read: show it again, larger and brighter."),
    Reason.UNKNOWN_KEY: lazy("The pass is signed with a key that is not known here."),
    Reason.KEY_NOT_VALID: lazy("The key of this pass is not in use now: renew the pass."),
    Reason.BAD_SIGNATURE: lazy("The signature of the pass is wrong: it was altered or forged."),
    Reason.NOT_YET_VALID: lazy("The pass is not valid yet."),
    Reason.EXPIRED: lazy("The pass has expired: renew it."),
    Reason.WRONG_COMMUNITY: lazy("The pass belongs to another community."),
    Reason.GATE_DISABLED: lazy("This gate is out of use: take another one."),
    Reason.UNKNOWN_PASS: lazy("The pass is not on record: ask at the community office."),
    Reason.REVOKED: lazy("The pass has been withdrawn: ask at the community office."),
    Reason.OUT_OF_SCOPE: lazy("The pass is not for this gate."),
    Reason.WRONG_BUILDING: lazy("The pass is for another building."),
    Reason.USED_UP: lazy("The pass has been used: ask for a new invitation."),
    Reason.REPLAYED: lazy("This code was used here already: wait for the next one."),
    Reason.TURNED_AWAY: lazy("Turned away by the gatekeeper."),
}


def sentence(reason: str) -> str:
    """The sentence for a stored reason, in the language of the request.

    Gates that decided while offline may have reasons of their own; those are shown as they are.
    """
    try:
        return str(SENTENCES[Reason(reason)])
    except ValueError:
        return str(_("Decided by the device: %(reason)s", reason=reason))
