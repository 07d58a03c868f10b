"""What every page shares: headers, CSRF, errors, language, health, static files."""

from __future__ import annotations

import re
from pathlib import Path

import pyotp
import pytest

from portal.accounts.security import secret_key
from portal.config import Config
from portal.core import migrate
from portal.core.errors import ConflictError, ForbiddenError, NotFoundError, TooManyError
from portal.web.start import own_path
from tests.portal.cast import TOTP, USCC, Town

TEMPLATES = sorted((Path(__file__).parents[3] / "portal").glob("**/templates/**/*.html"))


def test_every_answer_forbids_inline_script_and_framing(town: Town) -> None:
    for path in ("/", "/sign-in", "/nowhere", "/healthz", f"/r/{USCC}"):
        headers = town.person().get(path).headers
        policy = headers["Content-Security-Policy"]
        assert "script-src 'self'" in policy
        assert "style-src 'self'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "same-origin"
        assert headers["Cache-Control"] == "no-store"
        assert re.fullmatch(r"[0-9a-f]{32}", headers["X-Request-ID"])


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_templates_hold_no_inline_script_or_style(template: Path) -> None:
    text = template.read_text("utf-8")
    assert not re.search(r"<script(?![^>]*\bsrc=)", text)
    assert not re.search(r"<style\b", text)
    assert not re.search(r"\sstyle=", text)
    assert not re.search(r"\son[a-z]+=", text)
    assert "hx-on" not in text
    assert "js:" not in text


def test_a_given_request_id_is_kept_and_nonsense_is_not(town: Town) -> None:
    person = town.person()
    given = person.get("/healthz", headers={"X-Request-ID": "abcdef-123456"})
    assert given.headers["X-Request-ID"] == "abcdef-123456"
    nonsense = person.get("/healthz", headers={"X-Request-ID": "<script>alert(1)</script>"})
    assert "<" not in nonsense.headers["X-Request-ID"]


def test_every_page_that_changes_something_demands_a_csrf_token(town: Town) -> None:
    person = town.person("worker")
    asked = 0
    for rule in town.app.url_map.iter_rules():
        methods = (rule.methods or set()) & {"POST", "PUT", "PATCH", "DELETE"}
        if not methods or rule.rule.startswith("/api/"):
            continue
        path = re.sub(r"<any\((\w+)[^>]*>", r"\1", rule.rule)
        path = path.replace("<uscc>", USCC).replace("<int:", "<")
        path = re.sub(r"<[^>]+>", "1", path)
        for method in methods:
            asked += 1
            answer = person.client.open(path, method=method)
            assert answer.status_code == 400, path
            assert answer.headers["Content-Type"].startswith("text/html")
    assert asked >= 7


def test_a_token_of_another_session_is_refused(town: Town) -> None:
    stranger, person = town.person(), town.person("worker")
    stranger.get("/sign-in")
    answer = person.client.post("/sign-out", data={"csrf_token": stranger.token})
    assert answer.status_code == 400
    assert person.get("/work").status_code == 200


@pytest.mark.parametrize(
    ("error", "status", "sentence"),
    [
        (NotFoundError("x", "Gone for good."), 404, "Gone for good."),
        (ForbiddenError("x", "Not for you."), 403, "Not for you."),
        (ConflictError("x", "Others were first."), 409, "Others were first."),
        (TooManyError("x", "Slow down."), 429, "Slow down."),
        (RuntimeError("secret detail"), 500, "It has been logged."),
    ],
)
def test_refusals_and_failures_become_pages(
    town: Town, error: Exception, status: int, sentence: str
) -> None:
    def broken() -> None:
        raise error

    town.app.add_url_rule("/broken", "broken", broken)
    answer = town.person().get("/broken")
    assert answer.status_code == status
    assert sentence in answer.text
    assert "secret detail" not in answer.text
    assert answer.headers["X-Request-ID"] in answer.text


def test_errors_are_said_in_chinese_too(town: Town) -> None:
    answer = town.person(language="zh_Hans_CN").get("/nowhere")
    assert answer.status_code == 404
    assert "没有找到" in answer.text
    assert '<html lang="zh-Hans-CN">' in answer.text


def test_a_method_that_a_page_does_not_know_is_refused(town: Town) -> None:
    answer = town.person().post("/home")
    assert answer.status_code == 405
    assert "GET" in answer.headers["Allow"]


