"""Every page of the portal, for whoever may come to it: phone and desk, light and dark, large text, both languages.

The pages come from the URL map: a new one is walked by itself.
"""

import os
from collections import defaultdict
from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.browser import looks
from tests.browser.pages import Places
from tests.browser.people import DESK, PHONE, TABLET, People, noted
from tests.browser.registering import applicant, consent, enter_everything, onward

pytestmark = pytest.mark.system

LANGUAGES = ("zh_Hans_CN", "en")
SCREENS = os.environ.get("SCREENS")
"""A folder for a picture of every page walked, for whoever wants to look."""
AT_REST = """() => !document.querySelector("[aria-busy=true], .htmx-request, .htmx-settling") &&
  document.getAnimations().every((one) => one.playState !== "running"
    || one.effect.getComputedTiming().endTime === Infinity)"""
"""Nothing is under way: no request, and no colour on its way from one theme to the other."""
_numbers = count(1)
Examined = defaultdict[tuple[str, str], set[str]]


def _half_registered(people: People, language: str) -> Page:
    page = people.stranger(language)
    consent(page, f"/r/{people.facts['uscc']}")
    enter_everything(page, applicant())
    return page


def _just_registered(people: People, language: str) -> Page:
    page = _half_registered(people, language)
    onward(page, "done")
    return page


def _at_the_second_factor(people: People, language: str) -> Page:
    page = people.stranger(language)
    page.goto("/sign-in")
    page.locator("#identity").fill("worker")
    page.locator("#password").fill(people.accounts["worker"]["password"])
    page.locator("main button[type=submit]").click()
    page.locator("#code").wait_for()
    return page


def _courier(people: People, language: str) -> Page:
    page = people.stranger(language)
    page.goto(f"/c/{people.facts['courier_code']}")
    return page


def _code_asked_for(people: People, language: str) -> Page:
    page = people.stranger(language)
    page.goto("/sign-in/phone")
    # Nobody's number in the one language and another's in the other: a phone gets a code a minute.
    page.locator("#phone").fill("13900000001" if language == "en" else "13900000002")
    page.locator("main button[type=submit]").click()
    page.locator("#code").wait_for()
    return page


def _waiting_resident(people: People, language: str) -> Page:
    return people.signed_in(noted(people.accounts, "waits for a decision"), language)


ROLES: dict[str, tuple[Callable[[People, str], Page], set[str]]] = {
    "anonymous": (
        lambda people, language: people.stranger(language),
        {
            "start.index",
            "security.login",
            "security.two_factor_rescue",
            "residents.begin",
            "visitors.link",
            "notices.public",
            "notices.public_one",
            "parcels.pickup",
            "parcels.link",
            "parcels.courier_sign_in",
            "shell.offline",
            "passes.offline",
            "accounts.join",
            "accounts.phone",
        },
    ),
    "courier": (
        _courier,
        {
            "parcels.courier_home",
            "parcels.courier_new",
            "parcels.courier_meal",
            "parcels.courier_parcel",
        },
    ),
    "half registered": (
        _half_registered,
        {
            "residents.begin",
            "residents.person",
            "residents.document",
            "residents.dwelling",
            "residents.secret",
            "residents.check",
        },
    ),
    "just registered": (_just_registered, {"residents.done"}),
    "at the second factor": (
        _at_the_second_factor,
        {"security.two_factor_token_validation", "accounts.recovery"},
    ),
    "code asked for": (_code_asked_for, {"accounts.phone_code"}),
    "waiting resident": (
        _waiting_resident,
        {
            "home.index",
            "passes.show",
            "visitors.mine",
            "vehicles.mine",
            "notices.mine",
            "residents.me",
        },
    ),
    "resident": (
        lambda people, language: people.signed_in(people.resident, language),
        {
            "home.index",
            "passes.show",
            "access.mine",
            "visitors.mine",
            "visitors.new",
            "visitors.one",
            "vehicles.mine",
            "vehicles.new",
            "vehicles.one",
            "notices.mine",
            "notices.one",
            "parcels.mine",
            "parcels.one",
            "parcels.open_own",
            "residents.me",
            "residents.stored",
            "telecare.care",
            "telecare.care_alarm",
            "accounts.index",
            "accounts.confirm",
            "accounts.devices",
            "accounts.history",
            "accounts.passkey_list",
            "accounts.password",
        },
    ),
    "worker": (
        lambda people, language: people.signed_in("worker", language),
        {
            "workbench.index",
            "workbench.item",
            "residents.queue",
            "residents.detail",
            "residents.posters",
            "residents.poster",
            "visitors.queue",
            "visitors.decide",
            "vehicles.queue",
            "vehicles.detail",
            "dwellings.building",
            "dwellings.dwelling",
            "finding.page",
            "access.log",
            "notices.index",
            "notices.new",
            "notices.show",
            "notices.edit",
            "notices.households",
            "notices.visits",
            "devices.index",
            "devices.show",
            "parcels.lockers",
            "parcels.queue",
            "parcels.shelve",
            "parcels.couriers_page",
            "telecare.desk",
            "telecare.past",
            "telecare.alarm",
            "telecare.wearers",
            "telecare.wearer",
            "telecare.wearer_new",
            "telecare.wearer_edit",
            "telecare.contact_new",
            "telecare.contact_edit",
            "telecare.duty",
            "telecare.troubles",
            "telecare.report",
            "telecare.settings",
        },
    ),
    "manager": (
        lambda people, language: people.signed_in("manager", language),
        {
            "workbench.index",
            "workbench.item",
            "vehicles.queue",
            "vehicles.detail",
            "notices.index",
            "devices.index",
            "devices.show",
            "devices.values",
            "parcels.locker",
            "parcels.compartment",
            "parcels.staff_parcel",
        },
    ),
    "administrator": (
        lambda people, language: people.signed_in("sysadmin", language),
        {
            "workbench.index",
            "finding.page",
            "dwellings.dwelling",
            "regions.index",
            "regions.show",
            "regions.rename",
            "regions.merge",
            "regions.split",
            "regions.credit_code",
            "regions.region_settings",
            "regions.buildings",
            "regions.generate",
            "regions.import_regions",
            "regions.import_dwellings",
            "regions.upload",
            "accounts.staff_list",
            "accounts.staff_one",
            "accounts.invite",
            "accounts.authenticator",
            "accounts.recovery_codes",
        },
    ),
    "security administrator": (
        lambda people, language: people.signed_in("secadmin", language),
        {"workbench.index", "accounts.staff_list", "accounts.staff_one", "accounts.lock_outs"},
    ),
    "auditor": (
        lambda people, language: people.signed_in("auditor", language),
        {"workbench.index", "accounts.audit_log"},
    ),
}
"""How somebody comes there, and pages that must be among those that open for them."""
BY_THE_WAY = {"half registered", "just registered", "at the second factor", "code asked for"}
"""Stations on somebody's way: only their own pages are walked, the others are those of the anonymous."""


