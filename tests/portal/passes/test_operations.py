"""Passes issued, shown, withdrawn; signing keys made and renewed in time."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from portal.core.errors import ConflictError, DomainError, NotFoundError
from portal.passes.models import Pass, SigningKeyRow
from portal.passes.operations import (
    issue_resident_pass,
    issue_visitor_pass,
    load_keyset,
    revoke_of_resident,
    show_code,
)
from portal.passes.signing import KEY_LIFE, RENEW_BEFORE, ensure_key
from portal.passes.token import read
from portal.passes.verdict import Reason, verify
from portal.regions.models import Region
from tests.portal.gatehouse import SPRING, Gatehouse


def test_a_shown_code_verifies_and_says_whose_community_it_is(house: Gatehouse) -> None:
    pass_id = house.resident_pass()
    with house.db.read() as session:
        shown = show_code(session, pass_id, house.now, 60)
        verdict = verify(shown.token, load_keyset(session), house.now, issuer=SPRING)
    assert verdict.reason is Reason.OK
    assert verdict.claims is not None
    assert verdict.claims.pass_id.hex() == pass_id
    assert shown.expires_at == house.now + timedelta(seconds=60)


def test_each_code_of_a_resident_is_another(sqlite_house: Gatehouse) -> None:
    pass_id = sqlite_house.resident_pass()
    codes = {read(sqlite_house.code(pass_id)).claims.code_id for _ in range(5)}
    assert len(codes) == 5


def test_a_visitors_code_lasts_as_long_as_the_pass(sqlite_house: Gatehouse) -> None:
    pass_id = sqlite_house.visitor_pass(hours=5)
    claims = read(sqlite_house.code(pass_id, seconds=60)).claims
    assert claims.expires_at == sqlite_house.now + timedelta(hours=5)
    assert claims.use_limit == 1


def test_a_code_never_outlasts_its_pass(sqlite_house: Gatehouse) -> None:
    pass_id = sqlite_house.resident_pass()
    sqlite_house.change_pass(pass_id, not_after=sqlite_house.now + timedelta(seconds=20))
    claims = read(sqlite_house.code(pass_id, seconds=60)).claims
    assert claims.expires_at == sqlite_house.now + timedelta(seconds=20)


def test_a_residents_valid_pass_is_kept(house: Gatehouse) -> None:
    assert house.resident_pass() == house.resident_pass()
    assert house.count(Pass) == 1


def test_a_withdrawn_pass_is_replaced_by_a_new_one(house: Gatehouse) -> None:
    first = house.resident_pass()
    visitor = house.visitor_pass()
    with house.db.write() as session:
        withdrawn = revoke_of_resident(session, house.residents["101"], house.now, "moved_out")
    assert withdrawn == 2
    assert house.resident_pass() != first
    for pass_id in (first, visitor):
        with pytest.raises(ConflictError, match="revoked"):
            house.code(pass_id)


@pytest.mark.parametrize(
    ("change", "code"),
    [({"uses": 1}, "used_up"), ({"over": True}, "expired"), ({"nameless": True}, "community")],
)
def test_a_code_that_could_open_nothing_is_not_shown(
    sqlite_house: Gatehouse, change: dict[str, object], code: str
) -> None:
    house = sqlite_house
    pass_id = house.visitor_pass()
    if "uses" in change:
        house.change_pass(pass_id, uses=1)
    if "over" in change:
        house.change_pass(pass_id, not_after=house.now)
    if "nameless" in change:
        with house.db.write() as session:
            session.get_one(Region, house.communities["spring"]).uscc = None
    with pytest.raises(ConflictError, match=code):
        house.code(pass_id)


@pytest.mark.parametrize(
    ("begin", "end", "code"),
    [(2, 1, "ends_before"), (-5, -1, "ends_before"), (0, 24 * 31, "visit_too_long")],
)
def test_a_visit_has_a_sensible_time(
    sqlite_house: Gatehouse, begin: int, end: int, code: str
) -> None:
    house = sqlite_house
    with house.db.write() as session, pytest.raises(DomainError, match=code):
        issue_visitor_pass(
            session,
            resident_id=house.residents["101"],
            dwelling_id=house.dwellings["101"],
            valid_from=house.now + timedelta(hours=begin),
            valid_until=house.now + timedelta(hours=end),
            now=house.now,
        )


def test_a_pass_for_a_dwelling_that_is_not_there_is_refused(sqlite_house: Gatehouse) -> None:
    house = sqlite_house
    with house.db.write() as session, pytest.raises(NotFoundError):
        issue_resident_pass(session, house.residents["101"], 9999, house.now)


def test_showing_makes_no_key_and_says_so_when_there_is_none(sqlite_house: Gatehouse) -> None:
    house = sqlite_house
    pass_id = house.resident_pass()
    with house.db.write() as session:
        session.delete(session.scalars(select(SigningKeyRow)).one())
    with pytest.raises(ConflictError, match="no_signing_key"):
        house.code(pass_id)


def test_keys_are_made_once_and_renewed_before_they_end(house: Gatehouse) -> None:
    with house.db.write() as session:
        assert ensure_key(session, house.now)
        assert not ensure_key(session, house.now + timedelta(days=1))
    old_code = house.code(house.visitor_pass(hours=24 * 20))
    renewal = house.now + KEY_LIFE - RENEW_BEFORE + timedelta(days=1)
    with house.db.write() as session:
        assert ensure_key(session, renewal)
        keys = load_keyset(session)
    assert len(keys) == 2
    assert verify(old_code, keys, house.now).reason is Reason.OK


def test_the_private_key_lies_encrypted(sqlite_house: Gatehouse) -> None:
    house = sqlite_house
    house.resident_pass()
    with house.db.read() as session:
        row = session.scalars(select(SigningKeyRow)).one()
        stored = session.connection().exec_driver_sql("SELECT private FROM signing_keys").scalar()
    assert isinstance(stored, bytes)
    assert row.private.encode() not in stored
    assert bytes.fromhex(row.private) not in stored
