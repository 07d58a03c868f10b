"""The search box of staff in a browser: typing, arrows, opening, nonsense, a phone, without script."""

import re

import pytest
from playwright.sync_api import Page, Request, expect

from tests.browser.people import DESK, PHONE, People

pytestmark = pytest.mark.system

TOP = "#top-search"
PAGE = "#page-search"
LISTED = ".suggestions:not([hidden])"
DWELLING = "1-1-101"


def typed(page: Page, box: str, text: str) -> None:
    """Type, and wait for the answer to all of it."""
    with page.expect_response(
        lambda answer: (
            answer.url.endswith("/work/search/suggestions")
            and text in (answer.request.post_data_json or {}).get("q", "")
        )
    ):
        page.locator(box).press_sequentially(text)
    page.locator(LISTED).wait_for()


@pytest.mark.parametrize(("language", "kind"), [("zh_Hans_CN", "房屋"), ("en", "Dwellings")])
def test_a_worker_finds_a_dwelling_by_keyboard_alone(
    people: People, language: str, kind: str
) -> None:
    page = people.signed_in("worker", language, DESK)
    page.goto("/work")
    page.keyboard.press("/")
    expect(page.locator(TOP)).to_be_focused()
    expect(page.locator(TOP)).to_have_value("")
    typed(page, TOP, DWELLING)
    listed = page.locator(LISTED)
    expect(listed).to_contain_text(kind)
    expect(listed.get_by_role("status")).to_contain_text("1")
    page.keyboard.press("ArrowDown")
    link = listed.get_by_role("link").first
    expect(link).to_be_focused()
    page.keyboard.press("ArrowUp")
    expect(page.locator(TOP)).to_be_focused()
    page.keyboard.press("Escape")
    expect(listed).to_have_count(0)
    page.locator(TOP).fill("")
    typed(page, TOP, DWELLING)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/work/dwellings/\d+$"))
    expect(page.locator("h1")).to_have_text("1号楼 1单元 101")


def test_nothing_of_what_is_typed_stands_in_an_address(people: People) -> None:
    page = people.signed_in("worker", "en", DESK)
    asked: list[str] = []

    def note(request: Request) -> None:
        asked.extend([request.url, request.headers.get("referer", "")])

    page.context.on("request", note)
    page.goto("/work")
    typed(page, TOP, "藏Z12045")
    expect(page.locator(LISTED)).to_contain_text("藏Z·1**45")
    page.keyboard.press("Enter")
    page.wait_for_url("**/work/search")
    page.locator("main .links a").first.click()
    page.wait_for_url(re.compile(r"/work/vehicles/\d+$"))
    expect(page.locator("h1")).to_have_text("藏Z·1**45")
    page.go_back()
    expect(page.locator(PAGE)).to_have_value("藏Z12045")
    expect(page.locator("main .links")).to_contain_text("藏Z·1**45")
    assert not [address for address in asked if "12045" in address or "%E8%97%8F" in address]


def test_a_part_of_a_number_and_nonsense_are_answered_kindly(people: People) -> None:
    page = people.signed_in("worker", "en", DESK)
    for text, words in (
        ("1990000", "type all 11 digits"),
        ("藏Z12", "type the whole plate"),
        ("<b>'; DROP TABLE residents; --", "Nothing like it is in what your role may see"),
    ):
        page.goto("/work")
        typed(page, TOP, text)
        page.keyboard.press("Enter")
        page.wait_for_url("**/work/search")
        expect(page.locator("main .empty")).to_contain_text(words)
        expect(page.locator(PAGE)).to_have_value(text)


def test_whoever_searches_too_often_is_told(people: People) -> None:
    page = people.signed_in("worker", "en", DESK)
    page.goto("/work")
    page.route("**/work/search/suggestions", lambda route: route.fulfill(status=429))
    page.locator(TOP).press_sequentially(DWELLING)
    expect(page.locator(LISTED)).to_contain_text("That was too often.")
    page.keyboard.press("Escape")
    expect(page.locator(LISTED)).to_have_count(0)


def test_the_slash_stays_a_slash_where_somebody_writes(people: People) -> None:
    page = people.signed_in("worker", "en", DESK)
    page.goto("/work/search")
    page.locator(PAGE).press_sequentially("1/1/101")
    expect(page.locator(PAGE)).to_have_value("1/1/101")


def test_on_a_phone_the_sign_opens_the_page(people: People) -> None:
    page = people.signed_in("worker", "zh_Hans_CN", PHONE)
    page.goto("/work")
    expect(page.locator(TOP)).to_be_hidden()
    page.get_by_role("link", name="搜索").click()
    page.wait_for_url("**/work/search")
    typed(page, PAGE, "大门")
    page.locator(LISTED).get_by_role("link").first.click()
    page.wait_for_url(re.compile(r"/work/devices/\d+$"))


def test_an_auditor_finds_no_person_and_is_told_nothing_about_any(people: People) -> None:
    page = people.signed_in("auditor", "zh_Hans_CN", DESK)
    for text in ("藏Z12045", "藏Z99999"):
        page.goto("/work/search")
        page.locator(PAGE).fill(text)
        page.keyboard.press("Enter")
        expect(page.locator("main .empty")).to_contain_text("在您可查看的范围内没有匹配的内容")


def test_without_script_the_form_does_the_same(people: People) -> None:
    state = people.signed_in("worker", "zh_Hans_CN", DESK).context.storage_state()
    page = people.stranger("zh_Hans_CN", DESK, storage_state=state, java_script_enabled=False)
    page.goto("/work")
    page.locator(TOP).fill(DWELLING)
    page.locator(TOP).press("Enter")
    page.wait_for_url("**/work/search")
    page.locator("main .links a").first.click()
    page.wait_for_url(re.compile(r"/work/dwellings/\d+$"))


def test_residents_have_no_such_box(people: People) -> None:
    page = people.signed_in(people.resident)
    page.goto("/home")
    expect(page.locator("[data-search], .top-search-link")).to_have_count(0)
