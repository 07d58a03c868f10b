"""Notices in a browser: written for a building, seen at home, read, confirmed, counted; and not next door."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from flask import Flask
from PIL import Image
from playwright.sync_api import Page, expect

from tests.browser.looks import barriers, too_wide
from tests.browser.people import DESK, PHONE
from tests.browser.web_only import browsing, serving
from tests.portal.village import People, app, clock, db, laid_out, people, world

__all__ = ["app", "clock", "db", "laid_out", "people", "world"]

TITLE = "1号楼电梯检修"
SPOKEN = """() => {
  window.said = [];
  window.SpeechSynthesisUtterance = class extends EventTarget {
    constructor(text) { super(); this.text = text; }
  };
  Object.defineProperty(window, "speechSynthesis", { value: {
    speak: (one) => window.said.push([one.lang, one.text]), cancel: () => {},
  }});
}"""


def write(page: Page, picture: Path) -> int:
    """A worker writes, sees the count change and the preview, attaches a picture and publishes."""
    page.goto("/work/notices")
    page.get_by_role("link", name="写通知").first.click()
    expect(page.locator("#reach")).to_contain_text("2 人")
    page.get_by_label("1号楼", exact=True).check()
    expect(page.locator("#reach")).to_contain_text("1 人")
    page.get_by_role("button", name="下一步：预览").click()
    expect(page.locator("#title-error")).to_be_visible()
    expect(page.get_by_label("1号楼", exact=True)).to_be_checked()
    page.get_by_label("标题").fill(TITLE)
    page.get_by_label("正文").fill("**周三**检修。\n\n- 请走楼梯\n- 请互相照应")
    page.get_by_label("要求点击").check()
    page.get_by_role("button", name="下一步：预览").click()
    expect(page.get_by_text("目前可送达 1 人（1 户）。")).to_be_visible()
    expect(page.locator(".prose strong")).to_have_text("周三")
    page.get_by_label("图片或 PDF").set_input_files(picture)
    page.get_by_role("button", name="添加附件").click()
    expect(page.locator(".figures img")).to_be_visible()
    page.get_by_role("button", name="发布", exact=True).click()
    expect(page.locator("#messages")).to_contain_text("已发布")
    found = re.search(r"/work/notices/(\d+)", page.url)
    assert found is not None
    return int(found[1])


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "lift.png"
    Image.new("RGB", (900, 500), "teal").save(path)
    return path


def test_a_notice_reaches_its_building_is_confirmed_and_counted(
    app: Flask, people: People, chromium: Path, picture: Path
) -> None:
    with serving(app) as url:
        with browsing(chromium, url, people, "worker") as browsers:
            page = browsers.page()
            notice_id = write(page, picture)
            assert too_wide(page) == []
            assert barriers(page) == []

        with browsing(chromium, url, people, "neighbour") as browsers:
            page = browsers.page()
            page.goto("/home")
            assert TITLE not in page.content()
            answer = page.goto(f"/notices/{notice_id}")
            assert answer is not None
            assert answer.status == 404

        with browsing(chromium, url, people, "resident") as browsers:
            page = browsers.page()
            page.add_init_script(f"({SPOKEN})()")
            page.goto("/home")
            page.get_by_role("link", name=TITLE).click()
            expect(page.locator(".figures img")).to_be_visible()
            assert page.evaluate("document.querySelector('.figures img').naturalWidth") == 900
            page.get_by_role("button", name="朗读").click()
            expect(page.get_by_role("button", name="停止朗读")).to_be_visible()
            assert "周三检修" in page.evaluate("window.said.map((one) => one[1]).join('')")
            assert page.evaluate("window.said[0][0]") == "zh-CN"
            page.get_by_role("button", name="停止朗读").click()
            expect(page.get_by_role("button", name="朗读", exact=True)).to_be_visible()
            assert too_wide(page) == []
            assert barriers(page) == []
            page.get_by_role("button", name="我已阅读并知晓").click()
            expect(page.locator("#messages")).to_contain_text("已记录您的确认")
            page.goto("/home")
            assert TITLE not in page.content()

        with browsing(chromium, url, people, "worker", size=DESK) as browsers:
            page = browsers.page()
            page.goto(f"/work/notices/{notice_id}")
            expect(page.get_by_text("已确认：1 人，1 户")).to_be_visible()
            page.get_by_role("link", name="全户未确认").click()
            expect(page.get_by_text("没有住户")).to_be_visible()


def test_without_a_voice_nothing_offers_to_read_aloud(
    app: Flask, people: People, chromium: Path, picture: Path
) -> None:
    with serving(app) as url:
        with browsing(chromium, url, people, "worker") as browsers:
            notice_id = write(browsers.page(), picture)
        with browsing(chromium, url, people, "resident", size=PHONE) as browsers:
            page = browsers.page()
            page.add_init_script(
                "Object.defineProperty(window, 'speechSynthesis', { value: undefined })"
            )
            page.goto(f"/notices/{notice_id}")
            expect(page.locator("[data-speak]")).to_be_hidden()


def test_people_are_counted_while_the_audience_is_chosen(
    app: Flask, people: People, chromium: Path
) -> None:
    with (
        serving(app) as url,
        browsing(chromium, url, people, "supervisor", size=DESK) as browsers,
    ):
        page = browsers.page()
        page.goto("/work/notices/new")
        expect(page.get_by_label("2号楼", exact=True)).to_be_visible()
        page.get_by_label("2号楼", exact=True).check()
        expect(page.locator("#reach")).to_contain_text("1 人")
        page.get_by_label("通知对象").select_option("仅租户")
        expect(page.locator("#reach")).to_contain_text("目前无人可送达")
