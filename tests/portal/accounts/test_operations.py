"""Accounts are made with hashed names and passwords, and with the roles that were asked for."""

from __future__ import annotations

import pytest
from sqlalchemy import select, text

from portal.accounts.identity import normalise, sign_in_hash
from portal.accounts.models import User
from portal.accounts.operations import change_language, create_staff, random_password
from portal.accounts.passwords import hash_password, weakness
from portal.core.errors import ConflictError, DomainError
from portal.core.permissions import Permission, Role
from tests.portal.cast import NOW, TOTP, Town


def test_the_database_knows_no_phone_number_and_no_secret(town: Town) -> None:
    with town.db.read() as session:
        rows = session.execute(text("select * from users")).all()
    everything = repr(rows)
    assert "13800138001" not in everything
    assert TOTP not in everything
    assert sign_in_hash("13800138001") in everything
    assert "$argon2id$" in everything


def test_roles_reach_the_subtree_of_their_region_only(town: Town) -> None:
    worker, supervisor = town.actor("worker"), town.actor("supervisor")
    with town.db.read() as session:
        from portal.regions.models import Region

        here = session.get(Region, town.ids["community"])
        there = session.get(Region, town.ids["other"])
    assert here is not None
    assert there is not None
    assert worker.may(Permission.RESIDENT_DECIDE, here.path)
    assert not worker.knows(there.path)
    assert supervisor.may(Permission.PASSAGE_LIST, there.path)
    assert not supervisor.may(Permission.RESIDENT_LIST, there.path)


def test_a_user_name_is_used_once(town: Town) -> None:
    with pytest.raises(ConflictError) as refused, town.db.write() as session:
        create_staff(session, username="Worker", password="x" * 12, roles=[], now=NOW)
    assert refused.value.code == "name_taken"


@pytest.mark.parametrize("name", ["", "   ", "13800138000", "12345", "x" * 65])
def test_a_user_name_cannot_be_mistaken_for_a_phone_number(town: Town, name: str) -> None:
    with pytest.raises(DomainError) as refused, town.db.write() as session:
        create_staff(session, username=name, password="x" * 12, roles=[], now=NOW)
    assert refused.value.code == "bad_username"


def test_the_same_role_twice_is_one_grant(town: Town) -> None:
    region = town.ids["community"]
    with town.db.write() as session:
        user = create_staff(
            session,
            username="twice",
            password="x" * 12,
            roles=[(Role.WORKER, region), (Role.WORKER, region)],
            now=NOW,
        )
        town.ids["user:twice"] = user.id
    assert len(town.actor("twice").grants) == 1


def test_only_known_languages_are_kept(town: Town) -> None:
    user_id = town.ids["user:worker"]
    with town.db.write() as session:
        change_language(session, user_id, "en")
    with pytest.raises(DomainError), town.db.write() as session:
        change_language(session, user_id, "xx")
    with town.db.read() as session:
        assert session.scalar(select(User.language).where(User.id == user_id)) == "en"


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("+86 138 0013 8000", "13800138000"),
        ("Worker ", "worker"),
        ("ＷＯＲＫＥＲ", "worker"),
        ("+852 5123 4567", "+85251234567"),
    ],
)
def test_names_are_normalised(typed: str, kept: str) -> None:
    assert normalise(typed) == kept


@pytest.mark.parametrize(
    "password", ["", "short", "x" * 129, "12345678", "PASSWORD", "aaaaaaaaaa", "abababab"]
)
def test_weak_passwords_are_refused(password: str) -> None:
    assert weakness(password) is not None


def test_what_others_know_is_no_password() -> None:
    assert weakness("my13800138000", "张伟", "13800138000") is not None
    assert weakness("010119900307", "11010519900307101X", "11010119900307") is not None
    assert weakness("lantern-river-42", "张伟", "13800138000") is None
    assert weakness("春眠不觉晓处处闻啼鸟", "张伟") is None


def test_hashes_differ_and_made_passwords_are_strong() -> None:
    assert hash_password("lantern-river-42") != hash_password("lantern-river-42")
    made = {random_password() for _ in range(20)}
    assert len(made) == 20
    assert all(weakness(password) is None for password in made)
