"""Consent texts are versioned, a consent names the version."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from portal.core.errors import DomainError
from portal.privacy.models import Consent, ConsentText
from portal.privacy.operations import current_text, publish, publish_defaults, record_consent
from portal.privacy.texts import REGISTRATION, REGISTRATION_TEXTS
from tests.portal.cast import NOW, Town

NEWER = {"zh_Hans_CN": ("告知", "新的内容"), "en": ("Notice", "New words")}


def test_the_same_text_again_is_no_new_version(town: Town) -> None:
    with town.db.write() as session:
        assert publish(session, REGISTRATION, REGISTRATION_TEXTS, NOW) == 1
        publish_defaults(session, NOW)
        assert len(session.scalars(select(ConsentText)).all()) == 2


def test_a_changed_text_is_the_next_version_and_old_ones_stay(town: Town) -> None:
    with town.db.write() as session:
        old = current_text(session, REGISTRATION, "en")
        assert publish(session, REGISTRATION, NEWER, NOW + timedelta(days=1)) == 2
        new = current_text(session, REGISTRATION, "en")
        assert old is not None
        assert new is not None
        assert (new.version, new.body) == (2, "New words")
        assert session.get(ConsentText, old.id) is old
        publish_defaults(session, NOW + timedelta(days=2))
        assert current_text(session, REGISTRATION, "en") is new


def test_a_language_without_a_text_gets_the_chinese_one(town: Town) -> None:
    with town.db.read() as session:
        text = current_text(session, REGISTRATION, "fr")
        assert text is not None
        assert text.language == "zh_Hans_CN"
        assert current_text(session, "biometric", "en") is None


def test_a_consent_names_text_version_channel_and_moment(town: Town) -> None:
    with town.db.write() as session:
        text = current_text(session, REGISTRATION, "en")
        assert text is not None
        record_consent(
            session,
            resident_id=town.ids["resident"],
            text_id=text.id,
            channel="paper",
            given_at=NOW,
        )
    with town.db.read() as session:
        kept = session.scalars(
            select(Consent).where(
                Consent.resident_id == town.ids["resident"], Consent.channel == "paper"
            )
        ).one()
    assert (kept.purpose, kept.version, kept.given_at) == (REGISTRATION, 1, NOW)
    assert kept.withdrawn_at is None


def test_a_consent_to_nothing_is_refused(town: Town) -> None:
    with pytest.raises(DomainError) as refused, town.db.write() as session:
        record_consent(
            session,
            resident_id=town.ids["resident"],
            text_id=999,
            channel="web",
            given_at=NOW,
        )
    assert refused.value.code == "unknown_text"
