"""Accounts in a real browser: from the invitation to the first sign-in, passkeys, codes by phone, ended sessions."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyotp
import pytest
from playwright.sync_api import Browser, Page, expect

from portal.accounts import sms
from portal.config import Config
from tests.browser.people import DESK, LOCALES, PHONE, Watch
from tests.browser.web_only import serving
from tests.portal.cast import PASSWORD, TOTP, Town
from tests.portal.conftest import built_town, town, translations

__all__ = ["built_town", "town", "translations"]

GOOD = "violet-anchor-93-moss"
STEP = 30
SCREENS = os.environ.get("SCREENS")


@dataclass
class Site:
    """The portal in a thread, and browsers on it; complaints of their pages are kept."""

    url: str
    town: Town
    browser: Browser
    watch: Watch

    def page(self, size: tuple[int, int] = PHONE, language: str = "zh_Hans_CN") -> Page:
        context = self.browser.new_context(
            base_url=self.url,
            locale=LOCALES[language],
            viewport={"width": size[0], "height": size[1]},
        )
        context.set_default_timeout(15_000)
        self.watch.over(context)
        return context.new_page()

    def staff(self, name: str, size: tuple[int, int] = DESK) -> Page:
        """Somebody of the staff, signed in by the form; each code of the shared secret is used once a person."""
        page = self.page(size)
        sign_in(page, name, PASSWORD)
        page.locator("#code").fill(pyotp.TOTP(TOTP).now())
        page.locator("main button[type=submit]").click()
        page.wait_for_url("**/work")
        return page


@pytest.fixture
def site(town: Town, browser: Browser) -> Iterator[Site]:
    town.config = Config(data_dir=town.config.data_dir, sms="console")
    with serving(town.app) as url:
        # Passkeys need a name: a demo on a loopback address is asked for as localhost.
        named = url.replace("127.0.0.1", "localhost")
        town.config = Config(data_dir=town.config.data_dir, sms="console", public_url=named)
        watch = Watch(named)
        one = Site(named, town, browser, watch)
        yield one
        for context in browser.contexts:
            context.close()
        assert watch.seen == []


def sign_in(page: Page, name: str, password: str) -> None:
    page.goto("/sign-in")
    page.locator("#identity").fill(name)
    page.locator("#password").fill(password)
    page.locator("main form button[type=submit]").click()


def sign_out(page: Page) -> None:
    page.goto("/account")
    page.locator("main [data-sign-out] button").click()
    page.wait_for_url(lambda url: "/account" not in url)


def picture(page: Page, name: str) -> None:
    if SCREENS:
        page.screenshot(path=Path(SCREENS) / f"accounts-{name}.png", full_page=True)


def next_code(secret: str) -> str:
    """A code that has not been used yet: of the next step, which counts already."""
    return pyotp.TOTP(secret).at(time.time() + STEP)


def with_authenticator(page: Page) -> None:
    """A phone that has passkeys, and whose owner says yes."""
    client = page.context.new_cdp_session(page)
    client.send("WebAuthn.enable")
    client.send(
        "WebAuthn.addVirtualAuthenticator",
        {
            "options": {
                "protocol": "ctap2",
                "transport": "internal",
                "hasResidentKey": True,
                "hasUserVerification": True,
                "isUserVerified": True,
                "automaticPresenceSimulation": True,
            }
        },
    )


def test_from_the_invitation_to_the_first_sign_in_with_a_role(site: Site) -> None:
    admin = site.staff("sysadmin")
    admin.get_by_role("navigation").get_by_role("link", name="账号管理").click()
    admin.get_by_role("link", name="邀请工作人员").click()
    admin.get_by_label("邀请对象").fill("王女士，门岗")
    admin.get_by_label("区域").select_option(str(site.town.ids["community"]))
    admin.get_by_role("button", name="生成链接").click()
    link = admin.get_by_label("链接", exact=True).input_value()

    guest = site.page()
    guest.goto("/join/" + link.rsplit("/", 1)[1])
    picture(guest, "join")
    letters = guest.locator("main code").inner_text().replace(" ", "")
    guest.get_by_label("用户名").fill("wang")
    guest.get_by_label("姓名").fill("王芳")
    guest.get_by_label("密码", exact=True).fill(GOOD)
    guest.get_by_label("再次输入密码", exact=True).fill(GOOD)
    guest.get_by_label("六位数字").fill(pyotp.TOTP(letters).now())
    guest.get_by_role("button", name="完成设置").click()
    expect(guest.get_by_role("heading", level=1)).to_have_text("账号已就绪")
    expect(guest.locator(".codes li")).to_have_count(10)
    picture(guest, "joined")

    guest.locator("main").get_by_role("link", name="登录").click()
    guest.locator("#identity").fill("wang")
    guest.locator("#password").fill(GOOD)
    guest.locator("main form button[type=submit]").click()
    guest.locator("#code").fill(next_code(letters))
    guest.locator("main button[type=submit]").click()
    expect(guest.locator("main")).to_contain_text("您的账号尚未授予角色")

    chief = site.staff("secadmin")
    chief.goto("/work/accounts")
    chief.get_by_role("row").filter(has_text="wang").get_by_role("link", name="查看").click()
    chief.get_by_label("角色").select_option("gatekeeper")
    chief.get_by_label("区域").select_option(str(site.town.ids["community"]))
    chief.get_by_role("button", name="授予", exact=True).click()
    expect(chief.locator("#messages")).to_contain_text("角色已授予")

    guest.goto("/work")
    expect(guest.get_by_role("navigation").get_by_role("link", name="扫码").first).to_be_visible()


def test_a_passkey_is_made_named_used_and_removed(site: Site) -> None:
    page = site.page()
    with_authenticator(page)
    sign_in(page, "13800138001", PASSWORD)
    page.wait_for_url("**/home")
    page.goto("/account/passkeys")
    picture(page, "passkeys-none")
    page.get_by_label("密钥名称").fill("我的手机")
    page.get_by_role("button", name="添加通行密钥").click()
    expect(page.locator("#messages")).to_contain_text("通行密钥已添加")
    expect(page.get_by_role("heading", name="我的手机")).to_be_visible()
    picture(page, "passkeys")

    sign_out(page)
    page.goto("/sign-in")
    picture(page, "sign-in")
    page.get_by_role("button", name="使用通行密钥登录").click()
    page.wait_for_url("**/home")
    page.goto("/account/devices")
    expect(page.locator("main")).to_contain_text("通行密钥")

    page.goto("/account/passkeys")
    page.get_by_role("button", name="移除").first.click()
    page.get_by_role("dialog").get_by_role("button", name="移除").click()
    expect(page.locator("main")).to_contain_text("还没有通行密钥")
    sign_out(page)
    page.goto("/sign-in")
    page.get_by_role("button", name="使用通行密钥登录").click()
    expect(page.locator("[data-passkey-says]")).to_contain_text("无法使用此通行密钥")


def test_staff_sign_in_with_a_passkey_alone(site: Site) -> None:
    page = site.page()
    with_authenticator(page)
    sign_in(page, "manager", PASSWORD)
    page.locator("#code").fill(pyotp.TOTP(TOTP).now())
    page.locator("main button[type=submit]").click()
    page.wait_for_url("**/work")
    page.goto("/account/passkeys")
    page.get_by_role("button", name="添加通行密钥").click()
    expect(page.locator("#messages")).to_contain_text("通行密钥已添加")
    sign_out(page)
    page.goto("/sign-in")
    page.get_by_role("button", name="使用通行密钥登录").click()
    page.wait_for_url("**/work")


def test_a_resident_signs_in_with_a_code_to_the_phone(site: Site) -> None:
    page = site.page()
    page.goto("/sign-in")
    page.get_by_role("link", name="居民：短信验证码登录").click()
    page.locator("#phone").fill("138 0013 8001")
    page.get_by_role("button", name="获取验证码").click()
    expect(page.locator("main")).to_contain_text("138****8001")
    picture(page, "phone-code")
    code = sms.shown_code(site.town.config.path(sms.FILE), "13800138001")
    assert code is not None
    page.locator("#code").fill(code)
    page.locator("main button[type=submit]").click()
    page.wait_for_url("**/home")


def test_a_device_is_signed_out_from_another_one(site: Site) -> None:
    phone, desk = site.page(), site.page(DESK, "en")
    for page in (phone, desk):
        sign_in(page, "13800138001", PASSWORD)
        page.wait_for_url("**/home")
    phone.reload()
    expect(phone.get_by_role("complementary")).to_contain_text("有一台新设备登录了您的账号。")
    picture(phone, "new-device")
    phone.get_by_role("link", name="查看我的设备").click()
    picture(phone, "devices")
    phone.get_by_role("button", name="退出此设备").click()
    expect(phone.locator("#messages")).to_contain_text("该设备已退出登录")
    desk.goto("/home")
    expect(desk).to_have_url(re.compile("/sign-in"))


def test_an_ended_session_says_why(site: Site) -> None:
    page = site.staff("gatekeeper")
    page.goto("/account")  # a page that does not ask by itself: the workbench would be told first
    site.town.clock.now = site.town.clock.now.replace(minute=45)
    page.goto("/work/passages")
    expect(page).to_have_url(re.compile("/sign-in"))
    expect(page.locator("#messages")).to_contain_text("长时间未操作，已自动退出")
