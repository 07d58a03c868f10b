"""Passkeys without a browser: where they count, challenges once, whose they are. With one: tests/browser."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from portal.accounts import passkeys
from portal.accounts.models import Passkey, PasskeyChallenge
from portal.accounts.passkeys import Site
from portal.core.errors import ConflictError, DomainError, NotFoundError
from tests.portal.cast import NOW, Town

SITE = Site("linli.example", "https://linli.example")


@pytest.mark.parametrize(
    ("public", "asked", "host", "origin"),
    [
        ("https://linli.example", "linli.example", "linli.example", "https://linli.example"),
        ("https://Linli.Example:8443", "x", "linli.example", "https://linli.example:8443"),
        ("http://127.0.0.1:8080", "localhost:8080", "localhost", "http://localhost:8080"),
        ("http://127.0.0.1:8080", "127.0.0.1:8080", None, None),
        ("http://127.0.0.1:8080", "evil.example:8080", None, None),
        ("http://192.168.1.5", "localhost", None, None),
        ("http://[::1]:8080", "localhost:8080", "localhost", "http://localhost:8080"),
    ],
)
def test_passkeys_count_where_the_portal_has_a_name(public, asked, host, origin) -> None:
    found = passkeys.site_of(public, asked)
    assert (found.host, found.origin) == (host, origin) if host else found is None


def add(town: Town, who: str, credential_id: str = "x") -> int:
    with town.db.write() as session:
        key = Passkey(
            user_id=town.ids[f"user:{who}"],
            credential_id=credential_id,
            public_key=b"x",
            name="phone",
            created_at=NOW,
        )
        session.add(key)
        session.flush()
        return key.id


def test_a_challenge_comes_back_once_and_in_time(town: Town) -> None:
    with town.db.write() as session:
        _, challenge = passkeys.sign_in_options(session, SITE, NOW)
        _, late = passkeys.sign_in_options(session, SITE, NOW)
    with town.db.write() as session:
        assert passkeys._take_challenge(session, challenge, NOW)
        with pytest.raises(DomainError):
            passkeys._take_challenge(session, challenge, NOW)
        with pytest.raises(DomainError):
            passkeys._take_challenge(session, late, NOW + timedelta(minutes=5))
    with town.db.read() as session:
        kept = session.scalars(select(PasskeyChallenge.digest)).all()
    assert challenge not in kept


def test_options_ask_for_the_owner_and_name_no_resident(town: Town) -> None:
    person = town.person("resident")
    person.get("/account/passkeys")
    answer = person.client.post(
        "/account/passkeys/options",
        json={},
        headers={"X-CSRFToken": person.token, "Host": "localhost:8080"},
    )
    assert answer.status_code == 200
    options = answer.json
    assert options["authenticatorSelection"]["userVerification"] == "required"
    assert options["authenticatorSelection"]["residentKey"] == "required"
    assert options["rp"]["id"] == "localhost"
    assert "13800138001" not in answer.text
    assert "张伟" not in answer.text


@pytest.mark.parametrize(
    "credential",
    [
        {},
        {"id": "unknown"},
        {"id": "x"},
        {"id": "x", "rawId": "x", "type": "public-key", "response": {}},
        {"id": "x", "rawId": "eA", "type": "public-key", "response": {"clientDataJSON": "!"}},
        {"id": ["x"]},
    ],
)
def test_nonsense_signs_nobody_in(town: Town, credential) -> None:
    add(town, "worker")
    with town.db.write() as session:
        _, challenge = passkeys.sign_in_options(session, SITE, NOW)
    with town.db.write() as session, pytest.raises(DomainError) as refused:
        passkeys.sign_in(session, credential, challenge, SITE, NOW)
    assert refused.value.code == "passkey"


def test_only_the_owner_renames_and_removes(town: Town) -> None:
    key = add(town, "resident")
    with town.db.write() as session:
        for who in ("neighbour", "worker", "sysadmin", "secadmin"):
            with pytest.raises(NotFoundError):
                passkeys.rename(session, town.actor(who), key, "mine")
            with pytest.raises(NotFoundError):
                passkeys.remove(session, town.actor(who), key)
        for name in ("", " ", "x" * 61, "a\nb"):
            with pytest.raises(DomainError):
                passkeys.rename(session, town.actor("resident"), key, name)
        passkeys.rename(session, town.actor("resident"), key, " My phone ")
    with town.db.read() as session:
        assert session.get_one(Passkey, key).name == "My phone"
    with town.db.write() as session:
        passkeys.remove(session, town.actor("resident"), key)


def test_ten_are_enough(town: Town) -> None:
    for number in range(passkeys.MOST):
        add(town, "worker", f"x{number}")
    with town.db.write() as session, pytest.raises(ConflictError):
        passkeys.registration_options(session, town.ids["user:worker"], SITE, NOW, label="worker")
