"""Takes the pictures of the README from a running demo: a resident's pass beside the live passage log.

    python -m provisioning.screens [FOLDER]

Writes ``overview.png`` (English) and ``overview.zh-CN.png``; Chromium and the test tools are needed.
"""

from __future__ import annotations

import base64
import io
import sys
from pathlib import Path
from typing import Final

from PIL import Image, ImageDraw
from playwright.sync_api import Browser, Page, expect, sync_playwright

from provisioning.screens.demo import Demo, chromium, demo

LANGUAGES: Final = {"en-GB": "overview.png", "zh-CN": "overview.zh-CN.png"}
PHONE: Final = (360, 700)
DESK: Final = (1200, 700)
SCALE: Final = 1.5
MARGIN: Final = 36
ROUND: Final = 28
GROUND: Final = "#dfe5df"
FRAME: Final = "#2a332e"
COLOURS: Final = 128
"""Of the finished picture, so that it stays small."""


def main(folder: Path) -> None:
    """Take them all."""
    with demo() as community, sync_playwright() as playwright:
        browser = playwright.chromium.launch(**chromium())
        for language, name in LANGUAGES.items():
            picture = overview(browser, community, language)
            picture.save(folder / name, optimize=True)
            sys.stdout.write(f"{folder / name}\n")
        browser.close()


def overview(browser: Browser, community: Demo, language: str) -> Image.Image:
    """People come and go while the log is open; then both screens in one picture."""
    log = _page(browser, community, language, DESK)
    community.sign_in(log, "gatekeeper")
    log.goto("/work/passages")
    owner, tenant = (
        name for name, account in community.accounts().items() if "approved" in account["note"]
    )
    other = _page(browser, community, language, PHONE)
    community.sign_in(other, tenant)
    phone = _page(browser, community, language, PHONE)
    community.sign_in(phone, owner)

    shown = _code(other)
    community.scan("gate-south-in", 36.4, image=shown)
    community.scan("gate-south-in", 36.4, image=shown)
    community.scan("gate-south-in", 36.5, code="https://example.org/not-a-pass")
    community.scan("gate-south-in", 36.7, image=_code(other))
    community.scan("gate-south-in", 36.2, image=_code(phone))
    community.scan("door-1", 36.3, image=_code(phone))
    phone.goto("/pass")
    phone.locator("#own-passages, [id=own-title]").first.wait_for()
    expect(log.locator("#passage-rows tr").first).to_contain_text("1号楼大门", timeout=20_000)
    expect(log.locator("#passage-rows input[name=waiting]")).to_have_count(0, timeout=20_000)
    picture = _beside(_shot(phone), _shot(log))
    for page in (log, other, phone):
        page.context.close()
    return picture


def _page(browser: Browser, community: Demo, language: str, size: tuple[int, int]) -> Page:
    context = browser.new_context(
        base_url=community.url,
        locale=language,
        viewport={"width": size[0], "height": size[1]},
        device_scale_factor=SCALE,
        timezone_id="Asia/Shanghai",
    )
    return context.new_page()


def _code(page: Page) -> str:
    """A fresh pass on the screen, as a picture in base64."""
    page.goto("/pass")
    return base64.b64encode(page.locator(".qr").screenshot()).decode("ascii")


def _shot(page: Page) -> Image.Image:
    return Image.open(io.BytesIO(page.screenshot())).convert("RGB")


def _beside(left: Image.Image, right: Image.Image) -> Image.Image:
    """Both as devices with round corners on a quiet ground."""
    height = max(left.height, right.height) + 2 * MARGIN
    whole = Image.new("RGB", (left.width + right.width + 3 * MARGIN, height), GROUND)
    across = MARGIN
    for screen in (left, right):
        box = (across, MARGIN, across + screen.width, MARGIN + screen.height)
        mask = Image.new("L", screen.size, 0)
        ImageDraw.Draw(mask).rounded_rectangle((0, 0, *screen.size), ROUND, fill=255)
        whole.paste(screen, box[:2], mask)
        ImageDraw.Draw(whole).rounded_rectangle(box, ROUND, outline=FRAME, width=5)
        across = box[2] + MARGIN
    return whole.quantize(COLOURS, dither=Image.Dither.NONE)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
