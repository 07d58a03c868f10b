"""The pass without a network, on a phone and at a gate; and that nothing stays behind on the phone."""

import gzip
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Error, Page, expect

from tests.browser import gates, looks
from tests.browser.conftest import CODE_SECONDS
from tests.browser.pages import Places
from tests.browser.people import People, noted
from tests.services.up import Up
from tests.services.wait import wait_until

pytestmark = pytest.mark.system

GATE = "gate-south-in"
_READY = """async () => {
  await navigator.serviceWorker.ready;
  const pages = await caches.open("linli-pages-1");
  return Boolean(await pages.match("/pass/offline") && await pages.match("/offline/look"));
}"""
_KEPT = """async () => {
  const base = await new Promise((done) => {
    const asked = indexedDB.open("linli", 1);
    asked.onupgradeneeded = () => asked.result.createObjectStore("codes");
    asked.onsuccess = () => done(asked.result);
  });
  const kept = await new Promise((done) => {
    const asked = base.transaction("codes").objectStore("codes").get("own");
    asked.onsuccess = () => done(asked.result);
  });
  base.close();
  return kept ?? null;
}"""
"""What lies in the store of the phone."""
_LOOK = """async () =>
  (await (await caches.open("linli-pages-1")).match("/offline/look")).text()"""
_CACHED = """async () => {
  const found = [];
  for (const name of await caches.keys())
    for (const kept of await (await caches.open(name)).keys()) found.push(new URL(kept.url).pathname);
  return found;
}"""


def kept(page: Page) -> Any:
    return page.evaluate(_KEPT)


def prepared(people: People, language: str = "zh_Hans_CN") -> Page:
    """A resident's phone that has been at home once, with a network."""
    page = people.signed_in(people.resident, language)
    page.goto("/home")
    settled(page)
    return page


def settled(page: Page) -> None:
    """Until the worker has its pages and the phone its code."""
    wait_until(lambda: page.evaluate(_READY), 15, what="the worker's pages")
    wait_until(lambda: (kept(page) or {}).get("svg"), 15, what="a kept code")


@contextmanager
def without_network(people: People, page: Page) -> Iterator[None]:
    """Chromium and htmx note each request that fails on the console; nothing else may be there."""
    page.context.set_offline(True)
    yield
    page.context.set_offline(False)
    people.watch.seen = [
        one for one in people.watch.seen if "net::ERR_" not in one and "console: htmx:" not in one
    ]


def test_a_phone_without_network_shows_a_code_that_opens_the_gate_once(
    people: People, demo: Up, tmp_path: Path
) -> None:
    page = prepared(people)
    with without_network(people, page):
        page.goto("/pass")
        expect(page.locator("[data-kept] .qr svg")).to_be_visible()
        expect(page.locator("main")).to_contain_text("没有网络，这是手机里保存的码")
        expect(page.locator("[data-kept-left]")).to_have_text(re.compile(r"1[0-4]:\d\d"))
        shown = tmp_path / "offline.png"
        page.screenshot(path=shown)
        status, answer = gates.scan(demo, GATE, shown)
        assert (status, answer["decision"], answer["reason"]) == (gates.ALLOWED, "unlock", "ok")
        gates.wait_for_door(demo, GATE, "open", "unlocked")
        gates.wait_for_door(demo, GATE, "closed", "locked")
        status, answer = gates.scan(demo, GATE, shown)
        assert (status, answer["reason"]) == (gates.REFUSED, "replayed")
    # Back on the network, the page with the living code comes by itself.
    expect(page.locator("[data-pass-code] .qr svg")).to_be_visible()


def test_a_code_that_has_run_out_is_not_shown(people: People) -> None:
    page = prepared(people, "en")
    page.clock.install()
    with without_network(people, page):
        page.goto("/pass")
        expect(page.locator("[data-kept] .qr svg")).to_be_visible()
        page.clock.fast_forward(901_000)
        expect(page.get_by_role("heading", name="The kept code has run out")).to_be_visible()
        expect(page.locator("[data-kept] .qr svg")).to_have_count(0)
        assert kept(page)["svg"] == "", "the drawing stays on the phone"
        page.reload()
        expect(page.get_by_role("heading", name="The kept code has run out")).to_be_visible()


def test_a_clock_put_back_brings_no_code_back(people: People) -> None:
    page = prepared(people, "en")
    with without_network(people, page):
        page.clock.install(time=datetime.now(UTC) - timedelta(hours=1))
        page.goto("/pass")
        expect(page.get_by_role("heading", name="The kept code has run out")).to_be_visible()
        expect(page.locator("[data-kept] .qr svg")).to_have_count(0)


def test_the_network_goes_while_the_pass_is_on_the_screen(people: People) -> None:
    page = prepared(people, "en")
    page.clock.install()
    page.goto("/pass")
    expect(page.locator("[data-pass-code] .qr svg")).to_be_visible()
    with without_network(people, page):
        for _ in range(2):
            page.clock.run_for(CODE_SECONDS * 1000)
        expect(page.locator("[data-kept] .qr svg")).to_be_visible()
        expect(page.locator("[data-pass-code]")).to_be_hidden()
    page.clock.run_for(5_000)
    expect(page.locator("[data-pass-code] .qr svg")).to_be_visible()
    expect(page.locator("[data-kept]")).to_be_hidden()


