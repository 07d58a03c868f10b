"""Sessions end when they must, rotate at sign-in, can be seen and ended; lock-outs grow and are lifted."""

from __future__ import annotations

import re
from datetime import timedelta

import pyotp
import pytest
from sqlalchemy import select, text

from portal.accounts import lockouts, sessions
from portal.accounts.models import SignInSession, User
from portal.core.audit import AuditEntry
from portal.core.errors import ForbiddenError
from portal.core.protected import find_hash
from tests.portal.cast import NOW, PASSWORD, TOTP, Person, Town

CHROME = "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0 Mobile Safari/537.36"


def cookie(person: Person) -> dict[str, object]:
    with person.client.session_transaction() as kept:
        return dict(kept)


@pytest.mark.parametrize(
    ("who", "page", "minutes", "lasts"),
    [
        ("worker", "/work", 29, True),
        ("worker", "/work", 30, False),
        ("resident", "/home", 60 * 24 * 29, True),
        ("resident", "/home", 60 * 24 * 30, False),
    ],
)
def test_an_idle_or_old_session_ends(town: Town, who, page, minutes, lasts) -> None:
    person = town.person(who)
    town.clock.now = NOW + timedelta(minutes=minutes)
    assert (person.get(page).status_code == 200) is lasts
    if not lasts:
        assert "Please sign in again." in person.get("/sign-in").text
        town.clock.now = NOW
        assert person.get(page).status_code == 302, "what has ended stays ended"


def test_staff_sign_in_again_after_twelve_hours_however_busy(town: Town) -> None:
    worker = town.person("worker")
    for minute in range(0, 12 * 60, 25):
        town.clock.now = NOW + timedelta(minutes=minute)
        assert worker.get("/work").status_code == 200
    town.clock.now = NOW + timedelta(hours=12)
    assert worker.get("/work").status_code == 302


def test_a_page_that_asks_by_itself_keeps_no_session_alive(town: Town) -> None:
    worker = town.person("worker")
    for minute in (10, 20, 29):
        town.clock.now = NOW + timedelta(minutes=minute)
        assert worker.get("/work/passages", headers={"Linli-Poll": "1"}).status_code == 200
    town.clock.now = NOW + timedelta(minutes=30)
    assert worker.get("/work").status_code == 302


def test_signing_in_begins_the_cookie_anew(town: Town) -> None:
    person = town.person()
    person.get("/sign-in")
    with person.client.session_transaction() as kept:
        kept["sid"] = "planted by somebody else"
        kept["planted"] = "x"
    before = cookie(person)
    person.sign_in("13800138001")
    after = cookie(person)
    assert after["sid"] != before["sid"]
    assert "planted" not in after
    assert after.get("csrf_token") != before["csrf_token"]
    assert person.get("/home").status_code == 200


def test_a_second_sign_in_ends_the_first_session_of_the_browser(town: Town) -> None:
    person = town.person("resident")
    old = cookie(person)
    person.post("/sign-out")
    thief = town.person()
    with thief.client.session_transaction() as kept:
        kept.update(old)
    assert thief.get("/home").status_code == 302, "a cookie from before the sign-out is worthless"


def test_a_cookie_without_its_session_opens_nothing(town: Town) -> None:
    person = town.person("worker")
    with town.db.write() as session:
        session.query(SignInSession).delete()
    assert person.get("/work").status_code == 302


def test_devices_are_listed_and_ended_from_another(town: Town) -> None:
    phone, desk = town.person("resident"), town.person("resident")
    page = desk.get("/account/devices").text
    assert page.count("Sign this device out") == 1
    other = re.search(r"/account/devices/(\d+)/end", page)[1]
    assert town.person("neighbour").post(f"/account/devices/{other}/end").status_code == 404
    assert phone.get("/home").status_code == 200
    assert desk.post(f"/account/devices/{other}/end").status_code == 303
    assert phone.get("/home").status_code == 302
    assert "Ended from another device" in desk.get("/account/history").text
    third = town.person("resident")
    desk.post("/account/devices/end-others")
    assert third.get("/home").status_code == 302
    assert desk.get("/home").status_code == 200


