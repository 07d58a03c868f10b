"""A visitor on a running system: invited, approved, let in once, whatever is tried."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser import gates
from tests.browser.people import DESK, People
from tests.services.up import Up

pytestmark = pytest.mark.system

VISITOR = "欧阳远客"
GATES = ("gate-south-in", "gate-south-out")


def test_an_invited_visitor_shows_one_pass_at_two_gates_at_once_and_exactly_one_opens(
    people: People, demo: Up, tmp_path: Path
) -> None:
    log = people.signed_in("gatekeeper", size=DESK)
    log.goto("/work/passages")

    resident = people.signed_in(people.resident)
    link = invite(resident)

    visitor = people.stranger("en")
    visitor.goto(link)
    expect(visitor.get_by_role("heading", name="Waiting for approval")).to_be_visible()
    assert VISITOR not in visitor.content()

    approve(people.signed_in("worker", size=DESK))

    # The code appears on the visitor's open page by itself.
    expect(visitor.get_by_text("Valid – opens once")).to_be_visible()
    shown = tmp_path / "visitor.png"
    visitor.screenshot(path=shown)
    assert gates.read_code(shown).startswith("LL1:")

    answers = gates.show_at_once(demo, GATES, shown)
    decisions = sorted((a["decision"], a["reason"]) for a in answers.values())
    assert decisions == [("refuse", "used_up"), ("unlock", "ok")]
    opened = next(gate for gate, a in answers.items() if a["decision"] == "unlock")
    shut = next(gate for gate in GATES if gate != opened)
    gates.wait_for_door(demo, opened, "open", "unlocked")
    assert gates.state(demo, shut) == {"lock": "locked", "door": "closed", "waiting": 0}

    expect(visitor.get_by_role("heading", name="Used")).to_be_visible()
    assert visitor.locator(".qr").count() == 0
    two = log.locator("#passage-rows tr")
    expect(two.filter(has_text="该通行码已使用，请重新申请邀请。").first).to_be_visible()
    expect(two.filter(has_text="已放行").filter(has_text="访客").first).to_be_visible()

    resident.goto("/visitors")
    expect(resident.locator(".card-link").filter(has_text=VISITOR).first).to_contain_text("已使用")


def invite(resident: Page) -> str:
    resident.goto("/visitors")
    resident.get_by_role("link", name="邀请访客").click()
    resident.get_by_label("访客姓名").fill(VISITOR)
    resident.get_by_label("访客手机号").fill("+852 5555 0102")
    resident.get_by_label("来访事由").select_option("访友")
    resident.get_by_role("button", name="提交邀请").click()
    expect(resident.get_by_text("邀请已提交社区办公室。")).to_be_visible()
    found = re.search(r"http\S+/v/\S+", resident.get_by_label("要发送的文字").input_value())
    assert found is not None
    return found[0]


def approve(worker: Page) -> None:
    worker.goto("/work")
    row = worker.locator("#queue li").filter(has_text="欧").filter(has_text="访友")
    row.get_by_role("link").click()
    expect(worker.locator("#detail")).to_contain_text("访友")
    assert VISITOR not in worker.locator("main").inner_text()
    worker.locator("#detail").get_by_role("button", name="通过", exact=True).click()
    expect(worker.locator("#toasts")).to_contain_text("此邀请已通过。")