@pytest.mark.parametrize(
    ("language", "title"), [("zh_Hans_CN", "没有网络"), ("en", "There is no network")]
)
def test_other_pages_say_in_the_language_of_the_person_that_there_is_no_network(
    people: People, places: Places, language: str, title: str
) -> None:
    page = prepared(people, language)
    with without_network(people, page):
        for address in ("/home", "/visitors", "/", "/work"):
            page.goto(address)
            expect(page.get_by_role("heading", level=1)).to_have_text(title)
            assert looks.untranslated(page, language, places.names) == []
            assert looks.too_wide(page) == []
        assert looks.barriers(page) == []
        page.goto("/visitors")
        name = "My pass" if language == "en" else "我的通行码"
        page.get_by_role("link", name=name).click()
        expect(page.locator("[data-kept] .qr svg")).to_be_visible()
        assert looks.barriers(page) == []


def test_the_kept_pages_follow_how_the_person_wants_pages_to_look(people: People) -> None:
    page = prepared(people)
    page.goto("/me")
    page.locator(".setting button[name=text][value=large]").click()
    page.locator(".setting button[name=language][value=en]").click()
    wait_until(
        lambda: page.evaluate(_LOOK).startswith("en|auto|large"), 15, what="pages of another look"
    )
    with without_network(people, page):
        page.goto("/home")
        expect(page.get_by_role("heading", level=1)).to_have_text("There is no network")
        assert page.evaluate("document.documentElement.dataset.text") == "large"
    expect(page.get_by_role("heading", level=1)).to_contain_text("Hello")
    page.goto("/me")
    page.locator(".setting button[name=language][value=zh_Hans_CN]").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("我的")


def test_nothing_about_anybody_is_kept_but_the_code(people: People) -> None:
    page = prepared(people)
    for address in ("/pass", "/visitors", "/passages", "/me"):
        page.goto(address)
    addresses = page.evaluate(_CACHED)
    assert {one for one in addresses if not one.startswith("/static/")} == {
        "/offline",
        "/offline/look",
        "/pass/offline",
    }
    record = kept(page)
    assert set(record) == {"holder", "svg", "seconds", "from", "until"}
    assert people.resident not in str(record)


def test_signing_out_wipes_the_phone(people: People) -> None:
    page = people.stranger()
    account = people.accounts[people.resident]
    people.sign_in(page, people.resident, account["password"])
    page.goto("/home")
    settled(page)
    page.goto("/me")
    page.locator("main form[data-sign-out] button").click()
    page.wait_for_url(f"{people.up.url}/")
    assert kept(page) is None
    with without_network(people, page), pytest.raises(Error, match="ERR_INTERNET_DISCONNECTED"):
        page.goto("/pass")


def test_another_person_at_the_phone_finds_no_code_of_the_one_before(people: People) -> None:
    page = prepared(people)
    other = noted(people.accounts, "waits for a decision")
    page.context.clear_cookies()  # the session of the one before has ended
    people.sign_in(page, other, people.accounts[other]["password"])
    page.goto("/home")
    wait_until(lambda: kept(page) is None, 15, what="nothing kept")
    with without_network(people, page):
        page.goto("/pass")
        expect(page.get_by_role("heading", name="这部手机没有保存的码")).to_be_visible()


def test_the_browser_finds_everything_that_it_needs_to_install_the_app(people: People) -> None:
    page = people.signed_in(people.resident, "en")
    page.goto("/home")
    session = page.context.new_cdp_session(page)
    found = session.send("Page.getAppManifest")
    assert found["errors"] == []
    manifest = json.loads(found["data"])
    assert manifest["name"] == "Linli – your community"
    problems = session.send("Page.getInstallabilityErrors")["installabilityErrors"]
    # Contexts of a test are private windows, in which nothing is ever installed.
    assert [one["errorId"] for one in problems if one["errorId"] != "in-incognito"] == []


def test_the_hint_to_install_goes_and_stays_away(people: People) -> None:
    page = people.signed_in(people.resident, "en")
    page.goto("/home")
    hint = page.locator("[data-install-hint]")
    expect(hint).to_be_visible()
    with page.expect_response("**/display"):
        hint.get_by_role("button", name="Not now").click()
    expect(hint).to_be_hidden()
    page.goto("/home")
    expect(page.locator("[data-install-hint]")).to_have_count(0)
    page.goto("/me")
    expect(page.locator("[data-install-hint]")).to_be_visible()


def test_a_browser_that_offers_to_install_gets_a_button(people: People) -> None:
    page = people.signed_in(people.resident, "en")
    page.goto("/home")
    asked = page.evaluate(
        """() => {
          const event = new Event("beforeinstallprompt", { cancelable: true });
          event.prompt = () => { window.asked = true; };
          event.userChoice = Promise.resolve({ outcome: "accepted" });
          window.dispatchEvent(event);
          return event.defaultPrevented;
        }"""
    )
    assert asked is True
    expect(page.locator("[data-install-by-hand]")).to_be_hidden()
    page.get_by_role("button", name="Put on the home screen").click()
    expect(page.locator("[data-install-hint]")).to_be_hidden()
    assert page.evaluate("window.asked") is True


def test_home_comes_in_few_bytes(people: People) -> None:
    """The first look at home on a phone: everything, compressed as a server before the portal does it."""
    page = people.signed_in(people.resident)
    bodies: list[bytes] = []
    page.on("requestfinished", lambda request: bodies.append(request.response().body()))
    page.goto("/home")
    settled(page)
    assert sum(map(len, bodies)) > 50_000
    assert sum(len(gzip.compress(body, 6)) for body in bodies) <= 150_000
