"""The web application alone, in a thread, with browsers whose camera shows what a test puts before it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Thread

import segno
from flask import Flask
from PIL import Image
from playwright.sync_api import BrowserContext, Page, sync_playwright
from werkzeug.serving import make_server

from tests.browser.people import LOCALES, PHONE, Watch
from tests.portal.village import People
from tests.services.chromium import ARGUMENTS

FAKE_CAMERA = ("--use-fake-device-for-media-stream",)
ALLOWED = ("--use-fake-ui-for-media-stream",)
REFUSED = ("--deny-permission-prompts",)
VIDEO = (640, 480)
FRAMES = 10


@contextmanager
def serving(app: Flask, port: int = 0) -> Iterator[str]:
    """The application on a free loopback port, or this one, with CSRF protection; gives its address."""
    app.config["WTF_CSRF_ENABLED"] = True
    server = make_server("127.0.0.1", port, app, threaded=True)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def camera_film(path: Path, text: str) -> Path:
    """A film (Y4M) of a QR code before a grey wall, for Chromium's camera to play in a loop."""
    code = segno.make(text, error="m", micro=False)
    side = code.symbol_size(scale=1, border=4)[0]
    picture = Image.new("L", VIDEO, 150)
    square = Image.new("L", (side, side), 255)
    for y, row in enumerate(code.matrix):
        for x, dark in enumerate(row):
            square.putpixel((x + 4, y + 4), 0 if dark else 255)
    scale = (VIDEO[1] - 60) // side
    square = square.resize((side * scale, side * scale), Image.Resampling.NEAREST)
    picture.paste(square, ((VIDEO[0] - square.width) // 2, (VIDEO[1] - square.height) // 2))
    grey = bytes([128]) * (VIDEO[0] * VIDEO[1] // 2)
    frame = b"FRAME\n" + picture.tobytes() + grey
    head = f"YUV4MPEG2 W{VIDEO[0]} H{VIDEO[1]} F{FRAMES}:1 Ip A1:1 C420jpeg\n".encode()
    path.write_bytes(head + frame * FRAMES)
    return path


@dataclass
class Browsers:
    """Pages of one browser, signed in as anybody of the village."""

    context: BrowserContext
    watch: Watch

    def page(self) -> Page:
        """A new page."""
        return self.context.new_page()


@contextmanager
def browsing(
    program: Path,
    url: str,
    people: People,
    who: str,
    *arguments: str,
    language: str = "zh_Hans_CN",
    size: tuple[int, int] = PHONE,
) -> Iterator[Browsers]:
    """A browser of somebody who is signed in; fails when a page misbehaved behind its back."""
    client = people.client(who, language)
    cookie = client.get_cookie("linli")
    assert cookie is not None
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=str(program), args=[*ARGUMENTS, *arguments], headless=True
        )
        try:
            context = browser.new_context(
                base_url=url,
                locale=LOCALES[language],
                viewport={"width": size[0], "height": size[1]},
                timezone_id="Asia/Shanghai",
            )
            context.set_default_timeout(15_000)
            context.add_cookies([{"name": "linli", "value": cookie.value, "url": url}])
            watch = Watch(url)
            watch.over(context)
            yield Browsers(context, watch)
            context.close()
            assert watch.seen == []
        finally:
            browser.close()
