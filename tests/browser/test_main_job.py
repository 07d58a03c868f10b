"""The main job on a running system: register, approve, show the pass, go through the gate."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser import gates
from tests.browser.people import DESK, People
from tests.browser.registering import PASSWORD, Applicant, applicant
from tests.services.up import Up
from tests.services.wait import wait_until

pytestmark = pytest.mark.system

GATE = "gate-south-in"
GATE_NAME = "南门入口"


def picture_of(page: Page, path: Path) -> Path:
    page.screenshot(path=path)
    return path


def rows(log: Page) -> list[str]:
    return log.locator("#passage-rows tr").all_inner_texts()


def test_a_person_registers_is_approved_and_opens_a_gate_with_the_pass_on_the_screen(
    people: People, demo: Up, tmp_path: Path
) -> None:
    who = applicant("周小舟")
    worker = people.signed_in("worker", size=DESK)

    # The passage log is open in a browser of its own all the time.
    log = people.signed_in("gatekeeper", size=DESK)
    log.goto("/work/passages")
    log.evaluate("window.openedOnce = true")
    before = len(rows(log))

    # The poster as printed: its code is what a phone's camera opens.
    worker.goto(f"/work/communities/{people.facts['community_id']}/poster")
    worker.locator(".poster").screenshot(path=tmp_path / "poster.png")
    link = gates.read_code(tmp_path / "poster.png")
    assert link == f"{demo.url}/r/{people.facts['uscc']}"

    phone = people.stranger()
    register(phone, link, who)
    expect(phone.get_by_text("谢谢，您的登记正在等待审核。")).to_be_visible()

    # Before the approval there is no pass.
    people.sign_in(phone, who.phone, PASSWORD)
    phone.goto("/pass")
    expect(phone.get_by_role("heading", name="您的登记正在审核")).to_be_visible()
    assert phone.locator("[data-pass-code]").count() == 0

    approve(worker, who)

    phone.get_by_role("link", name="再看一次").click()
    code = phone.locator("[data-pass-code]")
    expect(code).to_be_visible()
    shown = picture_of(phone, tmp_path / "pass.png")
    drawn = code.locator(".qr").inner_html()
    first = gates.read_code(shown)
    assert first.startswith("LL1:")

    assert gates.state(demo, GATE)["lock"] == "locked"
    status, answer = gates.scan(demo, GATE, shown)
    assert (status, answer["decision"], answer["reason"]) == (gates.ALLOWED, "unlock", "ok")
    gates.wait_for_door(demo, GATE, "open", "unlocked")

    newest = log.locator("#passage-rows tr").first
    expect(newest).to_contain_text(GATE_NAME)
    expect(newest).to_contain_text("已放行")
    expect(newest).to_contain_text("1号楼")
    expect(newest).to_contain_text("毫秒后开门")
    assert len(rows(log)) == before + 1

    # The same picture again opens nothing, and the log says why.
    gates.wait_for_door(demo, GATE, "closed", "locked")
    status, answer = gates.scan(demo, GATE, shown)
    assert (status, answer["decision"], answer["reason"]) == (gates.REFUSED, "refuse", "replayed")
    assert gates.state(demo, GATE)["lock"] == "locked"
    newest = log.locator("#passage-rows tr").first
    expect(newest).to_contain_text("此码已在这里使用过，请等待下一个码。")
    assert len(rows(log)) == before + 2
    assert log.evaluate("window.openedOnce") is True, "the log was reloaded"

    # The code on the screen renews by itself, and the new one opens.
    phone.evaluate("window.openedOnce = true")
    wait_until(lambda: code.locator(".qr").inner_html() != drawn, 40, what="a new code")
    assert phone.evaluate("window.openedOnce") is True, "the pass page was reloaded"
    renewed = picture_of(phone, tmp_path / "renewed.png")
    assert gates.read_code(renewed) != first
    status, answer = gates.scan(demo, GATE, renewed)
    assert (status, answer["reason"]) == (gates.ALLOWED, "ok")

    # The resident sees the same, without the names of others.
    phone.goto("/passages")
    mine = phone.locator("#own-passages li")
    expect(mine).to_have_count(3)
    expect(mine.first).to_contain_text(GATE_NAME)


def register(phone: Page, link: str, who: Applicant) -> None:
    phone.goto(link)
    expect(phone.get_by_role("heading", level=1)).to_have_text("登记到邻里示范社区")
    phone.get_by_label("我已阅读并同意。").check()
    phone.get_by_role("button", name="同意并继续").click()
    phone.get_by_label("姓名").fill(who.name)
    phone.get_by_label("手机号码").fill(who.phone)
    phone.get_by_role("button", name="继续").click()
    phone.get_by_label("居民身份证").check()
    phone.get_by_label("证件号码").fill(who.document)
    phone.get_by_role("button", name="继续").click()
    phone.get_by_label("楼栋").select_option("1号楼")
    phone.get_by_label("单元").select_option("2单元")
    phone.get_by_label("房号").select_option("301")
    phone.get_by_label("租户", exact=True).check()
    phone.get_by_role("button", name="继续").click()
    phone.get_by_label("密码", exact=True).fill(PASSWORD)
    phone.get_by_label("再次输入密码", exact=True).fill(PASSWORD)
    phone.get_by_role("button", name="继续").click()
    expect(phone.get_by_role("heading", level=1)).to_have_text("核对您填写的内容")
    answers = phone.locator(".answers")
    for answer in (who.name, who.phone, who.document, "2单元"):
        expect(answers).to_contain_text(answer)
    phone.get_by_role("button", name="提交登记").click()


def approve(worker: Page, who: Applicant) -> None:
    worker.goto("/work")
    worker.locator(".nav").get_by_role("link", name="居民").click()
    masked = f"{who.phone[:3]}****{who.phone[-4:]}"
    row = worker.get_by_role("row").filter(has_text=masked)
    row.get_by_role("link", name="审核").click()
    assert who.name not in worker.locator("main").inner_text()
    worker.get_by_role("button", name="显示完整信息").click()
    expect(worker.locator("main")).to_contain_text(who.document)
    expect(worker.locator("main")).to_contain_text(who.phone)
    worker.get_by_role("button", name="通过", exact=True).click()
    expect(worker.locator("#messages")).to_contain_text("登记已通过。")
