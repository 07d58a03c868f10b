"""Headless Chromium of the machine, driven by Playwright, and no downloads of a browser."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

ARGUMENTS = (
    "--no-sandbox",  # it may run as root, where its sandbox cannot
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def find_chromium() -> Path | None:
    """The browser's program, or None."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        found = shutil.which(name)
        if found:
            return Path(found)
    return None


@contextmanager
def browser(program: Path) -> Iterator[Browser]:
    """A browser with a new profile of its own; `new_context()` separates one person from another."""
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=str(program), args=list(ARGUMENTS), headless=True
        )
        try:
            yield started
        finally:
            started.close()
