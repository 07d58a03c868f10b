"""Signing in and out: what is answered, what the cookie may do, the second factor, the limits."""

from __future__ import annotations

import re

import pyotp
import pytest
from sqlalchemy import select

from portal.accounts.models import User
from tests.portal.cast import PASSWORD, TOTP, Town

WRONG = "The name or the password is not right. Please check both and try again."


def test_a_resident_signs_in_by_phone_in_any_way_of_writing_it(town: Town) -> None:
    for typed in ("13800138001", "+86 138-0013-8001", "１３８００１３８００１"):
        answer = town.person().sign_in(typed)
        assert (answer.status_code, answer.location) == (302, "/")


def test_staff_sign_in_by_name_in_any_case(town: Town) -> None:
    assert town.person().sign_in("  WORKER ").status_code == 302


def test_everybody_lands_where_their_work_is(town: Town) -> None:
    assert town.person("resident").get("/").location == "/home"
    assert town.person("worker").get("/").location == "/work"
    assert town.person().get("/").status_code == 200


def test_a_wrong_password_and_an_unknown_account_get_the_same_answer(town: Town) -> None:
    pages = []
    for name in ("worker", "nobody-here", "13800138001", "13900000000"):
        answer = town.person().sign_in(name, "not-the-password")
        assert answer.status_code == 422
        assert WRONG in answer.text
        page = re.sub(r'(value|content)="[^"]*"', "", answer.text)
        pages.append(page)
    assert len(set(pages)) == 1


def test_an_empty_form_says_what_is_missing(town: Town) -> None:
    answer = town.person().sign_in("", "")
    assert answer.status_code == 422
    assert "Enter your phone number or user name." in answer.text


def test_what_was_typed_is_kept_but_never_the_password(town: Town) -> None:
    answer = town.person().sign_in("worker", "not-the-password")
    assert 'value="worker"' in answer.text
    assert "not-the-password" not in answer.text


def test_a_closed_account_cannot_sign_in_and_its_session_ends(town: Town) -> None:
    inside = town.person("worker")
    with town.db.write() as session:
        session.get(User, town.ids["user:worker"]).active = False  # type: ignore[union-attr]
    assert inside.get("/work").location.startswith("/sign-in")
    assert town.person().sign_in("worker").status_code == 422


@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)"]
)
def test_sign_in_leads_to_no_other_site(town: Town, target: str) -> None:
    person = town.person()
    answer = person.post(
        "/sign-in", {"identity": "13800138001", "password": PASSWORD, "next": target}
    )
    if answer.status_code == 302:
        assert re.match(r"/(?![/\\])", answer.location)
    else:
        assert answer.status_code == 422


def test_after_sign_in_one_comes_back_to_the_page_one_wanted(town: Town) -> None:
    person = town.person()
    asked = person.get("/visitors?page=2")
    assert asked.status_code == 302
    page = person.get(asked.location)
    wanted = re.findall(r'name="next" value="([^"]+)"', page.text)
    answer = person.post(
        asked.location, {"identity": "13800138001", "password": PASSWORD, "next": wanted[-1]}
    )
    assert answer.location == "/visitors?page=2"


def test_signing_out_ends_the_session_and_takes_a_post(town: Town) -> None:
    person = town.person("worker")
    assert person.get("/sign-out").status_code == 405
    assert person.get("/work").status_code == 200
    assert person.post("/sign-out").status_code == 302
    assert person.get("/work").status_code == 302


def test_the_cookie_is_for_the_browser_and_this_site_only(town: Town) -> None:
    answer = town.person().sign_in("13800138001")
    (cookie,) = [c for c in answer.headers.getlist("Set-Cookie") if c.startswith("linli=")]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Expires=" in cookie
    assert "Secure" not in cookie


def test_on_https_the_cookie_is_secure(town: Town) -> None:
    town.config = type(town.config)(
        data_dir=town.config.data_dir, public_url="https://linli.example"
    )
    answer = town.app.test_client().get("/sign-in", base_url="https://linli.example")
    assert "Secure" in answer.headers["Set-Cookie"]
    assert answer.headers["Strict-Transport-Security"].startswith("max-age=")


def test_the_moment_of_the_last_sign_in_is_kept(town: Town) -> None:
    town.person().sign_in("13800138001")
    with town.db.read() as session:
        seen = session.scalar(
            select(User.last_sign_in_at).where(User.id == town.ids["user:resident"])
        )
    assert seen == town.clock.now


def test_staff_with_an_authenticator_need_its_code_too(town: Town) -> None:
    person = town.person()
    half = person.sign_in("secure")
    assert half.status_code == 302
    assert half.location.startswith("/sign-in/code")
    assert person.get("/work").location.startswith("/sign-in")

    page = person.get(half.location)
    assert page.status_code == 200
    assert "Open your authenticator app" in page.text
    wrong = person.post(half.location, {"code": "000000"})
    assert wrong.status_code == 422
    assert "This code is not right" in wrong.text
    assert person.get("/work").status_code == 302

    now = pyotp.TOTP(TOTP).now()
    right = person.post(half.location, {"code": f"{now[:3]} {now[3:]}"})
    assert (right.status_code, right.location) == (302, "/")
    assert person.get("/work").status_code == 200


def test_a_code_page_without_a_password_before_leads_to_sign_in(town: Town) -> None:
    person = town.person()
    assert person.get("/sign-in/code").location.startswith("/sign-in")
    answer = person.post("/sign-in/code", {"code": pyotp.TOTP(TOTP).now()})
    assert answer.location.startswith("/sign-in")
    assert person.get("/work").status_code == 302


def test_codes_cannot_be_tried_one_after_the_other(town: Town) -> None:
    person = town.person()
    person.sign_in("secure")
    answers = [person.post("/sign-in/code", {"code": f"{n:06}"}).status_code for n in range(6)]
    assert answers == [422] * 5 + [429]
    other = town.person()
    refused = other.sign_in("secure")
    assert refused.status_code == 422
    assert "Wait 1 minute and try again." in refused.text


def test_passwords_of_one_account_cannot_be_tried_one_after_the_other(town: Town) -> None:
    answers = [town.person().sign_in("worker", f"try-{n}").status_code for n in range(11)]
    assert answers == [422] * 10 + [429]
    assert town.person().sign_in("worker").status_code == 429
    assert town.person().sign_in("manager").status_code == 302
    refused = town.person().sign_in("worker")
    assert "That was too often." in refused.text
    assert "Retry-After" in refused.headers


def test_no_machine_token_of_the_library_opens_a_page(town: Town) -> None:
    with town.app.test_request_context(), town.db.read() as session:
        user = session.get(User, town.ids["user:worker"])
        assert user is not None
        token = user.get_auth_token()
    client = town.app.test_client()
    assert client.get("/work", headers={"Authentication-Token": str(token)}).status_code == 302


def test_opening_the_code_page_while_signed_in_signs_nobody_out(town: Town) -> None:
    worker = town.person("worker")
    answer = worker.get("/sign-in/code")
    assert (answer.status_code, answer.location) == (302, "/")
    assert worker.get("/work").status_code == 200
