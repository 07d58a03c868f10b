"""People at their browsers: who they are, how they sign in, and what their pages complain of."""

import json
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, Response

from provisioning.screens.demo import fresh_code
from tests.services.up import Up

PHONE = (360, 760)
TABLET = (768, 1024)
DESK = (1280, 800)
LOCALES = {"zh_Hans_CN": "zh-CN", "en": "en-GB"}
SCALE = 2
"""Device pixels per CSS pixel, as on a phone: what a gate's camera gets to see."""


@dataclass
class Watch:
    """What happens behind a page that must not: console errors (a broken content security policy is
    one), exceptions, requests to elsewhere, failures of the server."""

    origin: str
    seen: list[str] = field(default_factory=list)

    def over(self, context: BrowserContext) -> None:
        context.on("console", self._said)
        context.on("weberror", lambda error: self.seen.append(f"exception: {error.error}"))
        context.on("request", self._asked)
        context.on("response", self._answered)

    def _said(self, message: ConsoleMessage) -> None:
        # A refused form is answered with 422, a page that one may not see with 403 or 404; the
        # browser notes each as an error of its own.
        own = message.text.startswith("Failed to load resource: the server responded with")
        if message.type == "error" and not own:
            self.seen.append(f"console: {message.text} ({message.page and message.page.url})")

    def _asked(self, request: Request) -> None:
        if not request.url.startswith((f"{self.origin}/", "data:", "blob:")):
            self.seen.append(f"elsewhere: {request.url}")

    def _answered(self, response: Response) -> None:
        if response.status >= 500:
            self.seen.append(f"{response.status}: {response.url}")


Cookies = dict[tuple[str, str], Any]
"""Of those who have signed in before, by user name and language."""


Accounts = dict[str, dict[str, Any]]


def accounts(up: Up) -> Accounts:
    """The sign-ins of the demo by user name."""
    listed = json.loads((up.data / "demo-accounts.json").read_text("utf-8"))
    return {account["username"]: account for account in listed}


def noted(found: Accounts, note: str) -> str:
    """The user name of the first account whose note says this."""
    return next(name for name, account in found.items() if note in account["note"])


class People:
    """Opens a browser context per person; `complaints` is what their pages had to say."""

    def __init__(self, up: Up, browser: Browser, cookies: Cookies) -> None:
        self.up = up
        self._kept = cookies
        self.watch = Watch(up.url)
        self._browser = browser
        self._contexts: list[BrowserContext] = []
        self.accounts = accounts(up)
        self.facts = json.loads((up.data / "demo.json").read_text("utf-8"))

    @property
    def resident(self) -> str:
        """The user name of the approved owner."""
        return noted(self.accounts, "owner, approved")

    def stranger(
        self, language: str = "zh_Hans_CN", size: tuple[int, int] = PHONE, **options: Any
    ) -> Page:
        """The first page of somebody who is not signed in."""
        context = self._browser.new_context(
            base_url=self.up.url,
            locale=LOCALES[language],
            viewport={"width": size[0], "height": size[1]},
            device_scale_factor=SCALE,
            timezone_id="Asia/Shanghai",
            **options,
        )
        context.set_default_timeout(15_000)
        self.watch.over(context)
        self._contexts.append(context)
        return context.new_page()

    def signed_in(
        self, username: str, language: str = "zh_Hans_CN", size: tuple[int, int] = PHONE
    ) -> Page:
        """A page of somebody who has signed in by the form, now or in an earlier test."""
        key = (username, language)
        page = self.stranger(language, size, storage_state=self._kept.get(key))
        if key not in self._kept:
            account = self.accounts[username]
            self.sign_in(page, username, account["password"])
            self._kept[key] = page.context.storage_state()
        return page

    def sign_in(self, page: Page, name: str, password: str) -> None:
        """By name and password, and the code of the authenticator where there is one."""
        page.goto("/sign-in")
        page.locator("#identity").fill(name)
        page.locator("#password").fill(password)
        page.locator("main button[type=submit]").click()
        if name in self.accounts and self.accounts[name]["totp_secret"]:
            page.locator("#code").fill(fresh_code(self.accounts[name]["totp_secret"]))
            page.locator("main button[type=submit]").click()
        page.wait_for_url(lambda url: "/sign-in" not in url)

    def leave(self) -> None:
        """Close all browsers."""
        for context in self._contexts:
            context.close()

    def complaints(self) -> list[str]:
        """What went wrong behind the pages, each once."""
        return list(dict.fromkeys(self.watch.seen))
