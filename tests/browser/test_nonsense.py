"""Nonsense in every field: a sentence beside it in the person's language, all else kept, never a failure."""

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser import looks
from tests.browser.pages import Places
from tests.browser.people import PHONE, People
from tests.browser.registering import (
    applicant,
    consent,
    enter_document,
    enter_dwelling,
    enter_person,
)

pytestmark = pytest.mark.system

NONSENSE = {
    "nothing": "",
    "much": "x" * 10_000,
    "emoji": "😀👨‍👩‍👧🏳️‍🌈",
    "direction marks": "\u202egnp.exe\u202c\u200f",
    "sql": "' OR 1=1; DROP TABLE residents;--",
    "negative": "-1",
    "markup": "<img src=x onerror=alert(1)>{{7*7}}",
    "null and line breaks": "a\x01\tb",
}


@pytest.fixture(params=NONSENSE)
def nonsense(request: pytest.FixtureRequest) -> str:
    return NONSENSE[request.param]


def put(page: Page, name: str, text: str) -> None:
    """Put text into a field, as somebody can who does not mind what the browser would allow."""
    field = page.locator(f"[name={name}]").first
    field.evaluate(
        "e => { e.removeAttribute('maxlength'); if (e.type !== 'password') e.type = 'text'; }"
    )
    field.evaluate("(e, text) => { e.value = text; }", text)


def choose(page: Page, name: str, value: str) -> None:
    """Make a list or a set of buttons answer something that it does not offer."""
    page.locator(f"[name={name}]").first.evaluate(
        """(e, value) => {
          if (e.type === "radio") { e.value = value; e.checked = true; return; }
          e.append(new Option(value, value, true, true));
        }""",
        value,
    )


def send(page: Page) -> int:
    """Send the form and say how the server answered."""
    with page.expect_navigation() as going:
        page.locator("main form button[type=submit]:not([name=step])").first.click()
    answer = going.value
    assert answer is not None
    return answer.status


def sentence(page: Page, name: str) -> Locator:
    """The sentence beside a field, tied to it for whoever does not see it."""
    beside = page.locator(f"#{name}-error")
    expect(beside).to_be_visible()
    tied = page.locator(f"[aria-describedby~='{name}-error']")
    expect(tied).to_have_count(1)
    assert beside.inner_text().strip()
    return beside


def entered(page: Page, name: str) -> str:
    value: str = page.locator(f"[name={name}]").first.input_value()
    return value


def whole(page: Page, language: str, places: Places) -> None:
    assert looks.untranslated(page, language, places.names) == []
    assert looks.too_wide(page) == []
    assert page.evaluate("() => !!document.activeElement.closest('[role=alert]')"), (
        "no focus on what is wrong"
    )


def test_registration_says_beside_each_field_what_is_wrong_and_keeps_what_was_entered(
    people: People, places: Places
) -> None:
    page = people.stranger(size=PHONE)
    who = applicant()

    def refused(*fields: str) -> None:
        """Nonsense in each of these, one kind after the other."""
        for nonsense in NONSENSE.values():
            for name in fields:
                put(page, name, nonsense)
            assert send(page) == 422
            for name in fields:
                sentence(page, name)
            whole(page, "zh_Hans_CN", places)

    consent(page, f"/r/{people.facts['uscc']}")
    refused("name", "phone")
    # One field at fault: the other stays as it was.
    put(page, "name", who.name)
    put(page, "phone", NONSENSE["markup"])
    assert send(page) == 422
    sentence(page, "phone")
    assert page.locator("#name-error").count() == 0
    assert entered(page, "name") == who.name
    enter_person(page, who)
    refused("document_number")
    enter_document(page, who)
    enter_dwelling(page, "2号楼", "1单元", "201")
    put(page, "password", "short")
    put(page, "confirm", "other")
    assert send(page) == 422
    for name in ("password", "confirm"):
        sentence(page, name)
        assert entered(page, name) == ""
    whole(page, "zh_Hans_CN", places)


def test_registration_takes_no_answer_that_it_does_not_offer(
    people: People, places: Places
) -> None:
    page = people.stranger("en")
    page.goto(f"/r/{people.facts['uscc']}")
    assert send(page) == 422
    expect(sentence(page, "agree")).to_contain_text("Without your agreement you cannot register")
    whole(page, "en", places)
    who = applicant()
    consent(page, f"/r/{people.facts['uscc']}")
    enter_person(page, who)
    choose(page, "document_type", "driver's licence")
    assert send(page) == 422
    expect(page.locator("#document_type-error")).to_have_text("Choose the kind of document.")
    enter_document(page, who)
    for name in ("building", "unit", "dwelling"):
        choose(page, name, "-1 OR 1=1")
    choose(page, "relation", "<b>king</b>")
    assert send(page) == 422
    for name in ("building", "unit", "dwelling"):
        sentence(page, name)
    expect(page.locator("#relation-error")).to_have_text("Choose how you belong to the dwelling.")
    whole(page, "en", places)


@pytest.mark.parametrize("language", ["zh_Hans_CN", "en"])
def test_sign_in_says_what_is_wrong_and_keeps_the_name(
    people: People, places: Places, nonsense: str, language: str
) -> None:
    page = people.stranger(language)
    page.goto("/sign-in")
    put(page, "identity", nonsense)
    put(page, "password", nonsense)
    assert send(page) == 422
    if nonsense:
        said = {"en": "The name or the password is not right.", "zh_Hans_CN": "账号或密码不正确"}
        expect(page.get_by_role("alert")).to_contain_text(said[language])
        assert (
            entered(page, "identity") == nonsense.replace("\x01", "").strip()
            or entered(page, "identity") == nonsense
        )
    else:
        sentence(page, "identity")
        sentence(page, "password")
    whole(page, language, places)


def test_a_wrong_code_of_the_authenticator_is_refused_beside_its_field(
    people: People, places: Places
) -> None:
    page = people.stranger("en")
    page.goto("/sign-in")
    put(page, "identity", "support")
    put(page, "password", people.accounts["support"]["password"])
    send(page)
    for nonsense in ("", NONSENSE["much"], NONSENSE["emoji"], NONSENSE["negative"]):
        put(page, "code", nonsense)
        assert send(page) == 422
        expect(sentence(page, "code")).to_contain_text("This code is not right")
        assert looks.untranslated(page, "en", places.names) == []


def test_an_invitation_says_beside_each_field_what_is_wrong_and_keeps_what_was_entered(
    people: People, places: Places, nonsense: str
) -> None:
    page = people.signed_in(people.resident, "en")
    page.goto("/visitors/new")
    for name in ("visitor_phone", "valid_from", "valid_until"):
        put(page, name, nonsense)
    choose(page, "purpose", nonsense or "nothing")
    put(page, "visitor_name", "")
    assert send(page) == 422
    for name in ("visitor_phone", "valid_from", "valid_until", "visitor_name"):
        sentence(page, name)
    whole(page, "en", places)

    page.goto("/visitors/new")
    start = entered(page, "valid_from")
    put(page, "visitor_name", nonsense)
    put(page, "visitor_phone", "13900000000x")
    assert send(page) == 422
    sentence(page, "visitor_phone")
    assert entered(page, "valid_from") == start
    assert entered(page, "visitor_phone") == "13900000000x"
