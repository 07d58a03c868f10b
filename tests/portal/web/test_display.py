"""Theme and text size are remembered in cookies and drawn by the server."""

from __future__ import annotations

import re

import pytest

from tests.portal.cast import Town


def _root(page: str) -> str:
    found = re.search(r"<html [^>]*>", page)
    assert found
    return found.group(0)


def test_without_a_choice_the_device_decides(town: Town) -> None:
    page = town.person().get("/").text
    assert _root(page) == '<html lang="en">'
    assert '<meta name="color-scheme" content="light dark">' in page


@pytest.mark.parametrize(
    ("field", "value", "attribute"),
    [
        ("theme", "dark", 'data-theme="dark"'),
        ("theme", "light", 'data-theme="light"'),
        ("text", "large", 'data-text="large"'),
    ],
)
def test_a_choice_is_remembered_on_every_page_also_on_errors(
    town: Town, field: str, value: str, attribute: str
) -> None:
    person = town.person()
    person.get("/sign-in")
    answer = person.post("/display", {field: value, "back": "/sign-in"})
    assert (answer.status_code, answer.location) == (303, "/sign-in")
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    for path in ("/", "/sign-in", "/nowhere"):
        assert attribute in _root(person.get(path).text)


def test_going_back_to_the_default_forgets_the_choice(town: Town) -> None:
    person = town.person("resident")
    person.get("/home")
    person.post("/display", {"theme": "dark", "text": "large"})
    assert "data-theme" in _root(person.get("/home").text)
    person.post("/display", {"theme": "auto", "text": "normal"})
    assert "data-" not in _root(person.get("/home").text)


def test_a_script_gets_no_page(town: Town) -> None:
    person = town.person()
    person.get("/")
    answer = person.client.post(
        "/display",
        data={"text": "large", "csrf_token": person.token},
        headers={"X-Requested-With": "fetch"},
    )
    assert (answer.status_code, answer.data) == (204, b"")
    assert "text=large" in answer.headers["Set-Cookie"]


@pytest.mark.parametrize("fields", [{}, {"theme": "pink"}, {"text": "large", "theme": "x"}])
def test_an_unknown_choice_is_refused_and_nothing_is_kept(
    town: Town, fields: dict[str, str]
) -> None:
    person = town.person()
    person.get("/")
    answer = person.post("/display", fields)
    assert answer.status_code == 422
    assert "theme=" not in answer.headers.get("Set-Cookie", "")
    assert "text=" not in answer.headers.get("Set-Cookie", "")


def test_a_forged_cookie_counts_as_no_choice(town: Town) -> None:
    person = town.person()
    person.client.set_cookie("theme", '"><script>')
    assert _root(person.get("/").text) == '<html lang="en">'


def test_it_leads_back_to_own_pages_only(town: Town) -> None:
    person = town.person()
    person.get("/")
    answer = person.post("/display", {"theme": "dark", "back": "https://evil.example/"})
    assert answer.location == "/"


@pytest.mark.parametrize("path", ["/", "/sign-in", "/nowhere"])
def test_language_text_size_and_theme_can_be_switched_on_every_page(town: Town, path: str) -> None:
    page = town.person().get(path).text
    assert 'name="language" value="zh_Hans_CN"' in page
    assert 'name="text" value="large"' in page
    assert page.count('name="theme"') == 3
