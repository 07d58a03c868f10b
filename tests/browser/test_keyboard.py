"""Registration and its approval without a mouse: every step is reached by Tab, and shows that it is."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.people import DESK, People
from tests.browser.registering import PASSWORD, Applicant, applicant

pytestmark = pytest.mark.system

FURTHEST = 60
_FOCUSED = (
    "chosen => document.activeElement !== document.body && document.activeElement.matches(chosen)"
)
_SHOWS_FOCUS = """() => {
  const style = getComputedStyle(document.activeElement);
  return style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0 || style.boxShadow !== "none";
}"""


def reach(page: Page, selector: str) -> None:
    """Press Tab until the focus is there; whoever looks must see where it is."""
    for _ in range(FURTHEST):
        page.keyboard.press("Tab")
        if page.evaluate(_FOCUSED, selector):
            assert page.evaluate(_SHOWS_FOCUS), f"the focus on {selector} cannot be seen"
            return
    raise AssertionError(f"{selector} is not reached by {FURTHEST} times Tab on {page.url}")


def choose_next(page: Page, selector: str) -> None:
    """Choose the next entry of a list; the focus stays on it while the other lists come in."""
    with page.expect_response(lambda answer: answer.request.method == "POST"):
        page.keyboard.press("ArrowDown")
    expect(
        page.locator("#dwelling-fields.htmx-request, #dwelling-fields.htmx-settling")
    ).to_have_count(0)
    assert page.evaluate(_FOCUSED, selector), f"{selector} lost the focus"


def register(page: Page, link: str, who: Applicant) -> None:
    page.goto(link)
    page.keyboard.press("Tab")
    assert page.evaluate(_FOCUSED, "a.skip")
    page.keyboard.press("Enter")
    assert page.evaluate(_FOCUSED, "main")
    reach(page, "#agree")
    page.keyboard.press("Space")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/person"))
    for field, text in (("#name", who.name), ("#phone", who.phone)):
        reach(page, field)
        page.keyboard.insert_text(text)
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/document"))
    reach(page, "input[name=document_type]:checked")
    page.keyboard.press("ArrowDown")
    assert page.evaluate(_FOCUSED, "input[value=passport]:checked")
    page.keyboard.press("ArrowUp")
    reach(page, "#document_number")
    page.keyboard.insert_text(who.document)
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/dwelling"))
    reach(page, "#building")
    choose_next(page, "#building")
    reach(page, "#unit")
    choose_next(page, "#unit")
    reach(page, "#dwelling")
    page.keyboard.press("ArrowDown")
    reach(page, "input[name=relation]")
    page.keyboard.press("Space")
    reach(page, "main form button[type=submit]")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/secret"))
    for field in ("#password", "#confirm"):
        reach(page, field)
        page.keyboard.insert_text(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/check"))
    reach(page, "main form button[type=submit]")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/done"))


def test_one_registers_and_a_worker_approves_by_keyboard_alone(people: People) -> None:
    who = applicant("郑明月")
    phone = people.stranger()
    register(phone, f"/r/{people.facts['uscc']}", who)
    expect(phone.get_by_text("谢谢，您的登记正在等待审核。")).to_be_visible()

    worker = people.signed_in("worker", size=DESK)
    worker.goto("/work")
    reach(worker, "nav a[href='/work/residents']")
    worker.keyboard.press("Enter")
    worker.wait_for_url("**/work/residents")
    masked = f"{who.phone[:3]}****{who.phone[-4:]}"
    link = worker.get_by_role("row").filter(has_text=masked).get_by_role("link")
    address = link.get_attribute("href")
    reach(worker, f"a[href='{address}']")
    worker.keyboard.press("Enter")
    worker.wait_for_url(f"**{address}")
    reach(worker, "#note")
    worker.keyboard.insert_text("请到物业领取钥匙")
    reach(worker, "button[value=approve]")
    worker.keyboard.press("Enter")
    expect(worker.locator("#messages")).to_contain_text("登记已通过。")
    people.sign_in(phone, who.phone, PASSWORD)
    phone.goto("/pass")
    expect(phone.locator("[data-pass-code]")).to_be_visible()
