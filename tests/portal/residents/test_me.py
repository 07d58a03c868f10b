"""My own page: masked until asked for, and what is stored."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from portal.core.audit import AuditEntry
from portal.core.errors import NotFoundError
from portal.residents.operations import unmask_own
from tests.portal.cast import STAFF, Town

SECRETS = ("张伟", "13800138001", "11010519900307101")


def test_ones_own_data_is_masked_until_it_is_asked_for(town: Town) -> None:
    person = town.person("resident")
    page = person.get("/me").text
    assert not any(secret in page for secret in SECRETS)
    assert "138****8001" in page
    full = person.post("/me").text
    assert all(secret in full for secret in SECRETS)
    assert "Hide again" in full
    assert "13800138001" not in person.get("/me").text


def test_a_look_at_ones_own_data_is_written_down_without_it(town: Town) -> None:
    town.person("resident").post("/me")
    with town.db.read() as session:
        entry = session.scalars(
            select(AuditEntry).where(AuditEntry.action == "resident.unmask_own")
        ).one()
    assert (entry.object_id, entry.detail) == (str(town.ids["resident"]), {})
    assert entry.user_id == town.ids["user:resident"]


def test_nobody_can_reveal_what_is_not_their_own(town: Town) -> None:
    with town.db.write() as session, pytest.raises(NotFoundError):
        unmask_own(session, town.actor("worker"))


@pytest.mark.parametrize("who", [*STAFF, "outsider"])
@pytest.mark.parametrize("path", ["/me", "/me/stored"])
def test_the_pages_are_for_residents(town: Town, who: str, path: str) -> None:
    expected = 302 if who == "outsider" else 403
    assert town.person(who).get(path).status_code == expected
    if path == "/me":
        assert town.person(who).post(path).status_code == expected


@pytest.mark.parametrize("who", ["resident", "waiting", "refused", "neighbour"])
def test_every_resident_has_the_page_with_what_they_can_set(town: Town, who: str) -> None:
    page = town.person(who).get("/me").text
    for setting in ('name="text"', 'name="theme"', 'name="language"', 'action="/sign-out"'):
        assert setting in page
    assert 'href="/me/stored"' in page


def test_what_is_stored_names_the_text_that_was_agreed_to(town: Town) -> None:
    page = town.person("resident").get("/me/stored").text
    assert "version 1" in page
    assert "居民登记个人信息处理告知与同意" in page
    assert '<div class="prose" lang="zh-Hans-CN">' in page
    assert not any(secret in page for secret in SECRETS)