def test_a_huge_request_is_refused(town: Town) -> None:
    person = town.person()
    person.get("/sign-in")
    answer = person.post("/sign-in", {"identity": "x" * 5_000_000, "password": "y"})
    assert answer.status_code == 413
    assert "too large" in answer.text


def test_the_api_answers_errors_as_problems(town: Town) -> None:
    for path, status in (("/api/v1/nowhere", 404), ("/api/v1/communities", 401)):
        answer = town.person().get(path)
        assert answer.status_code == status
        assert answer.content_type.startswith("application/problem+json")


def test_the_language_can_be_switched_and_is_remembered(town: Town) -> None:
    person = town.person("worker", language="zh_Hans_CN")
    assert "工作台" in person.get("/work").text
    answer = person.post("/language", {"language": "en", "next": "/work/residents?page=1"})
    assert (answer.status_code, answer.location) == (303, "/work/residents?page=1")
    assert "Workbench" in person.get("/work").text
    again = town.person(language="zh_Hans_CN")
    again.sign_in("worker")
    again.post("/sign-in/code", {"code": pyotp.TOTP(TOTP).now()})
    assert "Workbench" in again.get("/work").text


def test_an_unknown_language_is_refused(town: Town) -> None:
    assert town.person().post("/language", {"language": "xx"}).status_code == 422


@pytest.mark.parametrize(
    ("target", "path"),
    [
        ("/work?page=2", "/work?page=2"),
        ("", "/"),
        ("https://evil.example/", "/"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("/a\\..\\evil", "/"),
        ("/a\r\nSet-Cookie: x=1", "/"),
        ("javascript:alert(1)", "/"),
    ],
)
def test_only_own_paths_are_gone_back_to(town: Town, target: str, path: str) -> None:
    with town.app.test_request_context():
        assert own_path(target) == path


def test_alive_and_ready(town: Town) -> None:
    person = town.person()
    assert person.get("/healthz").json == {"status": "ok"}
    ready = person.get("/readyz")
    assert (ready.status_code, ready.json["status"]) == (200, "ok")  # type: ignore[index]


def test_not_ready_before_the_schema_is_up_to_date(town: Town) -> None:
    migrate.downgrade(town.db, "base")
    answer = town.person().get("/readyz")
    assert answer.status_code == 503
    assert answer.json["checks"]["migrations"] == "not at head"  # type: ignore[index]


def test_static_files_are_there_and_may_be_kept(town: Town) -> None:
    person = town.person()
    page = person.get("/").text
    files = re.findall(r'(?:href|src)="(/static/[^"]+)"', page)
    assert len(files) >= 4
    for file in files:
        with person.client.get(file) as answer:
            assert answer.status_code == 200
            assert "immutable" in answer.headers["Cache-Control"]


def test_htmx_may_neither_evaluate_nor_inject_styles(town: Town) -> None:
    page = town.person().get("/").text
    assert '"allowEval":false' in page
    assert '"includeIndicatorStyles":false' in page


def test_the_secret_key_is_made_once_and_for_the_owner_only(tmp_path: Path) -> None:
    config = Config(data_dir=tmp_path / "data")
    key = secret_key(config)
    assert len(key) == 64
    assert secret_key(config) == key
    (file,) = (tmp_path / "data").iterdir()
    assert file.stat().st_mode & 0o777 == 0o600
    assert secret_key(Config(data_dir=tmp_path / "data", secret_key="given")) == "given"


def test_no_view_is_open_by_accident(town: Town) -> None:
    """Signed out, every page either is one of the public ones or leads to sign-in.

    Public too are links with a secret of their own, and where such a code is typed in; a courier's pages
    lead to where theirs is.
    """
    public = {"start", "security", "health", "static", "shell"}
    by_code = (
        "/api/",
        "/r/",
        "/v/",
        "/k/",
        "/c/",
        "/pickup",
        "/courier/sign-in",
        "/join/",
        "/sign-in/",
    )
    about_nobody = {"passes.offline"}
    person = town.person()
    for rule in town.app.url_map.iter_rules():
        if "GET" not in (rule.methods or set()) or rule.rule.startswith(by_code):
            continue
        if rule.endpoint.partition(".")[0] in public or rule.endpoint in about_nobody:
            continue
        path = re.sub(r"<[^>]+>", "1", rule.rule)
        answer = person.get(path)
        assert answer.status_code in (302, 303), path
        courier = path.startswith("/courier")
        assert answer.location.startswith("/courier/sign-in" if courier else "/sign-in"), path