def test_a_new_device_is_told_to_the_others(town: Town) -> None:
    first = town.person()
    first.sign_in("13800138001")
    assert "A new device has signed in" not in first.get("/home").text
    first.post("/sign-out")
    first.get("/sign-in")
    again = first.sign_in("13800138001")
    assert again.status_code == 302
    assert "A new device has signed in" not in first.get("/home").text
    stranger = town.person()
    stranger.post(
        "/sign-in",
        {"identity": "13800138001", "password": PASSWORD},
        headers={"User-Agent": CHROME},
    )
    assert "A new device has signed in" not in stranger.get("/home").text
    assert "A new device has signed in" in first.get("/home").text
    assert "Chrome · Android" in first.get("/account/devices").text
    first.post("/account/devices/known")
    assert "A new device has signed in" not in first.get("/home").text


def test_the_address_is_not_readable_in_the_database(town: Town) -> None:
    town.person().sign_in("13800138001")
    with town.db.read() as session:
        raw = session.execute(text("select * from sign_in_sessions")).all()
        row = session.scalars(select(SignInSession)).one()
    assert row.address == "127.0.0.1"
    assert "127.0.0.1" not in repr(raw)


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        (CHROME, "Chrome · Android"),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0) MicroMessenger/8.0 Safari/604",
            "WeChat · iPhone",
        ),
        ("Mozilla/5.0 (Windows NT 10.0) Gecko/20100101 Firefox/130.0", "Firefox · Windows"),
        ("", ""),
        ("<script>" * 500, ""),
    ],
)
def test_browsers_have_names(agent: str, name: str) -> None:
    assert sessions.device_name(agent) == name


