"""What a page costs a phone that has never been here: bytes on the wire, and things that jump."""

import pytest
from playwright.sync_api import Browser

from provisioning.bench.pages import PAGES, Opener
from provisioning.screens.demo import Demo
from tests.services.up import Up

pytestmark = pytest.mark.system

MOST_BYTES = 150_000
MOST_SHIFT = 0.01
"""Of Web Vitals' CLS, where 0.1 still counts as good: a pixel or two when a font arrives."""


@pytest.mark.parametrize(("who", "place"), PAGES)
def test_a_first_visit_is_light_and_nothing_jumps(
    demo: Up, browser: Browser, who: str, place: str
) -> None:
    opener = Opener(browser, Demo(demo.url, demo.data))
    seen = opener.open(who, place)
    assert seen.requests > 1
    assert seen.weight <= MOST_BYTES
    # What jumps by itself does so each time; a passage that comes in just then moves the list once.
    assert min(seen.shift, opener.open(who, place).shift) <= MOST_SHIFT