def test_every_argument_of_an_address_has_a_value_in_the_table(places: Places) -> None:
    assert places.without_values() == []


def read_in(page: Page, origin: str, address: str, text: str) -> None:
    """Open a page in this text size, and wait until it has come to rest."""
    page.context.add_cookies([{"name": "text", "value": text, "url": origin}])
    page.goto(address)
    page.wait_for_function(AT_REST)


@pytest.fixture(scope="session")
def examined() -> Examined:
    """What has been looked at, by language and page: the same parts are not gone over again."""
    return defaultdict(set)


@pytest.fixture(scope="session")
def shown() -> dict[str, set[str]]:
    """The contents of pages that have been opened, by language."""
    return defaultdict(set)


def brings_new(examined: Examined, language: str, endpoint: str, blocks: set[str]) -> bool:
    """Whether a page has parts that were not on it, or around any page, before; notes them."""
    frame = {block for block in blocks if block.startswith("frame")}
    unseen = False
    for key, there in ((endpoint, blocks - frame), ("frame", frame)):
        unseen = unseen or not there <= examined[language, key]
        examined[language, key] |= there
    return unseen


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("role", ROLES)
def test_pages_are_whole(
    role: str,
    language: str,
    people: People,
    places: Places,
    examined: Examined,
    shown: dict[str, set[str]],
) -> None:
    enter, expected = ROLES[role]
    page = enter(people, language)
    # One size in light and the other in dark colours; the other language the other way round.
    one, other = ("light", "dark") if language == "en" else ("dark", "light")
    views = [(PHONE, one, "normal"), (DESK, other, "normal"), (PHONE, other, "large")]
    if SCREENS:
        views.insert(1, (TABLET, one, "normal"))
    faults: list[str] = []
    opened: set[str] = set()
    walked: set[str] = set()
    # Those that must open come first: others may end what has been begun.
    for endpoint, address in sorted(places.addresses(), key=lambda one: one[0] not in expected):
        if role in BY_THE_WAY and endpoint not in expected:
            continue
        answer = page.request.get(address)
        here = answer.url.removeprefix(people.up.url)
        if answer.status == 200 and here == address:
            opened.add(endpoint)
        # Where somebody is sent who may not open a page, and each kind of error, is looked at once.
        seen = f"error {answer.status}" if answer.status >= 400 else here.partition("&")[0]
        if here != address:
            seen = seen.partition("?")[0]
        if seen in walked:
            continue
        walked.add(seen)
        text = answer.text()
        if not text.lstrip().startswith("<!doctype html>"):
            faults.append(f"{address}: no whole page: name it in NOT_PAGES, or extend the layout")
            continue
        # Somebody else was shown the same: what is around it is looked at on the other pages.
        content = looks.content(text)
        if content in shown[language] and not SCREENS:
            continue
        shown[language].add(content)
        page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
        read_in(page, people.up.url, address, "normal")
        new = brings_new(examined, language, endpoint, looks.building_blocks(page))
        size_of_text = "normal"
        # The same page made of the same parts has been looked at in every view, with somebody else.
        for size, colour, letters in views if new or SCREENS else views[:1]:
            page.set_viewport_size({"width": size[0], "height": size[1]})
            page.emulate_media(color_scheme=colour)
            if letters != size_of_text:
                size_of_text = letters
                read_in(page, people.up.url, address, letters)
            page.wait_for_function(AT_REST)
            found = looks.too_wide(page) + (looks.barriers(page) if new else [])
            if size == PHONE and letters == "normal":
                found += looks.untranslated(page, language, places.names)
            faults += [
                f"{address} at {size[0]} px, {colour}, {letters}: {fault}" for fault in found
            ]
            if SCREENS:
                name = (
                    f"{next(_numbers):03}-{language[:2]}-{role}-{endpoint}-{size[0]}-{letters}.png"
                )
                page.screenshot(path=Path(SCREENS) / name.replace(" ", "_"), full_page=True)
    assert not faults, "\n".join(faults)
    assert expected <= opened
