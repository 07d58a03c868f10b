"""The workbench with scripts: two who work at once, keys alone, a stream that is cut and comes back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, expect

from portal.core import live
from portal.residents.models import Resident, ResidentState
from portal.visitors import operations as visitors
from tests.browser.people import DESK, LOCALES, PHONE, Watch
from tests.browser.web_only import serving
from tests.portal.village import People, app, clock, db, laid_out, people, world
from tests.portal.world import World
from tests.services.child import free_port
from tests.services.wait import wait_until

__all__ = ["app", "clock", "db", "laid_out", "people", "world"]

pytestmark = pytest.mark.browser

_FOCUSED = "chosen => document.activeElement.matches(chosen)"
_SHOWS_FOCUS = """() => {
  const style = getComputedStyle(document.activeElement);
  return style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0 || style.boxShadow !== "none";
}"""


@dataclass
class Office:
    """The portal on a port that stays the same, and people at their desks."""

    app: Flask
    people: People
    world: World
    browser: Browser
    port: int
    running: ExitStack = field(default_factory=ExitStack)
    contexts: ExitStack = field(default_factory=ExitStack)

    @property
    def hub(self) -> live.Hub:
        found: live.Hub = self.app.extensions[live.EXTENSION]
        return found

    def start(self) -> None:
        self.hub.stopping = lambda: False
        self.running.enter_context(serving(self.app, self.port))

    def stop(self) -> None:
        self.hub.stopping = lambda: True
        self.running.close()

    def page(self, who: str = "worker", language: str = "en", size: tuple[int, int] = DESK) -> Page:
        """A page of somebody who is signed in; nothing is loaded from elsewhere."""
        url = f"http://127.0.0.1:{self.port}"
        context = self.browser.new_context(
            base_url=url,
            locale=LOCALES[language],
            viewport={"width": size[0], "height": size[1]},
            timezone_id="Asia/Shanghai",
        )
        self.contexts.callback(context.close)
        cookie = self.people.client(who, language).get_cookie("linli")
        assert cookie is not None
        context.add_cookies([{"name": "linli", "value": cookie.value, "url": url}])
        context.set_default_timeout(15_000)
        watch = Watch(url)
        watch.over(context)
        self.contexts.callback(lambda: complaints(watch))
        return context.new_page()

    def invitation(self, name: str, minutes: int = 0) -> int:
        """A resident invites somebody."""
        now = self.world.clock()
        draft = visitors.Draft(name, "13900001234", "friends", now, now + timedelta(hours=4))
        with self.world.db.write() as session:
            row = visitors.invite(session, self.world.resident("resident"), draft, now)
            row.created_at = now + timedelta(minutes=minutes)
            return row.id


def complaints(watch: Watch) -> None:
    assert [said for said in watch.seen if "ERR_CONNECTION" not in said] == []


@pytest.fixture
def office(app: Flask, people: People, world: World, browser: Browser) -> Iterator[Office]:
    made = Office(app, people, world, browser, free_port())
    made.hub.interval = 0.05
    made.start()
    try:
        yield made
        made.contexts.close()
    finally:
        made.stop()


def item(page: Page, kind: str, item_id: int) -> str:
    return f'#queue li[data-key="{kind}:{item_id}"]'


def badge(page: Page) -> str:
    return page.locator(".nav [aria-current] [data-number]").inner_text()


def listening(page: Page, office: Office, streams: int) -> None:
    page.wait_for_function("() => document.readyState === 'complete'")
    expect(page.locator("[data-live-sign]")).to_be_hidden()
    wait_until(lambda: office.hub.streams == streams, 10, what="the streams")


def test_what_one_decides_the_other_sees_vanish_without_losing_their_place(office: Office) -> None:
    first, second = office.invitation("周访客", 1), office.invitation("钱访客", 2)
    one, two = office.page(), office.page("worker", "zh_Hans_CN")
    one.goto("/work")
    two.goto("/work")
    listening(two, office, 2)
    two.evaluate("window.openedOnce = true")
    two.locator(f"{item(two, 'visitors.invitation', first)} input").check()
    two.locator(f"{item(two, 'visitors.invitation', second)} a").focus()
    assert badge(two) == "3"

    one.locator(f"{item(one, 'visitors.invitation', second)} a").click()
    one.locator("#detail").get_by_role("button", name="I take this").click()
    taken = two.locator(item(two, "visitors.invitation", second))
    expect(taken).to_contain_text("我在处理")  # the same person at another desk
    assert two.evaluate(_FOCUSED, f"{item(two, 'visitors.invitation', second)} a")

    one.locator("#detail").get_by_role("button", name="Approve").click()
    expect(one.locator("#toasts")).to_contain_text("This invitation is approved.")
    expect(taken).to_have_count(0)
    expect(two.locator(".nav [aria-current] [data-number]")).to_have_text("2")
    expect(two.locator("[data-said]")).to_contain_text("列表减少 1 项")
    assert two.evaluate(_FOCUSED, "#queue li a")
    expect(two.locator(f"{item(two, 'visitors.invitation', first)} input")).to_be_checked()

    third = office.invitation("孙访客", 3)
    expect(two.locator(item(two, "visitors.invitation", third))).to_be_visible()
    expect(two.locator(".tabs a").filter(has_text="访客邀请")).to_contain_text("2")
    one.locator("#toasts").get_by_role("button", name="Undo").click()
    expect(two.locator(item(two, "visitors.invitation", second))).to_be_visible()
    assert two.evaluate("window.openedOnce") is True, "the page was reloaded"


def test_what_is_open_here_and_decided_elsewhere_is_shown_as_it_stands_unless_one_writes(
    office: Office,
) -> None:
    first, second = office.invitation("周访客", 1), office.invitation("钱访客", 2)
    reader, writer, other = office.page(), office.page(), office.page()
    reader.goto(f"/work/items/visitors.invitation/{first}")
    writer.goto(f"/work/items/visitors.invitation/{second}")
    writer.locator("#note").fill("half a sen")
    other.goto(f"/work/items/visitors.invitation/{first}")
    listening(other, office, 3)
    for _ in (first, second):
        other.locator("#detail").get_by_role("button", name="Approve").click()
        expect(other.locator("#toasts")).to_contain_text("approved")
    expect(reader.locator("#detail")).to_contain_text("There is nothing to decide here any more.")
    expect(writer.locator("#detail")).to_contain_text("This has changed elsewhere")
    expect(writer.locator("#note")).to_have_value("half a sen")
    writer.get_by_role("link", name="Show how it stands").click()
    expect(writer.locator("#detail")).to_contain_text("This invitation is approved.")


def test_by_keys_alone(office: Office) -> None:
    first, second = office.invitation("周访客", 1), office.invitation("钱访客", 2)
    pending = office.world.residents["pending"]
    page = office.page()
    page.goto("/work")
    listening(page, office, 1)
    press = page.keyboard.press
    press("j")
    assert page.evaluate(_FOCUSED, f"{item(page, 'residents.registration', pending)} a")
    assert page.evaluate(_SHOWS_FOCUS)
    press("ArrowDown")
    press("j")
    press("k")
    assert page.evaluate(_FOCUSED, f"{item(page, 'visitors.invitation', first)} a")
    press("Enter")
    page.wait_for_url(f"**/work/items/visitors.invitation/{first}")
    expect(page.locator("#detail h2")).to_have_text("周*客")
    expect(page.locator("[data-said]")).to_contain_text("Opened: 周*客")
    assert page.evaluate(_FOCUSED, f"{item(page, 'visitors.invitation', first)} a")
    press("c")
    expect(page.locator("#detail").get_by_role("button", name="Leave it to others")).to_be_visible()
    # To refuse takes a sentence: the box has the focus, and letters in it are letters.
    press("r")
    assert page.evaluate(_FOCUSED, "#note")
    page.keyboard.insert_text("")
    for letter in "ajcu/?":
        press(letter)
    expect(page.locator("#note")).to_have_value("ajcu/?")
    press("Escape")
    press("r")
    expect(page.locator("#toasts")).to_contain_text("This invitation is refused.")
    page.wait_for_url(f"**/work/items/visitors.invitation/{second}")
    press("u")
    page.wait_for_url(f"**/work/items/visitors.invitation/{first}")
    expect(page.locator("#messages")).to_contain_text("Taken back.")
    press("a")
    expect(page.locator("#toasts")).to_contain_text("This invitation is approved.")
    press("/")
    assert page.evaluate(_FOCUSED, "[data-search] input")
    press("Escape")
    page.locator("h1").click()  # out of the box
    press("f")
    assert page.evaluate(_FOCUSED, "[data-narrow] input")
    page.keyboard.insert_text("nobody is called so")
    expect(page.locator("#queue li:visible")).to_have_count(0)
    expect(page.get_by_text("Nothing in the list is called so")).to_be_visible()
    page.locator("[data-narrow] input").fill("赵")
    expect(page.locator("#queue li:visible")).to_have_count(1)
    press("Enter")
    assert page.evaluate(_FOCUSED, "#queue li a")
    assert "%" not in page.url  # what is typed stands in no address
    press("?")
    dialog = page.get_by_role("dialog", name="Keys")
    expect(dialog).to_be_visible()
    press("j")
    dialog.locator("[data-keys-on]").uncheck()
    press("Escape")
    press("?")
    expect(dialog).to_be_hidden()
    page.reload()
    press("j")
    assert not page.evaluate(_FOCUSED, "#queue a")


def test_everything_is_reached_by_tab_too(office: Office) -> None:
    pending = office.world.residents["pending"]
    page = office.page()
    page.goto("/work")

    def reach(selector: str) -> None:
        for _ in range(60):
            page.keyboard.press("Tab")
            if page.evaluate(_FOCUSED, selector):
                assert page.evaluate(_SHOWS_FOCUS), f"the focus on {selector} cannot be seen"
                return
        raise AssertionError(f"{selector} is not reached")

    reach("[data-narrow] input")
    reach("#queue input[name=item]")
    reach("#queue li a")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/residents.registration/{pending}")
    expect(page.locator("#detail h2")).to_have_text("赵*")
    reach("#note")
    reach("#detail [value=approve]")
    page.keyboard.press("Enter")
    expect(page.locator("#toasts")).to_contain_text("This registration is approved.")
    reach("[data-undo]")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/residents.registration/{pending}")
    with office.world.db.read() as session:
        assert session.get_one(Resident, pending).state == ResidentState.PENDING


def test_a_page_says_that_it_is_not_live_and_catches_up_when_the_server_is_back(
    office: Office,
) -> None:
    page = office.page()
    page.goto("/work")
    listening(page, office, 1)
    page.evaluate("window.openedOnce = true")
    office.stop()
    sign = page.locator("[data-live-sign]")
    expect(sign).to_be_visible()
    missed = office.invitation("周访客")
    office.start()
    expect(page.locator(item(page, "visitors.invitation", missed))).to_be_visible()
    expect(sign).to_be_hidden()
    assert page.evaluate("window.openedOnce") is True, "the page was reloaded"


def test_a_stream_that_ends_by_itself_comes_back_unnoticed(office: Office) -> None:
    office.hub.life = 0.2
    page = office.page()
    page.goto("/work")
    with page.expect_request(lambda r: "/work/events" in r.url):
        pass
    late = office.invitation("周访客")
    expect(page.locator(item(page, "visitors.invitation", late))).to_be_visible()
    expect(page.locator("[data-live-sign]")).to_be_hidden()


def test_without_a_stream_the_page_asks_by_the_clock(office: Office) -> None:
    office.hub.most = 0
    page = office.page()
    page.clock.install()
    page.goto("/work")
    missed = office.invitation("周访客")
    with page.expect_response("**/work/list*"):
        for _ in range(10):  # the refusal of the stream arrives between two of them
            page.clock.run_for(4_000)
    expect(page.locator(item(page, "visitors.invitation", missed))).to_be_visible()
    expect(page.locator("[data-live-sign]")).to_be_visible()


def test_several_are_ticked_and_decided_with_one_confirmation(office: Office) -> None:
    first, second = office.invitation("周访客", 1), office.invitation("钱访客", 2)
    page = office.page()
    page.goto("/work")
    together = page.get_by_role("button", name="Decide the ticked ones together")
    expect(together).to_be_hidden()
    for number in (first, second):
        page.locator(f"{item(page, 'visitors.invitation', number)} input").check()
    expect(page.locator("#queue li[data-key^=residents] input")).to_be_disabled()
    together.click()
    page.get_by_role("button", name="Approve: all of these").click()
    expect(page.locator("main")).to_contain_text("Done: 2. Not done: 0.")


def test_on_a_phone_the_item_takes_the_screen_and_back_keeps_the_place(office: Office) -> None:
    for n in range(9):
        office.invitation(f"周{'一二三四五六七八九'[n]}客", n)
    last = office.invitation("钱访客", 20)
    page = office.page(size=PHONE)
    page.goto("/work")
    link = page.locator(f"{item(page, 'visitors.invitation', last)} a")
    link.scroll_into_view_if_needed()
    place = page.evaluate("window.scrollY")
    assert place > 0
    link.click()
    page.wait_for_url(f"**/visitors.invitation/{last}")
    expect(page.locator("#queue")).to_be_hidden()
    expect(page.locator("#detail h2")).to_be_visible()
    page.go_back()
    expect(link).to_be_visible()
    page.wait_for_function("place => Math.abs(window.scrollY - place) < 80", arg=place)
