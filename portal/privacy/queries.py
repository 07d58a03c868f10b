"""Reading consents: what a person has agreed to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.privacy.models import Consent, ConsentText


@dataclass(frozen=True, slots=True)
class Agreed:
    """One consent with the text as it was read. ``language`` is the text's."""

    title: str
    body: str
    language: str
    version: int
    given_at: datetime


def consents_of(session: Session, resident_id: int) -> Sequence[Agreed]:
    """A resident's consents, the newest first."""
    rows = session.execute(
        select(Consent.given_at, ConsentText)
        .join(ConsentText, Consent.text_id == ConsentText.id)
        .where(Consent.resident_id == resident_id)
        .order_by(Consent.id.desc())
    )
    return [
        Agreed(text.title, text.body, text.language, text.version, given_at)
        for given_at, text in rows
    ]
