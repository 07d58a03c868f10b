"""Takes the pictures of the README from a running demo.

    python -m provisioning.screens [FOLDER]

Writes each in English and in Chinese, for example ``overview.png`` and ``overview.zh-CN.png``; Chromium and
the test tools are needed.
"""

from __future__ import annotations

import base64
import io
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

from PIL import Image, ImageDraw
from playwright.sync_api import Browser, Page, expect, sync_playwright

from provisioning.screens.demo import Demo, chromium, demo

LANGUAGES: Final = {"en-GB": "", "zh-CN": ".zh-CN"}
"""What stands between name and ``.png``."""
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
        for language, mark in LANGUAGES.items():
            for name, take in PICTURES.items():
                file = folder / f"{name}{mark}.png"
                take(browser, community, language).save(file, optimize=True)
                sys.stdout.write(f"{file}\n")
        browser.close()


def overview(browser: Browser, community: Demo, language: str) -> Image.Image:
    """A pass beside the passage log: people come and go while the log is open; then both screens in one picture."""
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


def resident(browser: Browser, community: Demo, language: str) -> Image.Image:
    """What a resident sees: home, a notice, a parcel; the last in large text and dark colours."""
    page = _page(browser, community, language, PHONE)
    community.sign_in(page, community.resident())
    page.goto("/home")
    shots = [_shot(page)]
    page.goto("/notices")
    page.locator("main a[href^='/notices/']").first.click()
    page.locator("main h1").wait_for()
    shots.append(_shot(page))
    page.emulate_media(color_scheme="dark")
    page.context.add_cookies([{"name": "text", "value": "large", "url": community.url}])
    page.goto("/parcels")
    page.locator("main a[href^='/parcels/']").first.click()
    page.locator("main h1").wait_for()
    shots.append(_shot(page))
    page.context.close()
    return _beside(*shots)


def workbench(browser: Browser, community: Demo, language: str) -> Image.Image:
    """The queue with a registration open beside it."""
    page = _staff(browser, community, language, "worker", "/work?only=residents.registration")
    page.locator("#queue li a").first.click()
    page.locator("#detail [data-item]").wait_for()
    return _alone(page)


def telecare(browser: Browser, community: Demo, language: str) -> Image.Image:
    """The duty desk while somebody has pressed their button."""
    page = _staff(browser, community, language, "worker", "/work/telecare")
    if not page.locator("main a[href*='/work/telecare/alarms/']").count():
        community.press("alarm-1")
    page.locator("main a[href*='/work/telecare/alarms/']").first.wait_for()
    return _alone(page)


def locker(browser: Browser, community: Demo, language: str) -> Image.Image:
    """A parcel locker, compartment by compartment."""
    return _first(_staff(browser, community, language, "manager", "/work/lockers"))


def notice(browser: Browser, community: Demo, language: str) -> Image.Image:
    """Whom a notice has reached."""
    return _first(_staff(browser, community, language, "worker", "/work/notices"))


PICTURES: Final[dict[str, Callable[[Browser, Demo, str], Image.Image]]] = {
    "overview": overview,
    "resident": resident,
    "workbench": workbench,
    "telecare": telecare,
    "locker": locker,
    "notice": notice,
}


def _staff(browser: Browser, community: Demo, language: str, name: str, place: str) -> Page:
    page = _page(browser, community, language, DESK)
    community.sign_in(page, name)
    page.goto(place)
    for known in page.locator("form[action$='/devices/known'] button").all():
        known.click()  # "a new device": it is us
    return page


def _first(page: Page) -> Image.Image:
    """The page that the first line of a table leads to."""
    place = page.url
    page.locator("main tbody a").first.click()
    page.wait_for_url(lambda url: url != place)
    return _alone(page)


def _alone(page: Page) -> Image.Image:
    picture = _beside(_shot(page))
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
    return base64.b64encode(page.locator("[data-pass-code] .qr").first.screenshot()).decode("ascii")


def _shot(page: Page) -> Image.Image:
    return Image.open(io.BytesIO(page.screenshot())).convert("RGB")


def _beside(*screens: Image.Image) -> Image.Image:
    """Screens as devices with round corners on a quiet ground."""
    height = max(screen.height for screen in screens) + 2 * MARGIN
    width = sum(screen.width + MARGIN for screen in screens) + MARGIN
    whole = Image.new("RGB", (width, height), GROUND)
    across = MARGIN
    for screen in screens:
        box = (across, MARGIN, across + screen.width, MARGIN + screen.height)
        mask = Image.new("L", screen.size, 0)
        ImageDraw.Draw(mask).rounded_rectangle((0, 0, *screen.size), ROUND, fill=255)
        whole.paste(screen, box[:2], mask)
        ImageDraw.Draw(whole).rounded_rectangle(box, ROUND, outline=FRAME, width=5)
        across = box[2] + MARGIN
    return whole.quantize(COLOURS, dither=Image.Dither.NONE)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
