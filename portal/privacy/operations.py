"""Consent texts are published in versions; a consent names the version, the way and the moment (PIPL art. 14, 17)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.core.errors import DomainError
from portal.core.i18n import lazy
from portal.privacy.models import Consent, ConsentText
from portal.privacy.texts import REGISTRATION, REGISTRATION_TEXTS


def _digest(title: str, body: str) -> str:
    return hashlib.sha256(f"{title}\n\n{body}".encode()).hexdigest()


def publish(
    session: Session, purpose: str, texts: Mapping[str, tuple[str, str]], now: datetime
) -> int:
    """Publish a version of a purpose's text in all its languages; the same texts again change nothing.

    Args:
        texts: language → (title, body).

    Returns:
        The version that is in force now.
    """
    newest = session.scalar(
        select(func.max(ConsentText.version)).where(ConsentText.purpose == purpose)
    )
    wanted = {language: _digest(*text) for language, text in texts.items()}
    if newest is not None:
        rows = session.execute(
            select(ConsentText.language, ConsentText.sha256).where(
                ConsentText.purpose == purpose, ConsentText.version == newest
            )
        )
        if {row.language: row.sha256 for row in rows} == wanted:
            return newest
    version = (newest or 0) + 1
    for language, (title, body) in texts.items():
        session.add(
            ConsentText(
                purpose=purpose,
                version=version,
                language=language,
                title=title,
                body=body,
                sha256=wanted[language],
                published_at=now,
            )
        )
    session.flush()
    return version


def publish_defaults(session: Session, now: datetime) -> None:
    """Publish the texts that come with the program where a purpose has none yet."""
    has_any = session.scalar(
        select(ConsentText.id).where(ConsentText.purpose == REGISTRATION).limit(1)
    )
    if has_any is None:
        publish(session, REGISTRATION, REGISTRATION_TEXTS, now)


def current_text(session: Session, purpose: str, language: str) -> ConsentText | None:
    """The text in force in this language, else in Chinese; ``None`` before anything was published."""
    newest = (
        select(func.max(ConsentText.version))
        .where(ConsentText.purpose == purpose)
        .scalar_subquery()
    )
    texts = session.scalars(
        select(ConsentText).where(ConsentText.purpose == purpose, ConsentText.version == newest)
    ).all()
    by_language = {text.language: text for text in texts}
    return by_language.get(language) or by_language.get("zh_Hans_CN")


def record_consent(
    session: Session, *, resident_id: int, text_id: int, channel: str, given_at: datetime
) -> Consent:
    """Write down that a person agreed to a text.

    Args:
        channel: how: ``web``, ``paper``, ``staff``.

    Raises:
        DomainError: ``unknown_text``.
    """
    text = session.get(ConsentText, text_id)
    if text is None:
        raise DomainError(
            "unknown_text", lazy("The text you agreed to is gone. Read it again, please.")
        )
    consent = Consent(
        resident_id=resident_id,
        text_id=text.id,
        purpose=text.purpose,
        version=text.version,
        channel=channel,
        given_at=given_at,
    )
    session.add(consent)
    return consent
