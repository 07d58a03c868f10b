"""Scanning with a browser: a real camera film of a real pass, the verdict, the passage in the log."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import segno
from axe_playwright_python.sync_playwright import Axe
from flask import Flask
from playwright.sync_api import Page, expect
from sqlalchemy import select

from portal.access.models import Passage
from portal.passes.models import Pass
from portal.passes.operations import issue_resident_pass, issue_visitor_pass, revoke, show_code
from tests.browser.web_only import (
    ALLOWED,
    FAKE_CAMERA,
    REFUSED,
    browsing,
    camera_film,
    serving,
)
from tests.portal.village import People, app, clock, db, laid_out, people, world
from tests.portal.world import World
from tests.services.wait import wait_until

__all__ = ["app", "clock", "db", "laid_out", "people", "world"]

pytestmark = pytest.mark.browser

DECODER = "/vendor/zxing-reader"
MANY = 40
"""Looks of the camera: more than it takes to read a code."""
ASKS_FIRST = "navigator.permissions.query = async () => ({ state: 'prompt' });"
"""As in a browser that has not been asked for the camera yet."""


@pytest.fixture
def url(app: Flask) -> Iterator[str]:
    with serving(app) as address:
        yield address


def visitor(world: World, uses: int = 1) -> tuple[str, str]:
    """A visitor's pass and its code."""
    now = world.clock()
    with world.db.write() as session:
        held = issue_visitor_pass(
            session,
            resident_id=world.residents["resident"],
            dwelling_id=world.dwellings["101"],
            valid_from=now,
            valid_until=now + timedelta(hours=4),
            now=now,
            max_uses=uses,
        )
        return held.id, show_code(session, held.id, now, 60).token


def resident(world: World) -> str:
    """A code as it stands on a resident's phone."""
    now = world.clock()
    with world.db.write() as session:
        held = issue_resident_pass(
            session, world.residents["resident"], world.dwellings["101"], now
        )
        return show_code(session, held.id, now, 60).token


def passages(world: World) -> list[Passage]:
    with world.db.read() as session:
        return list(session.scalars(select(Passage).order_by(Passage.id)))


def at_main(page: Page, world: World) -> Page:
    page.goto("/work/scan")
    page.get_by_label("您在哪里值守？").select_option(f"gate-{world.gates['main']}")
    return page


def verdict(page: Page) -> str:
    return page.locator("#verdict-title").inner_text()


def no_violations(page: Page) -> None:
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


def test_a_guard_scans_a_visitor_and_lets_them_in_once(
    world: World, people: People, url: str, chromium: Path, tmp_path: Path
) -> None:
    pass_id, code = visitor(world)
    film = camera_film(tmp_path / "visitor.y4m", code)
    camera = (*FAKE_CAMERA, *ALLOWED, f"--use-file-for-fake-video-capture={film}")
    with browsing(chromium, url, people, "gatekeeper", *camera) as browsers:
        page = browsers.page()
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto("/work/scan")  # the camera was allowed before: it starts by itself
        expect(page.get_by_role("heading", name="有效", exact=True)).to_be_focused()
        assert sum(f"{DECODER}.wasm" in address for address in asked) == 1
        card = page.locator(".verdict")
        expect(card).to_contain_text("访客")
        expect(card).to_contain_text("1号楼 1单元 101")
        expect(card).to_contain_text("南门")
        expect(page.locator("#scan-form")).to_be_hidden()
        no_violations(page)
        assert passages(world) == []

        page.get_by_role("button", name="放行").dblclick()
        expect(page.get_by_role("heading", name="已放行")).to_be_visible()
        [passage] = passages(world)
        assert (passage.outcome, passage.by_hand) == ("allow", world.users["gatekeeper"])
        with world.db.read() as session:
            assert session.get_one(Pass, pass_id).uses == 1

        # The camera goes on; the code that is still held up is not read again by itself.
        scanner = page.locator("[data-scanner]")
        expect(scanner).to_have_attribute("data-state", "running")
        looks = sum("/work/scan/code" in address for address in asked)
        wait_until(lambda: scanner.evaluate("element => element.scanner.looks") > MANY)
        assert sum("/work/scan/code" in address for address in asked) == looks == 1

        # Held up anew it is worth nothing any more.
        page.goto("/work/scan")
        expect(page.get_by_role("heading", name="已用完")).to_be_visible()
        expect(page.get_by_role("button", name="放行")).to_have_count(0)
        assert not any(code[:20] in address for address in asked)

        page.goto("/work/passages")
        row = page.locator("#passage-rows tr").first
        expect(row).to_contain_text("已放行")
        expect(row).to_contain_text("人工")


