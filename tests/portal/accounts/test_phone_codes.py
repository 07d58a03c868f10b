"""Codes by phone: right once, five tries, five minutes, limits; pages tell nobody who has an account."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from sqlalchemy import text

from portal import config as configuration
from portal.accounts import otp, sms
from portal.accounts.otp import Purpose
from portal.config import Config, ConfigError
from portal.core.errors import TooManyError
from tests.portal.cast import NOW, Town

PHONE = "13800138001"


def issue(town: Town, phone: str = PHONE, purpose: Purpose = Purpose.SIGN_IN) -> otp.Issued:
    with town.db.write() as session:
        return otp.issue(session, phone, purpose, town.clock.now)


def redeem(town: Town, typed: str, phone: str = PHONE, purpose: Purpose = Purpose.SIGN_IN) -> bool:
    with town.db.write() as session:
        return otp.redeem(session, phone, purpose, typed, town.clock.now)


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 10**6:06}"


def test_a_code_is_right_once_for_its_phone_and_purpose(town: Town) -> None:
    code = issue(town).code
    assert not redeem(town, code, phone="13800138002")
    assert not redeem(town, code, purpose=Purpose.PROVE_PHONE)
    assert redeem(town, f" {code[:3]} {code[3:]} ")
    assert not redeem(town, code)


def test_five_wrong_tries_kill_a_code(town: Town) -> None:
    code = issue(town).code
    assert [redeem(town, wrong(code)) for _ in range(5)] == [False] * 5
    assert not redeem(town, code)


def test_the_fifth_try_may_be_right(town: Town) -> None:
    code = issue(town).code
    for _ in range(4):
        redeem(town, wrong(code))
    assert redeem(town, code)


@pytest.mark.parametrize(("after", "good"), [(299, True), (300, False)])
def test_a_code_lasts_five_minutes(town: Town, after: int, good: bool) -> None:
    code = issue(town).code
    town.clock.now = NOW + timedelta(seconds=after)
    assert redeem(town, code) is good


def test_a_new_code_replaces_the_old_one(town: Town) -> None:
    first = issue(town).code
    town.clock.now = NOW + timedelta(seconds=61)
    second = issue(town).code
    assert not redeem(town, first) or first == second
    assert redeem(town, second)


def test_a_phone_is_sent_only_so_many(town: Town) -> None:
    issue(town)
    with pytest.raises(TooManyError):
        issue(town)
    for n in range(1, otp.MOST_AN_HOUR):
        town.clock.now = NOW + timedelta(minutes=2 * n)
        issue(town)
    town.clock.now = NOW + timedelta(minutes=30)
    with pytest.raises(TooManyError):
        issue(town)
    issue(town, "13800138002")
    for hour in range(1, 2):
        for n in range(otp.MOST_A_DAY - otp.MOST_AN_HOUR):
            town.clock.now = NOW + timedelta(hours=2 * hour, minutes=2 * n)
            issue(town)
    town.clock.now = NOW + timedelta(hours=8)
    with pytest.raises(TooManyError):
        issue(town)


def test_of_two_at_once_one_uses_the_code(town: Town) -> None:
    code = issue(town).code
    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(lambda _: redeem(town, code), range(4))) == [False] * 3 + [True]


@pytest.mark.parametrize("typed", ["", "abc", "12345", "1234567", "１２３４５６", "' or 1=1", "\0"])
def test_nonsense_is_wrong(town: Town, typed: str) -> None:
    issue(town)
    assert not redeem(town, typed)


def test_neither_number_nor_code_is_in_the_database(town: Town) -> None:
    code = issue(town).code
    with town.db.read() as session:
        raw = repr(session.execute(text("select * from phone_codes")).all())
    assert PHONE not in raw
    assert f"'{code}'" not in raw


def with_console(town: Town) -> Town:
    town.config = Config(data_dir=town.config.data_dir, sms="console")
    return town


def sent(town: Town, phone: str = PHONE) -> str | None:
    return sms.shown_code(town.config.path(sms.FILE), phone)


def test_a_resident_signs_in_with_a_code(town: Town) -> None:
    person = with_console(town).person()
    assert "code to my phone" in person.get("/sign-in").text
    assert (
        person.post("/sign-in/phone", {"phone": "138 0013 8001"}).location == "/sign-in/phone/code"
    )
    assert town.config.path(sms.FILE).stat().st_mode & 0o077 == 0
    code = sent(town)
    bad = person.post("/sign-in/phone/code", {"code": wrong(code)})
    assert bad.status_code == 422
    assert "138****8001" in bad.text
    assert person.post("/sign-in/phone/code", {"code": code}).location == "/"
    assert person.get("/home").status_code == 200
    assert "Code sent to the phone" in person.get("/account/devices").text


@pytest.mark.parametrize("phone", ["13912345678", "13800138001"])
def test_the_answer_is_the_same_for_known_and_unknown_phones(town: Town, phone: str) -> None:
    person = with_console(town).person()
    asked = person.post("/sign-in/phone", {"phone": phone})
    assert (asked.status_code, asked.location) == (303, "/sign-in/phone/code")
    answer = person.post("/sign-in/phone/code", {"code": "000000"})
    assert answer.status_code == 422
    assert "This code is not right or not valid any more." in answer.text
    assert (sent(town, phone) is not None) is (phone == PHONE)


def test_the_cookie_does_not_tell_the_phone(town: Town) -> None:
    person = with_console(town).person()
    person.post("/sign-in/phone", {"phone": PHONE})
    with person.client.session_transaction() as kept:
        assert PHONE not in str(dict(kept))


def test_staff_cannot_sign_in_by_phone_alone(town: Town) -> None:
    from portal.accounts.models import RoleGrant

    with town.db.write() as session:
        session.add(
            RoleGrant(
                user_id=town.ids["user:resident"],
                role="worker",
                region_id=town.ids["community"],
            )
        )
    with_console(town).person().post("/sign-in/phone", {"phone": PHONE})
    assert sent(town) is None


def test_pages_are_not_there_where_no_sender_is_configured(town: Town) -> None:
    person = town.person()
    assert person.get("/sign-in/phone").status_code == 404
    assert person.get("/sign-in/phone/code").status_code == 404
    assert "code to my phone" not in person.get("/sign-in").text


def test_bad_numbers_get_a_sentence_and_the_second_code_has_to_wait(town: Town) -> None:
    person = with_console(town).person()
    for typed in ("", "abc", "123", "<script>"):
        answer = person.post("/sign-in/phone", {"phone": typed})
        assert answer.status_code == 422
        assert 'class="error"' in answer.text
    person.post("/sign-in/phone", {"phone": PHONE})
    assert person.post("/sign-in/phone", {"phone": PHONE}).status_code == 429


class _Gateway(ThreadingHTTPServer):
    """A gateway that answers as it is told and keeps what it got."""

    def __init__(self, *answers: int) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers = list(answers)
        self.got: list[tuple[str, dict]] = []

    def __enter__(self):
        threading.Thread(target=self.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_args) -> None:
        self.shutdown()
        self.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/send"


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.got.append((self.headers["Authorization"], body))
        self.send_response(self.server.answers.pop(0))
        self.end_headers()

    def log_message(self, *_args) -> None:
        """Quiet."""


MESSAGE = sms.Message("17", PHONE, "sign_in", "zh_Hans_CN", "042817", 5)


@pytest.mark.parametrize(
    ("answers", "taken", "asked"),
    [((200,), True, 1), ((503, 202), True, 2), ((500, 500, 500), False, 3), ((400,), False, 1)],
)
def test_the_gateway_is_asked_again_where_that_may_help(
    monkeypatch: pytest.MonkeyPatch, answers, taken, asked
) -> None:
    monkeypatch.setattr(sms, "PAUSES", (0.0, 0.0))
    with _Gateway(*answers) as gateway:
        assert sms.GatewaySender(gateway.url, "secret").deliver(MESSAGE) is taken
    assert len(gateway.got) == asked
    assert gateway.got[0] == (
        "Bearer secret",
        {
            "id": "17",
            "phone": PHONE,
            "template": "sign_in",
            "language": "zh_Hans_CN",
            "params": {"code": "042817", "minutes": "5"},
        },
    )


def test_a_gateway_that_is_away_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sms, "PAUSES", (0.0, 0.0))
    assert not sms.GatewaySender("http://127.0.0.1:9/", "").deliver(MESSAGE)
    said = "".join(capsys.readouterr())
    assert "042817" not in said
    assert PHONE not in said
    assert "042817" not in repr(MESSAGE)


def test_settings_that_do_not_fit_together_are_named() -> None:
    with pytest.raises(ConfigError, match="LINLI_SMS_URL"):
        configuration.load({"LINLI_SMS": "http"})
    with pytest.raises(ConfigError, match="LINLI_SMS"):
        configuration.load({"LINLI_SMS": "console", "LINLI_PUBLIC_URL": "https://linli.example"})
    assert isinstance(sms.sender(Config()), sms.NullSender)
