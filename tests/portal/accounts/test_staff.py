"""Staff accounts: invited by a link that works once, disabled, renewed, found by administrators of their subtree."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pyotp
import pytest
from sqlalchemy import select

from portal.accounts import factors, staff, upkeep
from portal.accounts.models import Invitation, RecoveryCode, SignInSession, User
from portal.core.audit import AuditEntry
from portal.core.errors import ConflictError, DomainError, ForbiddenError, NotFoundError
from portal.core.permissions import SYSTEM, Role
from tests.portal.cast import NOW, TOTP, Town

GOOD = "violet-anchor-93-moss"


def invited(town: Town, by: str = "sysadmin", where: str = "community") -> staff.Invited:
    with town.db.write() as session:
        return staff.invite(session, town.actor(by), town.ids[where], "王主任", town.clock.now)


def wanted(**change) -> staff.Acceptance:
    values = {
        "username": "wang",
        "display_name": "王主任",
        "password": GOOD,
        "secret": TOTP,
        "code": pyotp.TOTP(TOTP).now(),
    }
    return staff.Acceptance(**{**values, **change})


def accept(town: Town, token: str, what: staff.Acceptance | None = None) -> tuple[User, list[str]]:
    with town.db.write() as session:
        return staff.accept(session, token, what or wanted(), town.clock.now, datetime.now(UTC))


@pytest.mark.parametrize(
    ("by", "refusal"),
    [
        ("sysadmin", None),
        ("secadmin", ForbiddenError),
        ("auditor", ForbiddenError),
        ("worker", ForbiddenError),
        ("manager", ForbiddenError),
        ("supervisor", ForbiddenError),
        ("distant", NotFoundError),
        ("resident", NotFoundError),
    ],
)
def test_the_system_administrator_invites(town: Town, by: str, refusal) -> None:
    if refusal is None:
        assert invited(town, by).token
    else:
        with pytest.raises(refusal):
            invited(town, by)


def test_the_link_makes_an_account_without_a_role(town: Town) -> None:
    user, codes = accept(town, invited(town).token)
    assert len(set(codes)) == factors.CODES
    with town.db.read() as session:
        row = session.get_one(User, user.id)
        assert row.display_name == "王主任"
        assert row.role_grants == []
        assert row.tf_totp_secret is not None
        assert session.query(RecoveryCode).filter_by(user_id=user.id).count() == factors.CODES
        kept = " ".join(c.code_hash for c in session.query(RecoveryCode))
    assert not any(code in kept for code in codes)


def test_the_link_works_once(town: Town) -> None:
    token = invited(town).token
    accept(town, token)
    with pytest.raises(NotFoundError):
        accept(town, token, wanted(username="other"))


def test_of_two_who_use_the_link_at_once_one_gets_the_account(town: Town) -> None:
    token = invited(town).token

    def attempt(number: int) -> bool:
        try:
            accept(town, token, wanted(username=f"wang{number}"))
        except (NotFoundError, ConflictError):
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(attempt, range(4))) == [False, False, False, True]


def test_the_link_lapses_and_can_be_taken_back(town: Town) -> None:
    late = invited(town).token
    town.clock.now = NOW + staff.LINK_LASTS
    with pytest.raises(NotFoundError):
        accept(town, late)
    made = invited(town)
    with town.db.write() as session:
        assert staff.revoke(session, town.actor("sysadmin"), made.id, NOW)
        assert not staff.revoke(session, town.actor("sysadmin"), made.id, NOW)
    with pytest.raises(NotFoundError):
        accept(town, made.token)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"username": ""}, "username"),
        ({"username": "13800138000"}, "username"),
        ({"display_name": " "}, "display_name"),
        ({"display_name": "x" * 41}, "display_name"),
        ({"display_name": "a\nb"}, "display_name"),
        ({"password": "short"}, "password"),
        ({"password": "password123"}, "password"),
        ({"password": "wangwangwang"}, "password"),
        ({"code": "000000"}, "code"),
        ({"code": ""}, "code"),
        ({"code": "一二三四五六"}, "code"),
    ],
)
def test_what_is_wrong_is_named_and_the_link_still_works(town: Town, change, field) -> None:
    token = invited(town).token
    with pytest.raises(DomainError) as refused:
        accept(town, token, wanted(**change))
    assert refused.value.field == field
    accept(town, token)


def test_the_database_holds_no_link_and_no_name(town: Town) -> None:
    made = invited(town)
    with town.db.read() as session:
        row = session.scalars(select(Invitation)).one()
        raw = session.execute(select(Invitation.__table__)).one()
    assert row.note == "王主任"
    assert made.token not in str(raw)


def test_disabling_ends_sessions_at_once_and_enabling_opens_again(town: Town) -> None:
    inside = town.person("worker")
    assert inside.get("/work").status_code == 200
    user_id = town.ids["user:worker"]
    with town.db.write() as session:
        assert staff.disable(session, town.actor("sysadmin"), user_id, NOW)
        assert not staff.disable(session, town.actor("sysadmin"), user_id, NOW)
    assert inside.get("/work").status_code == 302
    assert town.person().sign_in("worker").status_code == 422
    with town.db.write() as session:
        assert staff.enable(session, town.actor("sysadmin"), user_id, NOW)
    assert town.person().sign_in("worker").location.startswith("/sign-in/code")


def test_nobody_disables_themselves_or_a_resident(town: Town) -> None:
    with town.db.write() as session:
        with pytest.raises(ConflictError):
            staff.disable(session, town.actor("sysadmin"), town.ids["user:sysadmin"], NOW)
        with pytest.raises(NotFoundError):
            staff.disable(session, town.actor("sysadmin"), town.ids["user:resident"], NOW)


def test_a_link_for_new_secrets_replaces_the_old_ones(town: Town) -> None:
    user_id = town.ids["user:worker"]
    inside = town.person("worker")
    with town.db.write() as session:
        made = staff.renew(session, town.actor("sysadmin"), user_id, NOW)
    assert inside.get("/work").status_code == 302
    secret = pyotp.random_base32()
    user, _codes = accept(
        town, made.token, wanted(secret=secret, code=pyotp.TOTP(secret).now(), username="x")
    )
    assert (user.id, user.username) == (user_id, "worker")
    assert town.person().sign_in("worker").status_code == 422
    assert town.person().sign_in("worker", GOOD).location.startswith("/sign-in/code")


def test_only_the_command_line_gives_a_role_with_the_invitation(town: Town) -> None:
    with town.db.write() as session:
        by_page = staff.invite(
            session,
            town.actor("sysadmin"),
            town.ids["community"],
            "x",
            NOW,
            role=Role.SECURITY_ADMIN,
        )
        by_shell = staff.invite(
            session, SYSTEM, town.ids["county"], "x", NOW, role=Role.SECURITY_ADMIN
        )
    plain, _ = accept(town, by_page.token)
    first, _ = accept(town, by_shell.token, wanted(username="first"))
    with town.db.read() as session:
        assert session.get_one(User, plain.id).role_grants == []
        assert [g.role for g in session.get_one(User, first.id).role_grants] == ["security_admin"]


def test_dormant_accounts_of_staff_are_disabled_and_may_be_enabled(town: Town) -> None:
    later = NOW + timedelta(days=95)
    with town.db.write() as session:
        session.get_one(User, town.ids["user:manager"]).last_sign_in_at = later - timedelta(days=3)
        session.add(
            SignInSession(
                user_id=town.ids["user:worker"],
                digest="0" * 64,
                method="password",
                created_at=NOW,
                last_seen_at=NOW,
            )
        )
    with town.db.write() as session:
        done = upkeep.tidy(session, later, timedelta(days=90))
    with town.db.read() as session:
        staff_rows = session.scalars(select(User).where(User.resident_id.is_(None))).all()
        residents = session.scalars(select(User).where(User.resident_id.is_not(None))).all()
        audited = session.query(AuditEntry).filter_by(action="account.disable").count()
        left = session.query(SignInSession).filter(SignInSession.ended_at.is_(None)).count()
    assert {u.username for u in staff_rows if u.active} == {"manager"}
    assert all(u.active for u in residents)
    assert done.disabled == audited == len(staff_rows) - 1
    assert left == 0
    with town.db.write() as session:
        staff.enable(session, SYSTEM, town.ids["user:worker"], later)
    with town.db.write() as session:
        assert upkeep.tidy(session, later + timedelta(days=1), timedelta(days=90)).disabled == 0


def test_who_is_asked_for_a_new_password_gets_to_no_other_page(town: Town) -> None:
    worker = town.person("worker")
    with town.db.write() as session:
        staff.require_new_password(session, town.actor("sysadmin"), town.ids["user:worker"], NOW)
    assert worker.get("/work").location == "/account/password"
    assert worker.get("/account/devices").location == "/account/password"
    page = worker.get("/account/password")
    assert "Choose a new password" in page.text
    from tests.portal.cast import PASSWORD

    same = worker.post(
        "/account/password", {"old": PASSWORD, "password": PASSWORD, "again": PASSWORD}
    )
    assert same.status_code == 422
    done = worker.post("/account/password", {"old": PASSWORD, "password": GOOD, "again": GOOD})
    assert done.location == "/account"
    assert worker.get("/work").status_code == 200


def test_staff_without_a_second_factor_set_it_up_before_anything_else(town: Town) -> None:
    with town.db.write() as session:
        user = session.get_one(User, town.ids["user:worker"])
        user.tf_totp_secret = user.tf_primary_method = None
    worker = town.person()
    worker.sign_in("worker")
    assert worker.get("/work").location == "/account/authenticator"
    page = worker.get("/account/authenticator")
    secret = re.search(r"<code>([A-Z2-7 ]+)</code>", page.text)[1].replace(" ", "")
    assert worker.post("/account/authenticator", {"code": "000000"}).status_code == 422
    shown = worker.post("/account/authenticator", {"code": pyotp.TOTP(secret).now()})
    assert shown.status_code == 200
    assert len(re.findall(r"<code>[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}</code>", shown.text)) == 10
    assert worker.get("/work").status_code == 200


def test_accounts_are_listed_for_administrators_of_their_subtree(town: Town) -> None:
    page = town.person("sysadmin").get("/work/accounts").text
    assert "gatekeeper" in page
    assert "13800138001" not in page
    assert town.person("worker").get("/work/accounts").status_code == 403


def test_invitation_and_role_by_pages(town: Town) -> None:
    admin = town.person("sysadmin")
    shown = admin.post(
        "/work/accounts/invite", {"note": "Ms Wang", "region": str(town.ids["community"])}
    )
    link = re.search(r'value="(http[^"]+/join/[^"]+)"', shown.text)[1]
    path = "/join/" + link.rsplit("/", 1)[1]
    guest = town.person()
    page = guest.get(path)
    assert page.headers["Referrer-Policy"] == "no-referrer"
    secret = re.search(r"<code>([A-Z2-7 ]+)</code>", page.text)[1].replace(" ", "")
    fields = {"username": "wang", "display_name": "Wang", "password": GOOD, "again": GOOD}
    wrong = guest.post(path, {**fields, "again": "no", "code": pyotp.TOTP(secret).now()})
    assert wrong.status_code == 422
    assert 'value="wang"' in wrong.text
    assert GOOD not in wrong.text
    done = guest.post(path, {**fields, "code": pyotp.TOTP(secret).now()})
    assert "Your account is ready" in done.text
    assert guest.get(path).status_code == 404
    with town.db.read() as session:
        user_id = session.scalar(select(User.id).where(User.username == "wang"))
    chief = town.person("secadmin")
    assert "No role" in chief.get("/work/accounts").text
    given = chief.post(
        f"/work/accounts/{user_id}/grants",
        {"role": "gatekeeper", "region": str(town.ids["community"]), "valid_until": "2027-01-31"},
    )
    assert given.status_code == 303
    assert "Gatekeeper" in chief.get(f"/work/accounts/{user_id}").text
    bad = chief.post(
        f"/work/accounts/{user_id}/grants",
        {"role": "audit_admin", "region": str(town.ids["community"])},
    )
    assert bad.status_code == 422
    assert "separate people" in bad.text