def test_by_keyboard_alone_a_resident_is_turned_away(
    world: World, people: People, url: str, chromium: Path, tmp_path: Path
) -> None:
    film = camera_film(tmp_path / "resident.y4m", resident(world))
    camera = (*FAKE_CAMERA, *ALLOWED, f"--use-file-for-fake-video-capture={film}")
    with browsing(chromium, url, people, "gatekeeper", *camera) as browsers:
        page = browsers.page()
        page.add_init_script(ASKS_FIRST)
        at_main(page, world)
        no_violations(page)
        page.get_by_label("您在哪里值守？").focus()
        page.keyboard.press("Tab")
        expect(page.get_by_role("button", name="打开相机")).to_be_focused()
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="有效", exact=True)).to_be_focused()
        expect(page.locator(".verdict")).to_contain_text("李*明")
        page.keyboard.press("Tab")
        expect(page.get_by_role("button", name="放行")).to_be_focused()
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="已劝返")).to_be_focused()
        assert [p.reason for p in passages(world)] == ["turned_away"]


def test_a_refused_camera_is_explained_and_a_pasted_code_works(
    world: World, people: People, url: str, chromium: Path
) -> None:
    _, code = visitor(world)
    with browsing(chromium, url, people, "gatekeeper", *FAKE_CAMERA, *REFUSED) as browsers:
        page = at_main(browsers.page(), world)
        page.get_by_role("button", name="打开相机").click()
        expect(page.get_by_text("本页未获准使用相机")).to_be_visible()
        expect(page.get_by_text("点按本页地址旁的锁形或相机图标。")).to_be_visible()
        expect(page.get_by_role("button", name="重试")).to_be_visible()
        no_violations(page)
        page.get_by_label("通行码文字").fill(code)
        page.get_by_role("button", name="核验通行码").click()
        expect(page.get_by_role("heading", name="有效", exact=True)).to_be_visible()
        page.get_by_role("button", name="放行").click()
        expect(page.get_by_role("heading", name="已放行")).to_be_visible()
        assert [p.outcome for p in passages(world)] == ["allow"]


def test_a_machine_without_camera_says_so(
    world: World, people: People, url: str, chromium: Path
) -> None:
    with browsing(chromium, url, people, "worker", *ALLOWED) as browsers:
        page = browsers.page()
        page.add_init_script(ASKS_FIRST)
        page.goto("/work/scan")
        page.get_by_role("button", name="打开相机").click()
        expect(page.get_by_text("没有找到相机")).to_be_visible()
        expect(page.get_by_label("通行码文字")).to_be_visible()


def test_on_a_page_that_is_not_secure_the_camera_is_explained(
    world: World, people: People, url: str, chromium: Path
) -> None:
    with browsing(chromium, url, people, "worker", *FAKE_CAMERA, *ALLOWED) as browsers:
        page = browsers.page()
        page.add_init_script(ASKS_FIRST)
        page.add_init_script(
            "Object.defineProperty(window, 'isSecureContext', { get: () => false });"
        )
        page.goto("/work/scan")
        page.get_by_role("button", name="打开相机").click()
        expect(page.get_by_text("浏览器只允许安全网页使用相机")).to_be_visible()


