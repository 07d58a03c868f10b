"""Components in a real browser, on the style guide: switches, dialogs, toasts, charts, room to touch."""

import pytest
from playwright.sync_api import Page, expect

from portal.web.styleguide import GROUPS
from tests.browser.people import DESK, PHONE, People

pytestmark = pytest.mark.system

GROUP_NAMES = [name for name, _title, _examples in GROUPS]

SMALL = """() => [...document.querySelectorAll("button, a.button, .tool, .nav a, .tabs a, .links a, summary,"
  + "input:not([type=hidden]), select, textarea, .check, .tick")]
  .filter((e) => !(e.matches("input") && e.closest(".check, .tick")))
  .map((e) => [e, e.getBoundingClientRect()])
  .filter(([e, r]) => r.width && (r.width < 44 || r.height < 44))
  .map(([e, r]) => `${e.tagName}.${e.className} ${r.width}x${r.height}`)"""
SIDEWAYS = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"


def switch_to_large(page: Page) -> None:
    with page.expect_response("**/display"):
        page.locator("button[name=text]").click()


@pytest.mark.parametrize("language", ["zh_Hans_CN", "en"])
@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
def test_nothing_is_too_small_to_touch_or_runs_out_of_the_screen_also_in_large_text(
    people: People, language: str, size: tuple[int, int]
) -> None:
    page = people.signed_in("worker", language, size)
    page.goto("/styleguide")
    for large in (False, True):
        if large:
            switch_to_large(page)
        for group in GROUP_NAMES:
            page.goto(f"/styleguide?group={group}")
            assert page.evaluate(SMALL) == [], (group, large)
            assert page.evaluate(SIDEWAYS) == 0, (group, large)


def test_theme_and_text_size_change_at_once_keep_what_was_typed_and_are_remembered(
    people: People,
) -> None:
    page = people.stranger("en")
    page.goto("/sign-in")
    page.locator("#identity").fill("half a na")
    paper = "() => getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(paper)
    before = page.evaluate("() => parseFloat(getComputedStyle(document.body).fontSize)")
    with page.expect_response("**/display"):
        page.get_by_role("button", name="Dark").click()
    switch_to_large(page)
    assert page.evaluate(paper) != light
    after = page.evaluate("() => parseFloat(getComputedStyle(document.body).fontSize)")
    assert after == pytest.approx(1.4 * before)
    expect(page.locator("#identity")).to_have_value("half a na")
    page.goto("/nowhere")
    assert page.evaluate("() => ({...document.documentElement.dataset})") == {
        "theme": "dark",
        "text": "large",
    }
    expect(page.get_by_role("button", name="Dark")).to_have_attribute("aria-pressed", "true")


def test_a_dialog_takes_the_focus_and_gives_it_back(people: People) -> None:
    page = people.signed_in("worker", "en", DESK)
    page.goto("/styleguide?group=feedback")
    opener = page.get_by_role("button", name="Ask before it happens")
    opener.focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Cancel the invitation")
    expect(dialog).to_be_visible()
    assert dialog.evaluate("(e) => e.contains(document.activeElement)")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(opener).to_be_focused()
    opener.click()
    page.mouse.click(5, 5)
    expect(dialog).to_be_hidden()


def test_an_error_stays_until_it_is_closed(people: People) -> None:
    page = people.signed_in("worker", "en", DESK)
    page.goto("/styleguide?group=feedback")
    page.get_by_role("button", name="Say what went wrong").click()
    toast = page.locator("#toasts .toast.error")
    expect(toast).to_be_in_viewport()
    expect(toast).to_contain_text("That did not work.")
    toast.get_by_role("button", name="Close").click()
    expect(toast).to_have_count(0)


def test_a_refused_form_leads_to_the_summary_and_from_there_to_the_field(people: People) -> None:
    page = people.signed_in("worker", "en", DESK)
    page.goto("/styleguide?group=forms")
    expect(page.locator(".note.error[data-focus]")).to_be_focused()
    page.get_by_role("link", name="Name", exact=True).click()
    assert page.url.endswith("#bad-name")
    expect(page.locator("#bad-name")).to_have_attribute(
        "aria-describedby", "bad-name-hint bad-name-error"
    )


def test_a_chart_has_its_unit_shows_gaps_and_holds_its_values_as_a_table(people: People) -> None:
    page = people.signed_in("worker", "en", DESK)
    page.goto("/styleguide?group=charts")
    figure = page.locator("[data-chart-grid] figure").first
    expect(figure.locator("svg text", has_text="°C")).to_have_count(1)
    # Two strokes: the line ends before the gap and begins anew after it.
    line = figure.locator("svg path[fill=none][stroke-width='2']")
    expect(line).to_have_count(1)
    assert (line.get_attribute("d") or "").count("M") == 2
    expect(figure.locator("figcaption")).to_contain_text("°C")
    figure.locator("summary").click()
    expect(figure.locator("tbody tr")).to_have_count(121)
    expect(figure.get_by_role("cell", name="no values")).to_have_count(1)


def test_a_chart_follows_the_theme_and_zooms(people: People) -> None:
    page = people.signed_in("worker", "en", DESK)
    page.goto("/styleguide?group=charts")
    chart = page.locator(".chart").first
    expect(chart.locator("svg")).to_be_visible()
    light = chart.inner_html()
    with page.expect_response("**/display"):
        page.get_by_role("button", name="Dark").click()
    dark = chart.inner_html()
    assert dark.lower() != light.lower()
    labels = "(e) => [...e.querySelectorAll('svg text')].map((t) => t.textContent).join()"
    before = chart.evaluate(labels)
    box = chart.bounding_box()
    assert box
    page.keyboard.down("Control")
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 3)
    page.mouse.wheel(0, -600)
    page.keyboard.up("Control")
    page.wait_for_function(
        "([e, before]) => [...e.querySelectorAll('svg text')].map((t) => t.textContent).join() !== before",
        arg=[chart.element_handle(), before],
    )
