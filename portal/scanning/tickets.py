"""What a look at a code hands to the act that follows it: sealed, so that the page cannot change it.

The code itself travels in the ticket, encrypted; neither page nor address shows it. A ticket belongs to
one member of staff, gate and visit. How old it may be is the decision's business.
"""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Final

from portal.core.crypto.envelope import EnvelopeError
from portal.core.errors import DomainError
from portal.core.i18n import lazy
from portal.core.protected import seal, unseal

CONTEXT: Final = "scanning.ticket"


@dataclass(frozen=True, slots=True)
class Ticket:
    """A code that this user read at this gate at that moment (ISO 8601, by the portal's clock)."""

    code: str
    gate_id: int
    user_id: int
    visit: str
    seen_at: str

    @property
    def read_at(self) -> datetime:
        """The moment, aware."""
        return datetime.fromisoformat(self.seen_at)


def write(ticket: Ticket) -> str:
    """The ticket as text for a form."""
    sealed = seal(json.dumps(asdict(ticket)), CONTEXT)
    return base64.urlsafe_b64encode(sealed).decode("ascii")


def read(text: str, user_id: int | None) -> Ticket:
    """The ticket that this user was given.

    Raises:
        DomainError: ``bad_ticket``: altered, of another installation or of somebody else.
    """
    try:
        ticket = Ticket(**json.loads(unseal(base64.urlsafe_b64decode(text), CONTEXT)))
    except (EnvelopeError, binascii.Error, ValueError, TypeError):
        ticket = None
    if ticket is None or ticket.user_id != user_id:
        raise DomainError("bad_ticket", lazy("This card is not valid. Scan the code again."))
    return ticket
