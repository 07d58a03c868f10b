"""A demo community that is up for the whole run, and people with browsers in it."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from mqtt.broker.binaries import find_mosquitto
from tests.browser.pages import Places
from tests.browser.people import Cookies, People, accounts, noted
from tests.services.requirement import lacking
from tests.services.up import Up
from tests.services.up import demo as start_demo

expect.set_options(timeout=15_000)  # pages bring themselves up to date every five seconds at most
CODE_SECONDS = 30
"""How long a code on a screen is valid: longer than taking and scanning a picture of it takes."""


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    """`linli up --demo` with mosquitto, started once for all tests of this folder."""
    if find_mosquitto() is None:
        lacking("mosquitto")
    folder = tmp_path_factory.mktemp("demo")
    settings = {"LINLI_PASS_SECONDS": str(CODE_SECONDS), "LINLI_STAFF_IDLE_MINUTES": "480"}
    with start_demo(folder, **settings) as up:
        yield up


@pytest.fixture(scope="session")
def cookies() -> Cookies:
    """Who has signed in during this run need not do it again."""
    return {}


@pytest.fixture(scope="session")
def places(demo: Up) -> Iterator[Places]:
    """Its pages, with values for the arguments of their addresses, and the names of its places and people."""
    found = Places(demo, noted(accounts(demo), "owner, approved"))
    yield found
    found.close()


@pytest.fixture
def people(demo: Up, browser: Browser, cookies: Cookies) -> Iterator[People]:
    """People with a browser each; the test fails when a page of theirs misbehaved behind its back."""
    them = People(demo, browser, cookies)
    yield them
    them.leave()
    assert them.complaints() == []