def fail(town: Town, times: int, key: str = "a:x") -> list[int]:
    """Minutes that each failure locks for."""
    found = []
    for _ in range(times):
        with town.db.write() as session:
            until = lockouts.failed(session, key, town.clock.now)
        found.append(int((until - town.clock.now).total_seconds() // 60) if until else 0)
    return found


def test_delays_grow_up_to_an_hour(town: Town) -> None:
    assert fail(town, 13) == [0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 60, 60, 60]


def test_failures_of_long_ago_are_forgotten(town: Town) -> None:
    fail(town, 4)
    town.clock.now = NOW + timedelta(days=1, minutes=1)
    assert fail(town, 1) == [0]


def test_a_locked_account_waits_and_the_answer_is_the_same_for_an_unknown_name(town: Town) -> None:
    for name in ("worker", "nobody-here"):
        for _ in range(lockouts.ACCOUNT_RUN):
            town.person().sign_in(name, "wrong-password")
        answer = town.person().sign_in(name, PASSWORD)
        assert answer.status_code == 422
        assert "Too many wrong attempts. Wait 1 minute and try again." in answer.text
    town.clock.now = NOW + timedelta(minutes=1)
    assert town.person().sign_in("worker").status_code == 302


def test_a_full_sign_in_forgets_failures(town: Town) -> None:
    for _ in range(4):
        town.person().sign_in("13800138001", "wrong-password")
    town.person().sign_in("13800138001")
    for _ in range(4):
        town.person().sign_in("13800138001", "wrong-password")
    assert town.person().sign_in("13800138001").status_code == 302


def test_the_right_password_alone_forgets_nothing(town: Town) -> None:
    for _ in range(3):
        person = town.person()
        person.sign_in("secure")
        person.post("/sign-in/code", {"code": "000000"})
    with town.db.read() as session:
        key = lockouts.account_key(find_hash("secure", "sign_in"))
        assert session.get_one(lockouts.LockOut, key).failures == 3


def test_an_address_is_locked_after_many_names(town: Town) -> None:
    key = lockouts.address_key("127.0.0.1")
    assert fail(town, lockouts.ADDRESS_RUN, key)[-1] == 1
    answer = town.person().sign_in("13800138001")
    assert "Too many wrong attempts" in answer.text


def test_the_security_administrator_unlocks(town: Town) -> None:
    for _ in range(lockouts.ACCOUNT_RUN):
        town.person().sign_in("worker", "wrong-password")
    chief = town.person("secadmin")
    page = chief.get("/work/lock-outs").text
    key = re.search(r'name="key" value="(a:[^"]+)"', page)[1]
    for who in ("sysadmin", "auditor", "worker", "supervisor"):
        with town.db.write() as session, pytest.raises(ForbiddenError):
            lockouts.unlock(session, town.actor(who), key)
    assert chief.post("/work/lock-outs/unlock", {"key": key}).status_code == 303
    assert chief.post("/work/lock-outs/unlock", {"key": key}).status_code == 404
    assert town.person().sign_in("worker").status_code == 302


def test_every_attempt_is_in_the_audit_without_personal_data(town: Town) -> None:
    town.person().sign_in("13800138001", "wrong-password")
    town.person().sign_in("13912345678", "wrong-password")
    town.person().sign_in("13800138001")
    with town.db.read() as session:
        rows = session.scalars(
            select(AuditEntry)
            .where(AuditEntry.action.startswith("sign_in"))
            .order_by(AuditEntry.id)
        ).all()
        user_id = town.ids["user:resident"]
    assert [(r.action, r.result, r.user_id) for r in rows] == [
        ("sign_in.fail", "bad_password", user_id),
        ("sign_in.fail", "bad_password", None),
        ("sign_in.ok", "ok", user_id),
    ]
    everything = repr([vars(r) for r in rows])
    assert "13912345678" not in everything
    assert "127.0.0.1" not in everything


def test_a_code_works_once(town: Town) -> None:
    now = pyotp.TOTP(TOTP).now()
    first, second = town.person(), town.person()
    for person in (first, second):
        person.sign_in("worker")
    assert first.post("/sign-in/code", {"code": now}).status_code == 302
    assert second.post("/sign-in/code", {"code": now}).status_code == 422
    assert second.get("/work").status_code == 302


def test_a_recovery_code_signs_in_once(town: Town) -> None:
    from portal.accounts import factors

    with town.db.write() as session:
        codes = factors.new_recovery_codes(
            session, town.actor("worker"), town.ids["user:worker"], NOW
        )
    stranger = town.person()
    assert stranger.get("/sign-in/recovery").location == "/sign-in"
    assert stranger.post("/sign-in/recovery", {"code": codes[0]}).location == "/sign-in"
    person = town.person()
    person.sign_in("worker")
    assert person.post("/sign-in/recovery", {"code": "AAAA-BBBB-CCCC"}).status_code == 422
    done = person.post("/sign-in/recovery", {"code": codes[0].lower().replace("-", " ")})
    assert done.status_code == 303
    page = person.get("/work")
    assert page.status_code == 200
    assert "9 recovery codes are left" in page.text
    other = town.person()
    other.sign_in("worker")
    assert other.post("/sign-in/recovery", {"code": codes[0]}).status_code == 422


def test_how_one_signs_in_is_changed_only_after_a_fresh_proof(town: Town) -> None:
    worker = town.person("worker")
    assert worker.get("/account/passkeys").status_code == 200
    town.clock.now = NOW + timedelta(minutes=11)
    assert worker.get("/account/passkeys").location.startswith("/account/confirm")
    assert worker.post("/account/recovery-codes").location.startswith("/account/confirm")
    assert worker.post("/account/confirm", {"password": "no"}).status_code == 422
    back = worker.post("/account/confirm?next=/account/passkeys", {"password": PASSWORD})
    assert back.location == "/account/passkeys"
    assert worker.get("/account/passkeys").status_code == 200
    evil = worker.post("/account/confirm?next=//evil.example", {"password": PASSWORD})
    assert evil.location == "/"


def test_a_new_password_signs_other_devices_out(town: Town) -> None:
    here, there = town.person("resident"), town.person("resident")
    fields = {
        "old": PASSWORD,
        "password": "violet-anchor-93-moss",
        "again": "violet-anchor-93-moss",
    }
    assert here.post("/account/password", {**fields, "old": "wrong"}).status_code == 422
    weak = here.post(
        "/account/password", {**fields, "password": "1234567890", "again": "1234567890"}
    )
    assert "too easy to guess" in weak.text
    assert here.post("/account/password", fields).status_code == 303
    assert here.get("/home").status_code == 200
    assert there.get("/home").status_code == 302
    with town.db.read() as session:
        assert session.get_one(User, town.ids["user:resident"]).password_changed_at == NOW
