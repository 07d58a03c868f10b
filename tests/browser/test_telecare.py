"""An old person presses the button of the running demo, and a neighbour and the office answer."""

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from mqtt.simulator import control
from tests.browser.people import DESK, People
from tests.services.up import Up
from tests.services.wait import wait_until

pytestmark = pytest.mark.system

BUTTON = "alarm-1"


@pytest.fixture
def quick(people: People) -> None:
    """A short time to take a press back; buttons that have only just started are believed."""
    worker = people.signed_in("worker", size=DESK)
    worker.goto("/work/telecare/settings")
    worker.get_by_label("撤回时限（秒）").fill("12")
    worker.get_by_label("设备启动后多久内的单次按压不采信（秒）").fill("0")
    worker.get_by_role("button", name="保存").click()
    expect(worker.locator("#messages")).to_contain_text("已保存")


def button(up: Up) -> dict[str, Any]:
    """What the button shows."""
    answer = control.ask(
        up.data / control.SOCKET_NAME, {"op": "state", "device": BUTTON}, timeout=10
    )
    return dict(answer["state"])


def listed(page: Page) -> set[str]:
    """Addresses of the open alarms on the desk."""
    links = page.locator("#open-alarms .card-link")
    return set(links.evaluate_all("all => all.map((one) => one.getAttribute('href'))"))


def shows(up: Up, feedback: str) -> None:
    wait_until(lambda: button(up)["feedback"] == feedback, 15, what=f"feedback {feedback}")


def test_a_press_reaches_the_desk_and_the_neighbour_and_the_button_hears_of_it(
    people: People, demo: Up, quick: None
) -> None:
    desk = people.signed_in("gatekeeper", size=DESK)
    desk.goto("/work/telecare")
    before = listed(desk)
    neighbour = people.signed_in(people.resident)

    pressed = demo.run("simulate", "press", BUTTON)
    assert pressed.returncode == 0, pressed.stderr
    shows(demo, "received")

    # The desk shows it by itself, at once; the neighbour is told when it can no longer be taken back.
    wait_until(lambda: listed(desk) - before, 15, what="a new card on the desk")
    [address] = listed(desk) - before
    told = desk.locator(f".card-link[href='{address}']").filter(has_text="尚无人应答")
    expect(told).to_be_visible()
    number = address.rsplit("/", 1)[1]
    neighbour.goto("/home")
    mine = neighbour.locator(f"a[href='/care/alarms/{number}']")
    expect(mine).to_contain_text("需要帮助")

    told.click()
    expect(desk.locator("#who")).to_contain_text("1号楼")
    clock = desk.locator(".alarm-clock")
    expect(clock).to_have_text(re.compile(r"\d:\d\d"))

    mine.click()
    expect(neighbour.locator("#who")).to_contain_text("钥匙")
    neighbour.get_by_role("button", name="我来处理").click()
    expect(neighbour.locator("#messages")).to_contain_text("您已接警")
    shows(demo, "acknowledged")
    # The page of the desk is loaded anew by itself.
    expect(desk.locator("#alarm-state")).to_contain_text("已有人前往")

    neighbour.get_by_role("button", name="我到了").click()
    expect(neighbour.locator("#messages")).to_contain_text("已记录您到场")
    neighbour.get_by_label("原因").select_option("需要帮忙")
    neighbour.get_by_label("说明").fill("扶起，无外伤")
    neighbour.get_by_role("button", name="结束报警").click()
    expect(neighbour.locator("#messages")).to_contain_text("报警已结束")
    shows(demo, "closed")
    expect(desk.locator("#alarm-state")).to_contain_text("需要帮忙")
    assert desk.locator("#who").count() == 0
    neighbour.goto("/home")
    assert neighbour.locator(f"a[href='/care/alarms/{number}']").count() == 0


def test_a_press_taken_back_in_time_reaches_nobody_and_is_kept(
    people: People, demo: Up, quick: None
) -> None:
    desk = people.signed_in("worker", size=DESK)
    desk.goto("/work/telecare/past?show=cancelled")
    before = desk.locator("tbody tr").count()
    assert demo.run("simulate", "press", "alarm-2").returncode == 0
    assert demo.run("simulate", "press", "alarm-2", "--cancel").returncode == 0

    def kept() -> bool:
        desk.reload()
        return desk.locator("tbody tr").count() == before + 1

    wait_until(kept, 15, what="the press that was taken back")
