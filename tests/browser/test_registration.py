"""Registration on phones that do less, and by people who stop on the way."""

import pytest
from playwright.sync_api import expect

from tests.browser.people import People
from tests.browser.registering import (
    applicant,
    consent,
    enter_document,
    enter_dwelling,
    enter_person,
    enter_secret,
    onward,
)

pytestmark = pytest.mark.system


def test_one_registers_without_scripts(people: People) -> None:
    who = applicant()
    page = people.stranger("en", java_script_enabled=False)
    consent(page, f"/r/{people.facts['uscc']}")
    enter_person(page, who)
    enter_document(page, who)
    for name, choice in (("building", "1号楼"), ("unit", "2单元")):
        page.locator(f"#{name}").select_option(choice)
        page.get_by_role("button", name="Show the choices").click()
    page.locator("#dwelling").select_option("302")
    page.locator("input[name=relation][value=family]").check()
    onward(page, "secret")
    enter_secret(page)
    expect(page.locator(".answers")).to_contain_text("1号楼 2单元 302")
    onward(page, "done")


def test_one_goes_on_after_the_browser_was_closed(people: People) -> None:
    who = applicant()
    link = f"/r/{people.facts['uscc']}"
    page = people.stranger()
    consent(page, link)
    enter_person(page, who)
    enter_document(page, who)
    # What is left of the cookies once the browser has been closed.
    cookies = [one for one in page.context.cookies() if one.get("expires", -1) > 0]
    page.context.close()

    page = people.stranger(storage_state={"cookies": cookies, "origins": []})
    page.goto(link)
    expect(page.get_by_role("heading", level=1)).to_have_text("要从上次的地方继续吗？")
    assert who.name not in page.content()
    page.locator("#phone").fill("13800000000")
    page.get_by_role("button", name="从上次的地方继续").click()
    expect(page.locator("#phone-error")).to_contain_text("与之前填写的号码不一致")
    page.locator("#phone").fill(who.phone)
    page.get_by_role("button", name="从上次的地方继续").click()
    page.wait_for_url("**/dwelling")
    enter_dwelling(page, "1号楼", "1单元", "202")
    page.get_by_role("button", name="返回").click()
    page.wait_for_url("**/dwelling")
    onward(page, "secret")
    enter_secret(page)
    page.get_by_role("link", name="修改 – 姓名").click()
    page.locator("#name").fill("周小帆")
    onward(page, "check")
    expect(page.locator(".answers")).to_contain_text("周小帆")
    onward(page, "done")