def test_a_typed_code_of_a_withdrawn_pass_is_refused_with_its_reason(
    world: World, people: People, url: str, chromium: Path
) -> None:
    pass_id, code = visitor(world)
    with world.db.write() as session:
        revoke(session, pass_id, world.clock(), "cancelled")
    with browsing(chromium, url, people, "gatekeeper", language="en") as browsers:
        page = browsers.page()
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto("/work/scan")
        page.get_by_label("Where are you?").select_option(f"gate-{world.gates['main']}")
        page.get_by_text("Type or paste the code").click()
        page.get_by_role("button", name="Check the code").click()
        expect(page.get_by_text("Scan a code, or type one in.")).to_be_visible()
        page.get_by_label("Text of the code").fill(code)
        page.get_by_role("button", name="Check the code").click()
        expect(page.get_by_role("heading", name="Withdrawn")).to_be_focused()
        expect(page.locator(".verdict")).to_contain_text("The pass has been withdrawn")
        expect(page.get_by_role("button", name="Let in")).to_have_count(0)
        page.get_by_role("link", name="Scan the next one").click()
        expect(page.get_by_label("Text of the code")).to_have_value("")
        assert not any(DECODER in address for address in asked)  # no camera, no decoder


def test_a_photo_of_a_code_is_read_without_a_camera(
    world: World, people: People, url: str, chromium: Path, tmp_path: Path
) -> None:
    _, code = visitor(world)
    segno.make(code, error="m").save(tmp_path / "code.png", scale=5, border=4)
    segno.make("https://example.org/").save(tmp_path / "other.png", scale=5, border=4)
    (tmp_path / "none.png").write_bytes(
        (Path(__file__).parents[2] / "portal/web/static/img/linli.svg").read_bytes()
    )
    with browsing(chromium, url, people, "gatekeeper") as browsers:
        page = at_main(browsers.page(), world)
        photo = page.locator("[data-file]")
        photo.set_input_files(tmp_path / "none.png")
        expect(page.get_by_text("照片中没有找到二维码")).to_be_visible()
        photo.set_input_files(tmp_path / "other.png")
        expect(page.get_by_role("heading", name="不是通行码")).to_be_visible()
        page.get_by_role("link", name="扫描下一个").click()
        photo.set_input_files(tmp_path / "code.png")
        expect(page.get_by_role("heading", name="有效", exact=True)).to_be_visible()


def test_a_browser_with_a_detector_of_its_own_loads_no_decoder(
    world: World, people: People, url: str, chromium: Path
) -> None:
    _, code = visitor(world)
    with browsing(chromium, url, people, "gatekeeper", *FAKE_CAMERA, *ALLOWED) as browsers:
        page = browsers.page()
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.add_init_script(
            f"""window.BarcodeDetector = class {{
              static async getSupportedFormats() {{ return ["qr_code"]; }}
              async detect(canvas) {{ return canvas.width ? [{{ rawValue: {code!r} }}] : []; }}
            }};"""
        )
        page.goto("/work/scan")
        expect(page.get_by_role("heading", name="有效", exact=True)).to_be_visible()
        assert not any(DECODER in address for address in asked)


def test_when_the_portal_is_gone_the_guard_is_told_and_nothing_counts(
    world: World, people: People, app: Flask, chromium: Path
) -> None:
    _, code = visitor(world)
    with serving(app) as address, browsing(chromium, address, people, "gatekeeper") as browsers:
        page = at_main(browsers.page(), world)
        page.get_by_text("手动输入或粘贴通行码").click()
        page.get_by_label("通行码文字").fill(code)
        page.route("**/work/scan/code", lambda route: route.abort())
        page.get_by_role("button", name="核验通行码").click()
        expect(page.get_by_text("平台没有响应，通行码未经核验。")).to_be_visible()
        page.unroute("**/work/scan/code")
        browsers.watch.seen.clear()  # the browser's own words about the request that failed
        page.get_by_role("button", name="核验通行码").click()
        expect(page.get_by_role("heading", name="有效", exact=True)).to_be_visible()
        expect(page.get_by_text("平台没有响应，通行码未经核验。")).to_be_hidden()
